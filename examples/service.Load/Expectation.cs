using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.ML;
using SearchService.Training;

namespace SearchService.Load;

/// <summary>
/// The right answers of one model file, from <c>Transform</c> of its chain: computed before the service is asked, by other code than the service's.
/// </summary>
internal sealed class Expectation
{
    // The numbers of a row differ by rounding with what it is computed with: relative to its largest number, and of cosines and probabilities.
    private const double Tolerance = 1e-5;

    private readonly Dictionary<string, Answer> _answers;
    private double _largest;

    /// <param name="path">The model file.</param>
    /// <param name="texts">All texts that will be asked.</param>
    public Expectation(string path, IReadOnlyList<string> texts)
    {
        var bytes = File.ReadAllBytes(path);
        (Path, Version) = (path, Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]);
        using var zip = new ZipArchive(new MemoryStream(bytes));
        using var chain = new MemoryStream();
        using (var entry = zip.GetEntry("chain.zip")!.Open())
            entry.CopyTo(chain);
        var mlContext = new MLContext();
        var model = mlContext.Model.Load(chain, out _);
        var rows = mlContext.Data.LoadFromEnumerable(texts.Select(text => new TrainingRow { Text = text }));
        _answers = mlContext.Data.CreateEnumerable<Answer>(model.Transform(rows), reuseRowObject: false).ToDictionary(answer => answer.Text);
        (model as IDisposable)?.Dispose();
    }

    public string Path { get; }

    public string Version { get; }

    /// <summary>The largest difference that was seen, wrong answers included.</summary>
    public double LargestDifference => Volatile.Read(ref _largest);

    public string? Check(string[] texts, EmbedResponse response)
    {
        if (response.Embeddings.Count != texts.Length)
            return $"{response.Embeddings.Count} embeddings of {texts.Length} texts";
        for (var i = 0; i < texts.Length; i++)
        {
            var (right, given) = (_answers[texts[i]].Features, response.Embeddings[i]);
            if (given.Length != right.Length || response.Dimension != right.Length)
                return $"{given.Length} numbers of '{texts[i]}' in place of {right.Length}";
            var scale = right.Max(Math.Abs);
            for (var j = 0; j < right.Length; j++)
            {
                if (IsOff(given[j] / scale, right[j] / scale))
                    return $"number {j} of '{texts[i]}' is {given[j]} in place of {right[j]}";
            }
        }
        return null;
    }

    /// <param name="text">What was looked for.</param>
    /// <param name="response">What was found.</param>
    /// <param name="count">How many rows were asked for.</param>
    /// <param name="except">The row that does not count.</param>
    public string? Check(string text, SearchResponse response, int count, string? except = null)
    {
        var right = _answers[text];
        var ranks = right.Neighbors.Zip(right.Scores).Where(row => row.First != except).ToArray();
        if (response.Matches.Count != count)
            return $"{response.Matches.Count} rows for '{text}' in place of {count}";
        for (var i = 0; i < count; i++)
        {
            // Rows that are equally near may change places.
            var match = response.Matches[i];
            var own = ranks.FirstOrDefault(row => row.First == match.Id);
            if (own.First is null || IsOff(match.Score, own.Second) || IsOff(match.Score, ranks[i].Second))
                return $"row {i} for '{text}' is {match.Id} ({match.Score}) in place of {ranks[i].First} ({ranks[i].Second})";
        }
        return response.Matches.DistinctBy(match => match.Id).Count() == count ? null : $"a row twice for '{text}'";
    }

    public string? Check(string[] texts, ClassifyResponse response)
    {
        if (response.Predictions.Count != texts.Length)
            return $"{response.Predictions.Count} classes of {texts.Length} texts";
        for (var i = 0; i < texts.Length; i++)
        {
            var (right, given) = (_answers[texts[i]], response.Predictions[i]);
            if (given.Label != right.PredictedLabel)
                return $"class of '{texts[i]}' is {given.Label} in place of {right.PredictedLabel}";
            var scores = right.Score.OrderDescending().ToArray();
            for (var j = 0; j < scores.Length; j++)
            {
                if (IsOff(given.Scores[j].Score, scores[j]))
                    return $"probability {j} of '{texts[i]}' is {given.Scores[j].Score} in place of {scores[j]}";
            }
        }
        return null;
    }

    private bool IsOff(double given, double right)
    {
        var difference = Math.Abs(given - right);
        // Several clients at once: the largest stays.
        for (var largest = LargestDifference; difference > largest;)
        {
            var before = Interlocked.CompareExchange(ref _largest, difference, largest);
            if (before == largest)
                break;
            largest = before;
        }
        return !(difference <= Tolerance);
    }

    private sealed class Answer
    {
        public string Text { get; set; } = "";
        public float[] Features { get; set; } = [];
        public string[] Neighbors { get; set; } = [];
        public float[] Scores { get; set; } = [];
        public string PredictedLabel { get; set; } = "";
        public float[] Score { get; set; } = [];
    }
}
