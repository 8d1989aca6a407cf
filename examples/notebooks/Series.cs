#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// %% [markdown]
// # Time series: a report on heartbeats
//
// ECG5000 has heartbeats of one patient, 140 values each, in five kinds of which two are frequent. Its training part, 500 beats, is in the folder of data sets that the environment variable
// `SSL_DATA` names, as `timeseries/ECG5000/ECG5000_TRAIN.tsv.gz` (label, values).
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
// %%
var folder = Environment.GetEnvironmentVariable("SSL_DATA") ?? throw new InvalidOperationException("Set SSL_DATA to the folder that holds timeseries/ECG5000/.");
var file = Path.Combine(Path.GetTempPath(), "ECG5000.tsv");
using (var packed = new GZipStream(File.OpenRead(Path.Combine(folder, "timeseries", "ECG5000", "ECG5000_TRAIN.tsv.gz")), CompressionMode.Decompress))
using (var target = File.Create(file))
    packed.CopyTo(target);
var data = mlContext.Data.Cache(mlContext.Data.LoadFromTextFile(file, [new("Kind", DataKind.String, 0), new("Beat", DataKind.Single, 1, 140)]));
Console.WriteLine(string.Join(", ", data.GetColumn<string>("Kind").CountBy(kind => kind).OrderBy(kind => kind.Key).Select(kind => $"kind {kind.Key}: {kind.Value}")));
// %% [markdown]
// ## Learning without labels
//
// Overlapping stretches of a series agree at every timestamp and on every scale (TS2Vec).
// %%
var training = new LiveTraining();
var trainer = ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
{
    InputColumnName = "Beat", Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 64, hiddenDimension: 32, depth: 6), BatchSize = 16, NumberOfEpochs = 10,
    Progress = training, CancellationToken = training.CancellationToken,
});
// %%
var encoder = training.Fit(trainer, data);
// %% [markdown]
// ## The report
//
// One page with all that can be said of an encoder. `report.Save(path)` writes it as a file to pass on.
// %%
Console.WriteLine(ssl.Report(data, encoder, new ReportOptions
{
    LabelColumnName = "Kind", NumberOfMapRows = 200, NumberOfExamples = 5, NumberOfNeighbors = 4,
    LabelEfficiency = new LabelEfficiencyOptions { Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [2, 5, 20], NumberOfDraws = 3 },
}));
