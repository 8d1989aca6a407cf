#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Jigsaw: nine tiles of an image were shuffled by one of some known orders. By which?
//   dotnet run examples/Jigsaw.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: small scenes: sky that gets darker downwards, a tree of any width somewhere, dark ground; no labels.
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 128 : 1_000).Select(_ => Scene.Of(random)).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: tiles are cut with gaps and shifts and change their colors on their own. A step encodes nine tiles an image.
var told = new SortedDictionary<int, double>();
using var encoder = ssl.Images.Jigsaw(new JigsawTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 24, channels: 1, numberOfStages: 3, width: 16),
    BatchSize = 64,
    NumberOfPermutations = 16,
    NumberOfEpochs = small ? 2 : 12,
    Progress = new Epochs(report => told[report.Epoch] = report.Terms["accuracy"]),
}).Fit(data);
Console.WriteLine($"order told right, 0.06 by chance: epoch 1 {told[1]:0.00}, epoch {told.Count} {told[told.Count]:0.00}");

// Use: the encoder is an ordinary transformer.
Console.WriteLine($"an embedding has {encoder.Transform(data).GetColumn<float[]>("Features").First().Length} numbers");

// Expected output:
// order told right, 0.06 by chance: epoch 1 0.46, epoch 12 1.00
// an embedding has 64 numbers

internal sealed class Scene
{
    [VectorType(1, 24, 24)]
    public byte[] Image { get; set; } = [];

    public static Scene Of(Random random)
    {
        var (trunk, width, horizon, light) = (random.Next(7, 17), random.Next(4, 7), random.Next(14, 19), random.Next(150, 220));
        var image = new byte[576];
        for (var p = 0; p < image.Length; p++)
        {
            var (y, x) = (p / 24, p % 24);
            var value = y < horizon ? light - 2 * y : 60;
            if (Math.Abs(x - trunk) <= (y < horizon - 6 ? width : 1) && y < horizon + 2 && y > 2)
                value = y < horizon - 6 ? 100 : 20;
            image[p] = (byte)(value + random.Next(-20, 20));
        }
        return new Scene { Image = image };
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
