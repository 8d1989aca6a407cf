#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedLanguageModel: some tokens are hidden, a transformer predicts them from the others, as BERT does.
//   dotnet run examples/MaskedLanguageModel.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: single texts, no labels. Who does what follows rules, so a hidden word can be told from the others.
(string Who, string[] Does, string[] What)[] rules =
[
    ("the baker", ["kneads", "bakes", "sells"], ["bread", "rolls", "cake"]),
    ("the sailor", ["ties", "mends", "hoists"], ["ropes", "sails", "nets"]),
    ("the gardener", ["plants", "waters", "prunes"], ["roses", "hedges", "trees"]),
    ("the teacher", ["writes", "reads", "explains"], ["letters", "numbers", "stories"]),
];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => rules[i % rules.Length])
    .Select(r => new Row { Text = $"{r.Who} {Pick(r.Does)} {Pick(["fresh", "old", "many", "few"])} {Pick(r.What)} every {Pick(["day", "week", "morning"])}" }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator; the loss of hidden words tells what has been understood.
var losses = new Losses();
using var encoder = ssl.Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
{
    OutputColumnName = "Features",
    InputColumnName = "Text",
    Encoder = TextEncoders.Transformer(dimension: 64, numberOfLayers: 2, numberOfHeads: 2, maximumTokens: 16),
    BatchSize = 64,
    NumberOfEpochs = small ? 2 : 15,
    LearningRate = 2e-3,
    Progress = losses,
}).Fit(data);

// Use: the embedding is one vector a text. Mean-pooled embeddings of so short a training are poor: see docs/methods.md.
var embedded = mlContext.Data.CreateEnumerable<Embedded>(encoder.Transform(data), reuseRowObject: false).First();
Console.WriteLine($"loss of hidden words: {losses.First:0.0} in the first epoch, {losses.Last:0.0} in the last; {embedded.Features.Length} numbers a text");

// Expected output:
// loss of hidden words: 3.8 in the first epoch, 0.7 in the last; 64 numbers a text

internal sealed class Row
{
    public string Text { get; set; } = "";
}

internal sealed class Embedded
{
    public float[] Features { get; set; } = [];
}

internal sealed class Losses : IProgress<PretrainingProgress>
{
    public double First { get; private set; } = double.NaN;
    public double Last { get; private set; }

    public void Report(PretrainingProgress value)
    {
        if (!value.EpochCompleted)
            return;
        Last = value.Loss;
        if (double.IsNaN(First))
            First = value.Loss;
    }
}
