#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedPatches: stretches of a series are hidden, a transformer rebuilds them from the others.
//   dotnet run examples/MaskedPatches.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: the load of a pump, of differing strength. Its rhythm tells at which of six speeds it runs; it is noisy, and nobody has written down
// the speed of most recordings.
var random = new Random(1);
float Noise() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));
Recording Draw(int speed)
{
    var (phase, strength) = (random.NextSingle() * MathF.Tau, 0.7f + 0.6f * random.NextSingle());
    var load = Enumerable.Range(0, 64).Select(t => strength * MathF.Sin((0.5f + 0.15f * speed) * t + phase) + 0.5f * Noise()).ToArray();
    return new Recording { Load = load, Speed = $"speed {speed + 1}" };
}
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % 6))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 30 : 400));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(18));
var test = mlContext.Data.LoadFromEnumerable(Rows(300));

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.TimeSeries.MaskedPatches(new MaskedPatchesTrainer.Options
{
    InputColumnName = "Load",
    Encoder = TimeSeriesEncoders.PatchTransformer(patchLength: 8, numberOfLayers: 2, dimension: 64, numberOfHeads: 4,
        instanceNormalization: true),
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 100);

// Use: a stock trainer on the frozen embedding learns from three recordings a speed, and tells the speeds of the others.
double Accuracy(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Speed"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)).Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 3 labels a speed: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 3 labels a speed: untrained 0.57, pretrained 0.73

internal sealed class Recording
{
    public float[] Load { get; set; } = [];
    public string Speed { get; set; } = "";
}
