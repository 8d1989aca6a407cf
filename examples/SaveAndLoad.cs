#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// SaveAndLoad: a chain with an encoder in it is saved and loaded like any ML.NET model; an encoder alone has a file of its own.
//   dotnet run examples/SaveAndLoad.cs [-- --small]
using Microsoft.ML;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: complaints and praise; few of them carry a label.
string[] good = ["lovely", "perfect", "great", "kind"], bad = ["awful", "broken", "rude", "slow"], about = ["room", "staff", "food", "view"];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
var rows = Enumerable.Range(0, small ? 64 : 1_000).Select(i => (Good: i % 2 == 0, Words: i % 2 == 0 ? good : bad))
    .Select(r => new Row { Label = r.Good ? "praise" : "complaint", Text = $"{Pick(r.Words)} {Pick(about)}", More = $"the {Pick(about)} was {Pick(r.Words)}" }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining, then a stock trainer on the frozen embedding: one ordinary chain.
using var encoder = ssl.Text.PairedContrastive("Features", "Text", "More", batchSize: 32, numberOfEpochs: small ? 1 : 5).Fit(data);
var model = mlContext.Transforms.Conversion.MapValueToKey("Key", "Label")
    .Append(ssl.Embed(encoder))
    .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key", "Features"))
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
    .Fit(mlContext.Data.TakeRows(data, 20));

// Use: the chain as a model file, and the encoder alone.
var folder = Directory.CreateTempSubdirectory("ssl-example-").FullName;
var zip = Path.Combine(folder, "model.zip");
mlContext.Model.Save(model, data.Schema, zip);
var loaded = mlContext.Model.Load(zip, out _);
ssl.SaveEncoder(encoder, Path.Combine(folder, "encoder.ssl"));
using var again = ssl.LoadEncoder(Path.Combine(folder, "encoder.ssl"));

string Label(ITransformer by) => mlContext.Model.CreatePredictionEngine<Row, Prediction>(by).Predict(new Row { Text = "broken food" }).PredictedLabel;
Console.WriteLine($"fitted: {Label(model)}, loaded: {Label(loaded)}; the encoder alone gives {again.EmbeddingDimension} numbers");
Directory.Delete(folder, recursive: true);

// Expected output:
// fitted: complaint, loaded: complaint; the encoder alone gives 128 numbers

internal sealed class Row
{
    public string Label { get; set; } = "";
    public string Text { get; set; } = "";
    public string More { get; set; } = "";
}

internal sealed class Prediction
{
    public string PredictedLabel { get; set; } = "";
}
