#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// ContrastiveMaskedPatches: contrast of two views and reconstruction of hidden patches in one step, weighted as you like.
//   dotnet run examples/ContrastiveMaskedPatches.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: stripes that rise or fall, of any width; no labels.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(_ => Stripes.Of(random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: one loss from two terms; both are reported beside it.
var terms = new SortedDictionary<int, IReadOnlyDictionary<string, double>>();
using var encoder = ssl.Images.ContrastiveMaskedPatches(new ContrastiveMaskedPatchesTrainer.Options
{
    Encoder = ImageEncoders.VisionTransformer(imageSize: 16, patchSize: 4, channels: 1, numberOfLayers: 2, dimension: 64, numberOfHeads: 4),
    View = new RandomResizedCrop(16, 16, minimumArea: 0.5, horizontalFlip: 0),
    MaskRatio = 0.5f,
    ContrastiveWeight = 0.5f,
    MaskedWeight = 1,
    BatchSize = 64,
    NumberOfEpochs = small ? 2 : 15,
    Progress = new Epochs(report => terms[report.Epoch] = report.Terms),
}).Fit(data);
foreach (var (name, first) in terms[1])
    Console.WriteLine($"{name}: epoch 1 {first:0.00}, epoch {terms.Count} {terms[terms.Count][name]:0.00}");

// Use: the encoder is an ordinary transformer.
Console.WriteLine($"an embedding has {encoder.Transform(data).GetColumn<float[]>("Features").First().Length} numbers");

// Expected output:
// contrastive: epoch 1 3.13, epoch 15 2.13
// masked: epoch 1 1.12, epoch 15 0.64
// an embedding has 64 numbers

internal sealed class Stripes
{
    // Half of them rise to the right.
    public string Direction { get; set; } = "";

    [VectorType(1, 16, 16)]
    public byte[] Image { get; set; } = [];

    public static Stripes Of(Random random)
    {
        var (slope, frequency, phase) = (random.NextDouble() * 2 - 1, 0.5 + random.NextDouble(), random.NextDouble() * 6);
        var image = new byte[256];
        for (var p = 0; p < image.Length; p++)
            image[p] = (byte)(127 + 100 * Math.Sin(frequency * (p / 16 + slope * (p % 16)) + phase) + random.Next(-20, 20));
        return new Stripes { Direction = slope < 0 ? "falls" : "rises", Image = image };
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
