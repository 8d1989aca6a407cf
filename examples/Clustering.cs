#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Clustering: ML.NET's own KMeans on the embedding, and how well its clusters agree with labels that nobody gave it.
//   dotnet run examples/Clustering.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: titles and descriptions of tools of four trades; the trade is only used to judge.
(string Trade, string[] Called, string[] For)[] trades =
[
    ("carpenter", ["saw", "plane", "chisel"], ["cut", "wood", "boards"]),
    ("painter", ["brush", "roller", "sprayer"], ["paint", "walls", "doors"]),
    ("gardener", ["spade", "rake", "hoe"], ["dig", "earth", "beds"]),
    ("cook", ["pan", "whisk", "knife"], ["fry", "eggs", "onions"]),
];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, small ? 160 : 2_000).Select(i => trades[i % trades.Length])
    .Select(t => new Row { Trade = t.Trade, Title = $"{Pick(t.Called)} {Pick(["small", "large", "steel"])}",
        Description = $"to {Pick(t.For)} {Pick(t.For)}" }).ToArray());
var data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Trade").Fit(rows).Transform(rows);

// Pretraining: title and description of a tool belong together. Zero epochs give the same network untrained, to compare with.
foreach (var epochs in new[] { 0, small ? 2 : 10 })
{
    using var encoder = ssl.Text.PairedContrastive("Features", "Title", "Description", TextEncoders.Bag(embeddingDimension: 32),
        batchSize: 64, numberOfEpochs: epochs).Fit(data);

    // Use: the stock trainer and the stock evaluator. Mutual information is 1 when clusters and labels tell the same, 0 when nothing.
    var model = ssl.Embed(encoder).Append(mlContext.Clustering.Trainers.KMeans("Features", numberOfClusters: trades.Length)).Fit(data);
    var metrics = mlContext.Clustering.Evaluate(model.Transform(data), labelColumnName: "Label");
    Console.WriteLine($"{(epochs == 0 ? "untrained" : "pretrained")}: normalized mutual information {metrics.NormalizedMutualInformation:0.00}");
}

// Expected output:
// untrained: normalized mutual information 0.03
// pretrained: normalized mutual information 1.00

internal sealed class Row
{
    public string Trade { get; set; } = "";
    public string Title { get; set; } = "";
    public string Description { get; set; } = "";
}
