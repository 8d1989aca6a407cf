#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Tsdae: most tokens of a text are deleted; from the embedding of what is left a decoder says the whole text again.
//   dotnet run examples/Tsdae.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: single texts, no labels; the subject is only for the look at the end. Few words of a text say it.
(string Subject, string[] Words)[] subjects =
[
    ("sea", ["wave", "harbour", "sail", "tide", "anchor", "gull", "island", "storm"]),
    ("kitchen", ["oven", "flour", "pan", "recipe", "butter", "taste", "spoon", "dough"]),
    ("garden", ["soil", "rose", "seed", "spade", "hedge", "bloom", "lawn", "prune"]),
    ("music", ["violin", "rhythm", "chord", "stage", "melody", "tune", "drum", "choir"]),
];
string[] filler = ["the", "a", "near", "with", "old", "new", "and", "of"];
var random = new Random(1);
string Say(string[] words) => string.Join(' ', Enumerable.Range(0, 12).Select(i => i % 4 == 0 ? words[random.Next(words.Length)] : filler[random.Next(filler.Length)]));
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => subjects[i % subjects.Length]).Select(s => new Row { Subject = s.Subject, Text = Say(s.Words) }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Text.Tsdae("Features", "Text", TextEncoders.Transformer(dimension: 64, maximumTokens: 16), batchSize: 64,
    numberOfEpochs: epochs).Fit(data);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 15);

// Use: the nearest other text should be about the same subject.
double SameSubject(EncoderTransformer by)
{
    var embedded = by.Transform(data);
    using var nearest = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Subject", numberOfNeighbors: 6).Fit(embedded);
    var found = mlContext.Data.CreateEnumerable<Found>(nearest.Transform(embedded), reuseRowObject: false);
    return found.Zip(rows).Average(pair => pair.First.Neighbors.Skip(1).Average(name => name == pair.Second.Subject ? 1.0 : 0.0));   // the first is the text itself
}
Console.WriteLine($"neighbors of the same subject: untrained {SameSubject(untrained):0.00}, pretrained {SameSubject(encoder):0.00}");

// Expected output:
// neighbors of the same subject: untrained 0.82, pretrained 1.00

internal sealed class Row
{
    public string Subject { get; set; } = "";
    public string Text { get; set; } = "";
}

internal sealed class Found
{
    public string[] Neighbors { get; set; } = [];
}
