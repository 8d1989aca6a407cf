#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// ContrastiveMasked: the hybrid. SimCSE shapes the embedding, hidden tokens shape the token vectors, in one weighted sum.
//   dotnet run examples/ContrastiveMasked.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: single texts, no labels.
(string Who, string[] Does, string[] What)[] rules =
[
    ("a painter", ["mixes", "buys", "spills"], ["colors", "oils", "brushes"]),
    ("a farmer", ["feeds", "counts", "sells"], ["sheep", "cows", "geese"]),
    ("a pilot", ["checks", "lands", "steers"], ["planes", "gliders", "jets"]),
];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
var rows = Enumerable.Range(0, small ? 128 : 1_500).Select(i => rules[i % rules.Length])
    .Select(r => new Row { Text = $"{r.Who} {Pick(r.Does)} {Pick(["new", "two", "his"])} {Pick(r.What)} in {Pick(["spring", "summer", "autumn"])}" }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator; both terms are reported by name.
var terms = new LastTerms();
using var encoder = ssl.Text.ContrastiveMasked(new ContrastiveMaskedTrainer.Options
{
    OutputColumnName = "Features",
    InputColumnName = "Text",
    Encoder = TextEncoders.Transformer(dimension: 64, numberOfLayers: 2, numberOfHeads: 2, maximumTokens: 16),
    ContrastiveWeight = 1,
    MaskedWeight = 0.5f,
    BatchSize = 64,
    NumberOfEpochs = small ? 1 : 8,
    LearningRate = 1e-3,
    Progress = terms,
}).Fit(data);

// Use: one vector a text, for any trainer or search.
var embedded = mlContext.Data.CreateEnumerable<Embedded>(encoder.Transform(data), reuseRowObject: false).First();
Console.WriteLine($"last epoch: {string.Join(", ", terms.Last.Select(term => $"{term.Key} {term.Value:0.0}"))}; {embedded.Features.Length} numbers a text");

// Expected output:
// last epoch: contrastive 1.8, contrastive-accuracy 0.5, masked 2.3, masked-accuracy 0.5; 64 numbers a text

internal sealed class Row
{
    public string Text { get; set; } = "";
}

internal sealed class Embedded
{
    public float[] Features { get; set; } = [];
}

internal sealed class LastTerms : IProgress<PretrainingProgress>
{
    public IReadOnlyDictionary<string, double> Last { get; private set; } = new Dictionary<string, double>();

    public void Report(PretrainingProgress value)
    {
        if (value.EpochCompleted)
            Last = value.Terms;
    }
}
