#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// %% [markdown]
// # Few labels: topics of news
//
// Many texts, labels for a handful: what does it buy to learn from the unlabeled ones first? AG News has headlines with the first sentences of the news below them, and
// four topics. The folder of data sets is named by the environment variable `SSL_DATA`; the file here is `ag-news/train.tsv.gz` (label, title, text; 6,000 rows).
// %%
using System.IO;
using System.IO.Compression;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.MLNet.Interactive;

var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
// %%
var folder = Environment.GetEnvironmentVariable("SSL_DATA") ?? throw new InvalidOperationException("Set SSL_DATA to the folder that holds ag-news/.");
string[] topics = File.ReadAllLines(Path.Combine(folder, "ag-news", "classes.txt"));

IEnumerable<string[]> Read(string name)
{
    using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "ag-news", name)), CompressionMode.Decompress));
    reader.ReadLine();
    while (reader.ReadLine() is { } line)
        yield return line.Split('\t');
}

var news = Read("train.tsv.gz").Select(cells => new { Topic = topics[int.Parse(cells[0])], Title = cells[1], Text = cells[2] }).ToArray();
var rows = mlContext.Data.LoadFromEnumerable(news);
var data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Topic").Fit(rows).Transform(rows);
Console.WriteLine(string.Join(", ", news.CountBy(row => row.Topic).Select(topic => $"{topic.Key}: {topic.Value:N0}")));
// %% [markdown]
// ## Learning without labels
//
// A headline and the text below it belong together. The loss on rows kept aside says when more epochs no longer help; the weights of its best epoch are kept.
// %%
var training = new LiveTraining();
var trainer = ssl.Text.PairedContrastive(new PairedContrastiveTrainer.Options
{
    InputColumnName = "Text", PairColumnName = "Title", Encoder = TextEncoders.Bag(embeddingDimension: 128), BatchSize = 128, NumberOfEpochs = 20, ValidationFraction = 0.1,
    Progress = training, CancellationToken = training.CancellationToken,
});
// %%
var encoder = training.Fit(trainer, data);
// %% [markdown]
// What it was trained with, and how that went, is in the encoder:
// %%
Console.WriteLine(encoder);
// %% [markdown]
// ## Does it pay?
//
// The best that the same labels give without pretraining (a linear model on the words of the texts, weighted by TF-IDF and tuned by cross-validation) against a linear model on
// the frozen embedding. Each is tested on a fifth of the rows, which is kept out of what labels are drawn from.
// %%
Console.WriteLine(ssl.LabelEfficiency(data, encoder, new LabelEfficiencyOptions
{
    Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [2, 5, 20, 100], NumberOfDraws = 3, Seed = 1,
}));
// %% [markdown]
// ## A model for use
//
// With five labels a topic: what was tried, how it did on labels that it had not seen, and how much it counts.
// %%
var labeled = mlContext.Data.LoadFromEnumerable(news.GroupBy(row => row.Topic).SelectMany(topic => topic.Take(5)).ToArray());
var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Topic").Fit(rows);
var model = ssl.FewLabels.MulticlassClassification("Label").Fit(encoder.Transform(keys.Transform(labeled)));
Console.WriteLine(model);
// %%
var test = mlContext.Data.LoadFromEnumerable(Read("test.tsv.gz").Select(cells => new { Topic = topics[int.Parse(cells[0])], Title = cells[1], Text = cells[2] }).ToArray());
var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(encoder.Transform(keys.Transform(test))));
Console.WriteLine($"accuracy on {test.Preview(maxRows: 2_000).RowView.Length:N0} further news with 20 labels: {metrics.MicroAccuracy:0.000}");
// %% [markdown]
// ## Headlines next to each other
// %%
Console.WriteLine(ssl.NeighborTable(data, encoder, labelColumnName: "Label", displayColumnName: "Title", numberOfExamples: 3, numberOfNeighbors: 3));
