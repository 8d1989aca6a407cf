#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// VicReg: three plain terms: views agree, every number varies, no two numbers vary together. Each is reported.
//   dotnet run examples/VicReg.cs [-- --small]
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

// Pretraining: the weights of the three terms are options; their values come with the progress of every epoch.
var terms = new SortedDictionary<int, IReadOnlyDictionary<string, double>>();
using var encoder = ssl.Images.VicReg(new VicRegTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 16, channels: 1, numberOfStages: 3, width: 16),
    View = ImageViews.Gray(new ImageShape(1, 16, 16), minimumArea: 0.5, horizontalFlip: 0),
    BatchSize = 128,
    ProjectionDimension = 128,
    InvarianceWeight = 25,
    VarianceWeight = 25,
    CovarianceWeight = 1,
    NumberOfEpochs = small ? 2 : 10,
    Progress = new Epochs(report => terms[report.Epoch] = report.Terms),
}).Fit(data);
foreach (var (name, first) in terms[1])
    Console.WriteLine($"{name}: epoch 1 {first:0.00}, epoch {terms.Count} {terms[terms.Count][name]:0.00}");

// Use: the encoder is an ordinary transformer.
Console.WriteLine($"an embedding has {encoder.Transform(data).GetColumn<float[]>("Features").First().Length} numbers");

// Expected output:
// invariance: epoch 1 0.40, epoch 10 0.09
// variance: epoch 1 0.52, epoch 10 0.49
// covariance: epoch 1 1.05, epoch 10 2.09
// an embedding has 64 numbers

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
