#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// LeJepa: views of an image meet in their mean, and the embeddings stay normally distributed. Both terms are reported.
//   dotnet run examples/LeJepa.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: noisy drawings of four kinds, of any brightness, anywhere in the image; no labels.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => Drawing.Of(i % 4, random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: one number weighs the two terms; no negatives, no second network.
var terms = new SortedDictionary<int, IReadOnlyDictionary<string, double>>();
using var encoder = ssl.Images.LeJepa(new LeJepaTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 16, channels: 1, numberOfStages: 3, width: 16),
    View = ImageViews.Gray(new ImageShape(1, 16, 16), minimumArea: 0.5, horizontalFlip: 0),
    BatchSize = 128,
    ProjectionDimension = 16,
    RegularizationWeight = 0.05,
    NumberOfEpochs = small ? 2 : 10,
    Progress = new Epochs(report => terms[report.Epoch] = report.Terms),
}).Fit(data);
foreach (var (name, first) in terms[1])
    Console.WriteLine($"{name}: epoch 1 {first:0.00}, epoch {terms.Count} {terms[terms.Count][name]:0.00}");

// Use: the encoder is an ordinary transformer. Are the nearest neighbors of a drawing of its kind?
var keyed = mlContext.Transforms.Conversion.MapValueToKey("Kind").Fit(data).Transform(data);
var metrics = ssl.EvaluateRepresentation(encoder.Transform(keyed), labelColumnName: "Kind");
Console.WriteLine($"nearest neighbors of the same kind: {metrics.NearestNeighborAccuracy:0.00}");

// Expected output:
// prediction: epoch 1 0.40, epoch 10 0.15
// regularization: epoch 1 6.05, epoch 10 1.58
// nearest neighbors of the same kind: 1.00

internal sealed class Drawing
{
    private static readonly string[] Kinds = ["cross", "ring", "bars", "corner"];

    public string Kind { get; set; } = "";

    [VectorType(1, 16, 16)]
    public byte[] Image { get; set; } = [];

    public static Drawing Of(int kind, Random random)
    {
        var (image, top, left, ink) = (new byte[256], random.Next(8), random.Next(8), random.Next(90, 200));
        for (var p = 0; p < image.Length; p++)
        {
            var (y, x) = (p / 16 - top, p % 16 - left);
            var drawn = y is >= 0 and < 9 && x is >= 0 and < 9 && kind switch
            {
                0 => x == 4 || y == 4,
                1 => Math.Abs(Math.Sqrt((x - 4) * (x - 4) + (y - 4) * (y - 4)) - 3.5) < 0.7,
                2 => x % 4 == 0,
                _ => x == 0 || y == 8,
            };
            image[p] = (byte)(random.Next(50) + (drawn ? ink : 0));
        }
        return new Drawing { Kind = Kinds[kind], Image = image };
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
