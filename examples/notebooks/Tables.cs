#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// %% [markdown]
// # Tables: where a gene is cut
//
// The table Splice has 3,188 stretches of DNA of 60 letters. In the middle of one is the end of a part that is cut out, the beginning of one, or neither: three classes. It is in the folder of data sets
// that the environment variable `SSL_DATA` names, as `tabular/splice/data.csv.gz` (60 columns of letters, coded as numbers, and the label).
// %%
using System.IO;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.MLNet.Interactive;

var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
// %% [markdown]
// ## The rows
//
// ML.NET's text loader reads files as they are, so the packed one is unpacked first. The letters are categories, hence texts; sixty columns in a row make one vector.
// %%
var folder = Environment.GetEnvironmentVariable("SSL_DATA") ?? throw new InvalidOperationException("Set SSL_DATA to the folder that holds tabular/splice/.");
var file = Path.Combine(Path.GetTempPath(), "splice.csv");
using (var packed = new GZipStream(File.OpenRead(Path.Combine(folder, "tabular", "splice", "data.csv.gz")), CompressionMode.Decompress))
using (var target = File.Create(file))
    packed.CopyTo(target);
var rows = mlContext.Data.Cache(mlContext.Data.LoadFromTextFile(file, [new("Letters", DataKind.String, 0, 59), new("Class", DataKind.String, 60)], separatorChar: ',', hasHeader: true));
var data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(rows).Transform(rows);
Console.WriteLine(string.Join(", ", rows.GetColumn<string>("Class").CountBy(name => name).OrderBy(row => row.Key).Select(row => $"class {row.Key}: {row.Value}")));
// %% [markdown]
// ## Learning without labels
//
// Letters are hidden and found again, and two views of a stretch attract each other.
// %%
var training = new LiveTraining();
var trainer = ssl.Tabular.ContrastiveMaskedCells(new ContrastiveMaskedCellsTrainer.Options
{
    InputColumnNames = ["Letters"], BatchSize = 256, Temperature = 1, NumberOfEpochs = 40, ValidationFraction = 0.1,
    Progress = training, CancellationToken = training.CancellationToken,
});
// %%
var encoder = training.Fit(trainer, data);
// %% [markdown]
// ## Does it pay?
//
// The better of a linear model and boosted trees on the plain columns, chosen by cross-validation, against a linear model on the row's cells and their embedding.
// %%
Console.WriteLine(ssl.LabelEfficiency(data, encoder, new LabelEfficiencyOptions
{
    Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [3, 10, 100], NumberOfDraws = 3, Seed = 1,
}));
// %% [markdown]
// ## Stretches that are alike
// %%
Console.WriteLine(ssl.NeighborTable(data, encoder, labelColumnName: "Label", numberOfExamples: 3, numberOfNeighbors: 3));
// %%
Console.WriteLine(ssl.EmbeddingMap(data, encoder, labelColumnName: "Label", displayColumnName: "Class", numberOfRows: 500));
// %% [markdown]
// ## In figures
// %%
Console.WriteLine(ssl.EvaluateRepresentation(encoder.Transform(data), "Label"));
