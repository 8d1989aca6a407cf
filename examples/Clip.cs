#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Clip: from images with their texts two encoders learn one space. Images are then searched with texts, and classified by names of classes alone.
//   dotnet run examples/Clip.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

const int Size = 16;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: pictures of colored shapes as a shop would have them, each with what its seller wrote. No picture has a label.
var random = new Random(1);
string[] colors = ["red", "green", "blue", "yellow"], shapes = ["square", "ring", "cross"];
(byte Red, byte Green, byte Blue)[] inks = [(220, 40, 40), (40, 180, 60), (50, 70, 220), (220, 200, 40)];
string[] sentences = ["a {0} {1}", "{1} in {0}", "new {1}, very {0}", "hardly used {0} {1}"];
Product Draw()
{
    var (color, shape) = (random.Next(colors.Length), random.Next(shapes.Length));
    var (x, y, size) = (random.Next(6, 11), random.Next(6, 11), random.Next(3, 6));
    var image = new byte[3 * Size * Size];
    for (var p = 0; p < Size * Size; p++)
    {
        var (across, down) = (Math.Abs(p % Size - x), Math.Abs(p / Size - y));
        bool inked = Math.Max(across, down) <= size && shape switch { 0 => true, 1 => Math.Max(across, down) >= size - 1, _ => Math.Min(across, down) <= 1 };
        var ink = inked ? inks[color] : ((byte)235, (byte)235, (byte)235);
        (image[p], image[p + Size * Size], image[p + 2 * Size * Size]) = (Dim(ink.Item1), Dim(ink.Item2), Dim(ink.Item3));
    }
    return new Product { Image = image, Text = string.Format(sentences[random.Next(sentences.Length)], colors[color], shapes[shape]), Kind = $"{colors[color]} {shapes[shape]}" };

    byte Dim(byte value) => (byte)Math.Clamp(value + random.Next(-20, 20), 0, 255);
}
Product[] Rows(int count) => [.. Enumerable.Range(0, count).Select(_ => Draw())];
var products = mlContext.Data.LoadFromEnumerable(Rows(small ? 64 : 1_000));
var test = Rows(small ? 40 : 300);

// Pretraining: an ordinary estimator. Its "Features" are those of the image, then those of the text.
using var pair = ssl.ImageText.Clip(new ClipTrainer.Options
{
    ImageEncoder = ImageEncoders.SmallConvNet(Size, numberOfStages: 3, width: 16),
    TextEncoder = TextEncoders.Bag(64, 64, 64),
    ProjectionDimension = 32,
    BatchSize = 64,
    NumberOfEpochs = small ? 1 : 20,
}).Fit(products);

// Use 1: the encoders apart. Images are embedded, and found with words.
using var images = ssl.ImageText.ImageEncoder(pair);
using var texts = ssl.ImageText.TextEncoder(pair);
using var search = ssl.NearestNeighbors(numberOfNeighbors: 5).Fit(images.Transform(mlContext.Data.LoadFromEnumerable(test)));
Product[] questions = [new() { Text = "a blue ring", Kind = "blue ring" }, new() { Text = "cross in yellow", Kind = "yellow cross" }];
var found = search.Transform(texts.Transform(mlContext.Data.LoadFromEnumerable(questions))).GetColumn<long[]>("Neighbors").ToArray();
foreach (var (question, rows) in questions.Zip(found))
    Console.WriteLine($"{question.Text}: {rows.Count(row => test[row].Kind == question.Kind)} of {rows.Length} found are one");

// Use 2: classes by their names, without a labeled image. The output columns are those of ML.NET's own classifiers.
string[] kinds = [.. colors.SelectMany(color => shapes.Select(shape => $"{color} {shape}"))];
var data = mlContext.Data.LoadFromEnumerable(test);
using var classifier = ssl.ImageText.ZeroShotClassification(pair, kinds, ["a {0}", "new {0}"]).Fit(data);
var scored = mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel").Fit(classifier.Transform(data)).Transform(classifier.Transform(data));
var right = scored.GetColumn<string>("Predicted").Zip(test).Count(row => row.First == row.Second.Kind);
Console.WriteLine($"{kinds.Length} classes without a label: {(double)right / test.Length:0.00} right");

// Expected output:
// a blue ring: 5 of 5 found are one
// cross in yellow: 5 of 5 found are one
// 12 classes without a label: 1.00 right

internal sealed class Product
{
    [VectorType(3, 16, 16)]
    public byte[] Image { get; set; } = new byte[3 * 16 * 16];
    public string Text { get; set; } = "";
    public string Kind { get; set; } = "";
}
