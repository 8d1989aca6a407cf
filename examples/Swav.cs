#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Swav: a view tells to which of some prototypes another view was assigned, evenly over the batch; small crops count, too.
//   dotnet run examples/Swav.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: noisy drawings of four kinds, of any brightness, anywhere in the image; 24 of them have a label.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => Drawing.Of(i % 4, random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: two large and two small crops of each image; small ones cost little and must tell what the large ones show.
var shape = new ImageShape(1, 16, 16);
var crops = new MultiCrop(ImageViews.Gray(shape, minimumArea: 0.5, horizontalFlip: 0), globals: 2,
    local: new RandomResizedCrop(10, 10, minimumArea: 0.2, maximumArea: 0.5, horizontalFlip: 0), locals: 2);
EncoderTransformer Pretrain(int epochs) => ssl.Images.Swav(new SwavTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 16, channels: 1, numberOfStages: 3, width: 16),
    Crops = crops,
    NumberOfPrototypes = 32,
    ProjectionDimension = 64,
    BatchSize = 64,
    NumberOfEpochs = epochs,
}).Fit(data);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 10);

// Use: a stock trainer on the frozen embedding, with 24 labels.
double Accuracy(EncoderTransformer by)
{
    var model = mlContext.Transforms.Conversion.MapValueToKey("Label", "Kind")
        .Append(ssl.Embed(by))
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy()).Fit(mlContext.Data.TakeRows(data, 24));
    return mlContext.MulticlassClassification.Evaluate(model.Transform(mlContext.Data.SkipRows(data, 24))).MicroAccuracy;
}
Console.WriteLine($"accuracy with 24 labels: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 24 labels: untrained 0.43, pretrained 0.66

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
