using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Ssl.Bench;

/// <summary>Text for measurements.</summary>
public static partial class BenchText
{
    /// <summary>Words and signs as the Python peer sees them.</summary>
    private static readonly Regex PeerWords = PeerWord();

    /// <summary>The texts that the Python peer trains on: SST-2, CLINC150 and WikiText-2, the last in pieces.</summary>
    /// <param name="wordsAPiece">Words of a WikiText piece.</param>
    public static string[] PeerCorpus(int wordsAPiece)
    {
        var data = Environment.GetEnvironmentVariable("SSL_DATA");
        if (string.IsNullOrEmpty(data) || !Directory.Exists(Path.Combine(data, "sst2")))
            throw new BenchUnavailableException("it needs the data sets sst2, clinc150 and wikitext-2 in the folder that SSL_DATA names.");
        var texts = new List<string>();
        foreach (var name in new[] { "sst2", "clinc150" })
            texts.AddRange(Lines(Path.Combine(data, name, "train.tsv.gz")).Skip(1).Select(line => line.Split('\t'))
                .Where(row => row[0] != "oos").Select(row => row[1]));
        foreach (var name in new[] { "valid", "test" })
            foreach (var line in Lines(Path.Combine(data, "wikitext-2", $"{name}.txt.gz")).Where(line => line.Length > 20))
                texts.AddRange(PeerWords.Matches(line.ToLowerInvariant().Replace("<unk>", "~", StringComparison.Ordinal))
                    .Select(m => m.Value)
                    .Chunk(wordsAPiece).Select(piece => string.Join(' ', piece)));
        return [.. texts];
    }

    /// <summary>The labeled texts of a data set; those of no class ("oos") left out.</summary>
    /// <param name="name">Its folder under SSL_DATA: a table whose first column is the label and whose last the text.</param>
    /// <param name="part">Which file: train or test.</param>
    /// <param name="withTitles">Whether what stands between both, the title of a piece of news, is part of the text.</param>
    public static LabeledText[] Labeled(string name, string part, bool withTitles = false)
    {
        return [.. Lines(Path.Combine(Folder(name), $"{part}.tsv.gz")).Skip(1).Select(line => line.Split('\t')).Where(row => row[0] != "oos")
            .Select(row => new LabeledText { Label = row[0], Text = withTitles ? string.Join(' ', row[1..]) : row[^1] })];
    }

    /// <summary>The pairs of sentences of a data set with how alike they are: a table of score, first and second sentence.</summary>
    /// <param name="name">Its folder under SSL_DATA.</param>
    /// <param name="part">Which file: train, dev or test.</param>
    public static (float Score, string First, string Second)[] Pairs(string name, string part)
    {
        return [.. Lines(Path.Combine(Folder(name), $"{part}.tsv.gz")).Skip(1).Select(line => line.Split('\t'))
            .Select(row => (float.Parse(row[0], CultureInfo.InvariantCulture), row[1], row[2]))];
    }

    /// <summary>
    /// Made-up sentences with a natural spread of word frequencies: the same for the same seed, any number of them, never held in memory.
    /// </summary>
    /// <param name="count">Number of texts.</param>
    /// <param name="words">Words a text, at most.</param>
    /// <param name="seed">Seed.</param>
    public static IEnumerable<string> Synthetic(long count, int words, int seed)
    {
        const int Vocabulary = 8000;
        var random = new Random(seed);
        var word = new string[words];
        for (long i = 0; i < count; i++)
        {
            var length = random.Next(words / 2, words + 1);
            for (var j = 0; j < length; j++)
                word[j] = Word((int)(Vocabulary * Math.Pow(random.NextDouble(), 3)));
            yield return string.Join(' ', word, 0, length);
        }
    }

    private static string Word(int index)
    {
        const string Consonants = "bdfgklmnprstvz", Vowels = "aeiou";
        var text = "";
        for (var rest = index + 1; rest > 0; rest /= Consonants.Length * Vowels.Length)
            text += $"{Consonants[rest % Consonants.Length]}{Vowels[rest / Consonants.Length % Vowels.Length]}";
        return text;
    }

    private static string Folder(string name)
    {
        var data = Environment.GetEnvironmentVariable("SSL_DATA");
        return !string.IsNullOrEmpty(data) && Directory.Exists(Path.Combine(data, name)) ? Path.Combine(data, name)
            : throw new BenchUnavailableException($"it needs the data set {name} in the folder that SSL_DATA names.");
    }

    private static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    [GeneratedRegex(@"[a-z]+|[0-9]|[^\sa-z0-9]")]
    private static partial Regex PeerWord();
}

/// <summary>A text as ML.NET reads it.</summary>
public sealed class TextRow
{
    /// <summary>The text.</summary>
    public string Text { get; set; } = "";

    /// <summary>A second text, for paired methods.</summary>
    public string Pair { get; set; } = "";
}
