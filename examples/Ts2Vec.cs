#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Ts2Vec: overlapping stretches of a series agree at every timestamp and on every scale.
//   dotnet run examples/Ts2Vec.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: a few seconds of a machine's sound, of differing lengths. Its tone tells in which of six gears it runs, under noise as loud as the tone.
// Most recordings nobody has listened to.
var random = new Random(1);
float Noise() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));
Recording Draw(int gear)
{
    var (length, phase, loudness) = (random.Next(64, 97), random.NextSingle() * MathF.Tau, 0.7f + 0.6f * random.NextSingle());
    var sound = Enumerable.Range(0, length).Select(t => loudness * MathF.Sin((0.5f + 0.15f * gear) * t + phase) + Noise()).ToArray();
    return new Recording { Sound = sound, Gear = $"gear {gear + 1}" };
}
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % 6))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 30 : 300));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(18));
var test = mlContext.Data.LoadFromEnumerable(Rows(300));

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
{
    InputColumnName = "Sound",
    Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 64, hiddenDimension: 32, depth: 6),
    BatchSize = 16,
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 15);

// Use: a stock trainer on the frozen embedding learns from three recordings a gear, and hears the gears of the others.
double Accuracy(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Gear"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)).Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 3 labels a gear: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 3 labels a gear: untrained 0.30, pretrained 0.81

internal sealed class Recording
{
    public float[] Sound { get; set; } = [];
    public string Gear { get; set; } = "";
}
