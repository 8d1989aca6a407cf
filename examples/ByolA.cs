#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// ByolA: from one change of a sound (another mixed in, other pitch and speed) the encoder predicts how a slowly following copy of it hears another.
//   dotnet run examples/ByolA.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

const int SampleRate = 4_000;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: calls of four birds, of differing lengths and pitches, in the noise of a wood. Which bird it is lies in how the pitch moves. Most recordings
// nobody has listened to.
var random = new Random(1);
string[] birds = ["rising", "falling", "trilling", "two tones"];
Recording Draw(int bird)
{
    var (length, lowest, phase) = (random.Next(1_600, 3_200), 400 + 400 * random.NextDouble(), 0.0);
    var sound = new short[length];
    for (var i = 0; i < length; i++)
    {
        var at = (double)i / length;
        var pitch = lowest * (bird switch { 0 => 1 + at, 1 => 2 - at, 2 => 1.5 + 0.4 * Math.Sin(60 * at), _ => at < 0.5 ? 1.2 : 1.8 });
        phase += Math.Tau * pitch / SampleRate;
        sound[i] = (short)(6_000 * Math.Sin(phase) + 6_000 * (random.NextDouble() - 0.5));
    }
    return new Recording { Sound = sound, Bird = birds[bird] };
}
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % birds.Length))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 32 : 400));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(12));
var test = mlContext.Data.LoadFromEnumerable(Rows(small ? 40 : 200));

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Audio.ByolA(new ByolATrainer.Options
{
    InputColumnName = "Sound",
    Spectrogram = new LogMelSpectrogram(SampleRate, numberOfBands: 32),
    Encoder = TimeSeriesEncoders.SpectrogramConvolution(embeddingDimension: 128, width: 16),
    BatchSize = 32,
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 20);

// Use: a stock trainer on the frozen embedding learns from three recordings a bird, and hears the birds of the others.
double Accuracy(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Bird"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)).Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 3 labels a bird: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 3 labels a bird: untrained 0.40, pretrained 0.51

internal sealed class Recording
{
    public short[] Sound { get; set; } = [];
    public string Bird { get; set; } = "";
}
