#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// FineTune: pretraining on many unlabeled texts, then a class learned from few labels, in one chain and from an encoder of its own.
//   dotnet run examples/FineTune.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: titles and descriptions of tools; only a few rows have been labeled with the trade that uses them.
(string Trade, string[] Called, string[] For)[] trades =
[
    ("carpenter", ["saw", "plane", "chisel"], ["cut", "wood", "boards"]),
    ("painter", ["brush", "roller", "sprayer"], ["paint", "walls", "doors"]),
    ("gardener", ["spade", "rake", "hoe"], ["dig", "earth", "beds"]),
];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => trades[i % trades.Length])
    .Select(t => new Row { Trade = t.Trade, Title = $"{Pick(t.Called)} {Pick(["small", "large", "steel"])}",
        Description = $"to {Pick(t.For)} {Pick(t.For)}" })];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 120 : 3_000));
var labeled = mlContext.Data.LoadFromEnumerable(Rows(15));
var test = mlContext.Data.LoadFromEnumerable(Rows(300));

// Pretraining: title and description of a tool belong together; no label is used.
using var encoder = ssl.Text.PairedContrastive("Features", "Title", "Description", TextEncoders.Bag(embeddingDimension: 32),
    batchSize: 64, numberOfEpochs: small ? 1 : 5).Fit(unlabeled);

// Fine-tuning: a copy of the encoder and a head learn the trade from the few labels. The encoder itself stays as it is.
var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", "Trade")
    .Append(ssl.FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
    {
        Encoder = encoder,
        HeadInitialization = HeadInitialization.ClassMeans,     // few labels: start from the means of the classes
        LearningRate = 5e-4,
        NumberOfEpochs = 10,
    }))
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"));
using var model = pipeline.Fit(labeled);

// Use: the output columns are those of ML.NET's own trainers, so its evaluators and mappings work unchanged.
var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(test));
Console.WriteLine($"accuracy from 15 labels: {metrics.MicroAccuracy:0.00}");
foreach (var row in mlContext.Data.CreateEnumerable<Answer>(model.Transform(test), reuseRowObject: false).Take(3))
    Console.WriteLine($"{row.Title}: {row.Predicted}");

// One chain: behind a pretraining stage no encoder need be given; it is found through the column "Features". Saved as any ML.NET model.
var chain = mlContext.Transforms.Conversion.MapValueToKey("Label", "Trade")
    .Append(ssl.Text.PairedContrastive("Features", "Title", "Description", TextEncoders.Bag(embeddingDimension: 32), batchSize: 15,
        numberOfEpochs: 2))
    .Append(ssl.FineTune.MulticlassClassification("Label"));
using var chained = chain.Fit(labeled);
var path = Path.Combine(Path.GetTempPath(), $"fine-tuned-{Guid.NewGuid():N}.zip");
mlContext.Model.Save(chained, labeled.Schema, path);
var loaded = mlContext.Model.Load(path, out _);
File.Delete(path);
Console.WriteLine($"loaded model, accuracy: {mlContext.MulticlassClassification.Evaluate(loaded.Transform(test)).MicroAccuracy:0.00}");

// Expected output:
// accuracy from 15 labels: 1.00
// plane large: carpenter
// sprayer small: painter
// rake large: gardener
// loaded model, accuracy: 0.92

internal sealed class Row
{
    public string Trade { get; set; } = "";
    public string Title { get; set; } = "";
    public string Description { get; set; } = "";
}

internal sealed class Answer
{
    public string Title { get; set; } = "";
    public string Predicted { get; set; } = "";
}
