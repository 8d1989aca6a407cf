#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// PatchPairs: do two patches come from the same image?
//   dotnet run examples/PatchPairs.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: stripes of any direction and width; no labels.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(_ => Texture.Of(random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: the other patch of half of the pairs is cut from another image of the batch.
var told = new SortedDictionary<int, double>();
using var encoder = ssl.Images.PatchPairs(new PatchPairsTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 24, channels: 1, numberOfStages: 3, width: 16),
    BatchSize = 64,
    NumberOfEpochs = small ? 2 : 12,
    Progress = new Epochs(report => told[report.Epoch] = report.Terms["accuracy"]),
}).Fit(data);
Console.WriteLine($"pairs told right, 0.50 by chance: epoch 1 {told[1]:0.00}, epoch {told.Count} {told[told.Count]:0.00}");

// Use: the encoder is an ordinary transformer.
Console.WriteLine($"an embedding has {encoder.Transform(data).GetColumn<float[]>("Features").First().Length} numbers");

// Expected output:
// pairs told right, 0.50 by chance: epoch 1 0.69, epoch 12 0.98
// an embedding has 64 numbers

internal sealed class Texture
{
    [VectorType(1, 24, 24)]
    public byte[] Image { get; set; } = [];

    public static Texture Of(Random random)
    {
        var (angle, frequency, phase) = (random.NextDouble() * Math.PI, 1 + random.NextDouble(), random.NextDouble() * 6);
        var image = new byte[576];
        for (var p = 0; p < image.Length; p++)
        {
            var along = p / 24 * Math.Cos(angle) + p % 24 * Math.Sin(angle);
            image[p] = (byte)(127 + 100 * Math.Sin(frequency * along + phase) + random.Next(-20, 20));
        }
        return new Texture { Image = image };
    }
}

internal sealed class Epochs(Action<PretrainingProgress> keep) : IProgress<PretrainingProgress>
{
    public void Report(PretrainingProgress value)
    {
        if (value.EpochCompleted)
            keep(value);
    }
}
