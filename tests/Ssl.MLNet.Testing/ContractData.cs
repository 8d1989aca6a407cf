using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Testing;

/// <summary>What the rows of every kind of data have beside their inputs.</summary>
public abstract class ContractRow
{
    public int Id { get; set; }

    public string Label { get; set; } = "";

    [VectorType(2)]
    public float[] Numbers { get; set; } = [0, 0];

    /// <summary>A vector whose type says no size.</summary>
    public float[] Variable { get; set; } = [0];
}

/// <summary>Rows for the contract suite: short sentences of four subjects, each with a second sentence on the same subject.</summary>
public sealed class TextRow : ContractRow
{
    public string Text { get; set; } = "";

    public string Pair { get; set; } = "";
}

/// <summary>Texts for the contract suite; one word is of a ligature, which forms of normalization write in two letters.</summary>
public static class ContractData
{
    private static readonly string[][] Words =
    [
        ["file", "reads", "lines", "stream", "path", "opens", "folder", "bytes"],
        ["matrix", "adds", "vector", "sum", "product", "solves", "norm", "scalar"],
        ["garden", "grows", "roses", "soil", "waters", "seeds", "plants", "lea\uFB02et"],
        ["train", "leaves", "station", "ticket", "arrives", "platform", "late", "rail"],
    ];

    public static readonly string[] Subjects = ["files", "algebra", "garden", "railway"];

    /// <summary>Rows that are the same on every machine.</summary>
    public static List<TextRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        var rows = new List<TextRow>(count);
        for (var i = 0; i < count; i++)
        {
            var subject = i % Words.Length;
            rows.Add(new TextRow
            {
                Id = i,
                Text = Capitalized(Sentence(random, Words[subject]), i % 3 == 0),
                Pair = Sentence(random, Words[subject]),
                Label = Subjects[subject],
                Numbers = [i, -i],
            });
        }
        return rows;
    }

    public static IDataView View(MLContext mlContext, int count = 96, int seed = 1) => mlContext.Data.LoadFromEnumerable(Rows(count, seed));

    // So that letters of both kinds are there.
    private static string Capitalized(string text, bool applies) => applies ? char.ToUpperInvariant(text[0]) + text[1..] : text;

    private static string Sentence(Random random, string[] words)
        => string.Join(' ', Enumerable.Range(0, random.Next(3, 9)).Select(_ => words[random.Next(words.Length)]));
}
