#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// SimClr: two views of an image attract each other, the views of all other images of the batch repel.
//   dotnet run examples/SimClr.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: drawings of four kinds, noisy, of any brightness, anywhere in the image; no labels, the kind is only for the look at the end.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => Drawing.Of(i % 4, random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator. Its views crop, shift and change brightness, but do not mirror: left and right differ here.
EncoderTransformer Pretrain(int epochs) => ssl.Images.SimClr(new SimClrTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 16, channels: 1, numberOfStages: 3, width: 16),
    View = ImageViews.Gray(new ImageShape(1, 16, 16), minimumArea: 0.5, horizontalFlip: 0),
    BatchSize = 64,
    NumberOfEpochs = epochs,
    Temperature = 0.2f,
}).Fit(data);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 10);

// Use: the nearest other image should be of the same kind.
double SameKind(EncoderTransformer by)
{
    var embedded = by.Transform(data);
    using var nearest = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Kind", numberOfNeighbors: 6).Fit(embedded);
    var found = mlContext.Data.CreateEnumerable<Found>(nearest.Transform(embedded), reuseRowObject: false);
    return found.Zip(rows).Average(pair => pair.First.Neighbors.Skip(1).Average(name => name == pair.Second.Kind ? 1.0 : 0.0));   // the first is the image itself
}
Console.WriteLine($"neighbors of the same kind: untrained {SameKind(untrained):0.00}, pretrained {SameKind(encoder):0.00}");

// Expected output:
// neighbors of the same kind: untrained 0.84, pretrained 1.00

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
            var inside = y is >= 0 and < 9 && x is >= 0 and < 9;
            var drawn = inside && kind switch
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

internal sealed class Found
{
    public string[] Neighbors { get; set; } = [];
}
