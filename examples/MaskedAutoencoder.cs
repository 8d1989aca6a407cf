#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedAutoencoder: three quarters of an image's patches are hidden, and a small vision transformer learns to rebuild them.
//   dotnet run examples/MaskedAutoencoder.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: stripes of any direction, width and phase; no labels.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(_ => Stripes.Of(random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: the error of the hidden patches falls; 1 would be to say that every patch is even.
var losses = new SortedDictionary<int, double>();
using var encoder = ssl.Images.MaskedAutoencoder(new MaskedAutoencoderTrainer.Options
{
    Encoder = ImageEncoders.VisionTransformer(imageSize: 16, patchSize: 4, channels: 1, numberOfLayers: 2, dimension: 64, numberOfHeads: 4),
    View = new RandomResizedCrop(16, 16, minimumArea: 0.8),
    MaskRatio = 0.5f,
    BatchSize = 64,
    NumberOfEpochs = small ? 2 : 15,
    LearningRate = 2e-3,
    Progress = new Epochs(report => { if (report.EpochCompleted) losses[report.Epoch] = report.Loss; }),
}).Fit(data);
Console.WriteLine($"error of the hidden patches: epoch 1 {losses.First().Value:0.00}, epoch {losses.Count} {losses.Last().Value:0.00}");

// Use: the encoder is an ordinary transformer. Masked autoencoders are best fine-tuned: ssl.FineTune.MulticlassClassification(encoder, "Label").
var features = encoder.Transform(data).GetColumn<float[]>("Features").First();
Console.WriteLine($"an embedding has {features.Length} numbers");

// Expected output:
// error of the hidden patches: epoch 1 1.14, epoch 15 0.32
// an embedding has 64 numbers

internal sealed class Stripes
{
    [VectorType(1, 16, 16)]
    public byte[] Image { get; set; } = [];

    public static Stripes Of(Random random)
    {
        var (angle, frequency, phase) = (random.NextDouble() * Math.PI, 0.5 + random.NextDouble(), random.NextDouble() * 6);
        var image = new byte[256];
        for (var p = 0; p < image.Length; p++)
        {
            var along = p / 16 * Math.Cos(angle) + p % 16 * Math.Sin(angle);
            image[p] = (byte)(127 + 100 * Math.Sin(frequency * along + phase) + random.Next(-20, 20));
        }
        return new Stripes { Image = image };
    }
}

internal sealed class Epochs(Action<PretrainingProgress> keep) : IProgress<PretrainingProgress>
{
    public void Report(PretrainingProgress value) => keep(value);
}
