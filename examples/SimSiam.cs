#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// SimSiam: no negatives and no second network; a predictor and a stopped gradient keep the embeddings apart.
//   dotnet run examples/SimSiam.cs [-- --small]
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

// Pretraining: what to watch is the spread of the embeddings. About 1 is even, near 0 all images would be the same to the encoder.
var spreads = new SortedDictionary<int, double>();
using var encoder = ssl.Images.SimSiam(new SimSiamTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 16, channels: 1, numberOfStages: 3, width: 16),
    View = ImageViews.Gray(new ImageShape(1, 16, 16), minimumArea: 0.5, horizontalFlip: 0),
    BatchSize = 64,
    ProjectionDimension = 128,
    NumberOfEpochs = small ? 2 : 10,
    Progress = new Epochs(report => spreads[report.Epoch] = report.EmbeddingSpread ?? 0),
}).Fit(data);
Console.WriteLine($"spread of the embeddings: epoch 1 {spreads[1]:0.00}, epoch {spreads.Count} {spreads[spreads.Count]:0.00}");

// Use: the same number for any encoder and any data, and more that needs no labels.
var health = ssl.EvaluateRepresentation(encoder.Transform(data));
Console.WriteLine($"effective rank {health.EffectiveRank:0} of {encoder.Transform(data).GetColumn<float[]>("Features").First().Length}");

// Expected output:
// spread of the embeddings: epoch 1 0.96, epoch 10 1.00
// effective rank 25 of 64

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
