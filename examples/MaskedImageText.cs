#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedImageText: one encoder of images and their texts together learns to tell hidden words, hidden patches, and texts of another image. Here it finds the
// offers of a shop whose text was mixed up.
//   dotnet run examples/MaskedImageText.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

const int Size = 16;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: pictures of colored shapes with what their sellers wrote.
var random = new Random(1);
string[] colors = ["red", "green", "blue", "yellow"], shapes = ["square", "ring", "cross"];
(byte Red, byte Green, byte Blue)[] inks = [(220, 40, 40), (40, 180, 60), (50, 70, 220), (220, 200, 40)];
Offer Draw()
{
    var (color, shape) = (random.Next(colors.Length), random.Next(shapes.Length));
    var (x, y, size) = (random.Next(6, 11), random.Next(6, 11), random.Next(3, 6));
    var image = new byte[3 * Size * Size];
    for (var p = 0; p < Size * Size; p++)
    {
        var (across, down) = (Math.Abs(p % Size - x), Math.Abs(p / Size - y));
        bool inked = Math.Max(across, down) <= size && shape switch { 0 => true, 1 => Math.Max(across, down) >= size - 1, _ => Math.Min(across, down) <= 1 };
        var ink = inked ? inks[color] : ((byte)235, (byte)235, (byte)235);
        (image[p], image[p + Size * Size], image[p + 2 * Size * Size]) = ink;
    }
    return new Offer { Image = image, Text = $"{(random.Next(2) == 0 ? "new" : "hardly used")} {colors[color]} {shapes[shape]}" };
}
Offer[] Rows(int count) => [.. Enumerable.Range(0, count).Select(_ => Draw())];
var offers = mlContext.Data.LoadFromEnumerable(Rows(small ? 64 : 1_000));

// Pretraining: an ordinary estimator. Its "Features" are of image and text together.
using var encoder = ssl.ImageText.MaskedImageText(new MaskedImageTextTrainer.Options
{
    ImageEncoder = ImageEncoders.VisionTransformer(Size, patchSize: 4, channels: 3, numberOfLayers: 2, dimension: 64, numberOfHeads: 4),
    TextEncoder = TextEncoders.Transformer(1, 64, 4, maximumTokens: 16),
    Dimension = 64,
    BatchSize = 64,
    NumberOfEpochs = small ? 1 : 20,
}).Fit(offers);

// Use: of 200 new offers every tenth got the text of another. The encoder tells how likely a text is another image's.
var mixed = Rows(200);
for (var i = 0; i < mixed.Length; i += 10)
    mixed[i].Text = mixed.First(other => other.Text.Split(' ')[^2..] is var kind && !kind.SequenceEqual(mixed[i].Text.Split(' ')[^2..])).Text;
var errors = encoder.ReconstructionErrors(mlContext.Data.LoadFromEnumerable(mixed));
var suspects = Enumerable.Range(0, mixed.Length).OrderByDescending(row => errors[row]).Take(20).ToArray();
Console.WriteLine($"{suspects.Count(row => row % 10 == 0)} of the 20 most suspicious offers have a wrong text");

// Expected output:
// 19 of the 20 most suspicious offers have a wrong text

internal sealed class Offer
{
    [VectorType(3, 16, 16)]
    public byte[] Image { get; set; } = new byte[3 * 16 * 16];
    public string Text { get; set; } = "";
}
