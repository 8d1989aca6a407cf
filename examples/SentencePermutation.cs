#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// SentencePermutation: the sentences of a text are shuffled; from the embedding of the shuffled text a decoder says it again in its order.
//   dotnet run examples/SentencePermutation.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: single texts of three sentences in their natural order, no labels.
(string First, string Then, string Last)[] stories =
[
    ("the baker kneads the dough", "the oven is hot", "the bread is sold"),
    ("the sailor hoists the sails", "the wind is strong", "the harbour is near"),
    ("the gardener digs the soil", "the seeds are small", "the roses bloom"),
    ("the teacher opens the book", "the story is long", "the children sleep"),
];
string[] days = ["today", "every morning", "this week", "again"];
var random = new Random(1);
string Day() => days[random.Next(days.Length)];
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => stories[random.Next(stories.Length)])
    .Select(s => new Row { Text = $"{s.First} {Day()}. {s.Then} {Day()}. {s.Last} {Day()}." }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator; the loss of the words told again says what the embedding holds.
var losses = new Losses();
using var encoder = ssl.Text.SentencePermutation(new SentencePermutationTrainer.Options
{
    OutputColumnName = "Features",
    InputColumnName = "Text",
    Encoder = TextEncoders.Transformer(dimension: 64, maximumTokens: 32),
    NumberOfEpochs = small ? 2 : 15,
    MinimumNumberOfSteps = 0,
    LearningRate = 2e-3,
    Progress = losses,
}).Fit(data);

// Use: the embedding is one vector a text.
var embedded = mlContext.Data.CreateEnumerable<Embedded>(encoder.Transform(data), reuseRowObject: false).First();
Console.WriteLine($"loss of a word told again: {losses.First:0.0} in the first epoch, {losses.Last:0.0} in the last; {embedded.Features.Length} numbers a text");

// Expected output:
// loss of a word told again: 2.8 in the first epoch, 0.0 in the last; 64 numbers a text

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
