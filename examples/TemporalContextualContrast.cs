#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// TemporalContextualContrast (TS-TCC): the past of a lightly changed copy of a series predicts the future of a strongly changed one.
//   dotnet run examples/TemporalContextualContrast.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: two seconds of a wrist's movement along two axes. What the hand does shows in the rhythm and in how the axes go together; when it
// starts and how strongly it moves differ from time to time.
var random = new Random(1);
float Noise() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));
Movement Draw(int kind)
{
    var (phase, strength) = (random.NextSingle() * MathF.Tau, 0.7f + 0.6f * random.NextSingle());
    var (rate, shift) = (0.3f + 0.2f * (kind % 3), kind < 3 ? 0 : MathF.PI / 2);
    float[] first = [.. Enumerable.Range(0, 80).Select(t => strength * MathF.Sin(rate * t + phase) + Noise())];
    float[] second = [.. Enumerable.Range(0, 80).Select(t => strength * MathF.Sin(rate * t + phase + shift) + Noise())];
    return new Movement { Axes = [.. first, .. second], Activity = $"activity {kind + 1}" };
}
Movement[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % 6))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 30 : 400));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(18));
var test = mlContext.Data.LoadFromEnumerable(Rows(300));

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.TimeSeries.TemporalContextualContrast(new TemporalContextualContrastTrainer.Options
{
    InputColumnName = "Axes",
    NumberOfChannels = 2,
    Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 64, hiddenDimension: 32, depth: 5),
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 20);

// Use: a stock trainer on the frozen embedding learns from three movements an activity, and tells the others.
double Accuracy(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Activity"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)).Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 3 labels an activity: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 3 labels an activity: untrained 0.29, pretrained 0.68

internal sealed class Movement
{
    public float[] Axes { get; set; } = [];
    public string Activity { get; set; } = "";
}
