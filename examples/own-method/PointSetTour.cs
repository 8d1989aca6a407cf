using Microsoft.ML;
using Ssl.MLNet;

namespace OwnMethod;

/// <summary>Sets of points from pretraining to a model file: a kind of column that the pack does not have.</summary>
internal static class PointSetTour
{
    public static void Run()
    {
        var mlContext = new MLContext(seed: 1);
        var ssl = mlContext.SelfSupervised();
        PointSetFormat.Register();
        var random = new Random(2);
        var unlabeled = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 1_500).Select(i => PointRow.Of(i % 4, random)).ToArray());
        var labeled = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 24).Select(i => PointRow.Of(i % 4, random)).ToArray());
        var test = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 400).Select(i => PointRow.Of(i % 4, random)).ToArray());

        double Accuracy(int epochs)
        {
            using var encoder = ssl.PointSetContrast(new PointSetContrastTrainer.Options { NumberOfEpochs = epochs }).Fit(unlabeled);
            using var tuned = mlContext.Transforms.Conversion.MapValueToKey("Label", "Shape")
                .Append(ssl.FineTune.MulticlassClassification(encoder, numberOfEpochs: 60)).Fit(labeled);
            using var file = new MemoryStream();
            mlContext.Model.Save(tuned, labeled.Schema, file);
            file.Position = 0;
            var loaded = mlContext.Model.Load(file, out _);
            return mlContext.MulticlassClassification.Evaluate(loaded.Transform(test)).MicroAccuracy;
        }
        Console.WriteLine($"shapes of point sets from 24 labels: untrained {Accuracy(0):0.00}, pretrained {Accuracy(30):0.00}");
    }
}

/// <summary>A shape as a set of points: a ring, a cross, a line or a cloud, anywhere, of any size.</summary>
public sealed class PointRow
{
    private static readonly string[] Shapes = ["ring", "cross", "line", "cloud"];

    /// <summary>What it shows.</summary>
    public string Shape { get; set; } = "";

    /// <summary>x, y of one point after the other.</summary>
    public float[] Points { get; set; } = [];

    /// <summary>A random one.</summary>
    public static PointRow Of(int shape, Random random)
    {
        var (x, y, size, turn) = (10 + random.NextDouble(), -5 + random.NextDouble(), 1 + random.NextDouble(), random.NextDouble() * 7);
        var points = Enumerable.Range(0, random.Next(12, 40)).SelectMany(i =>
        {
            var t = 2 * random.NextDouble() - 1;
            var (u, v) = shape switch
            {
                0 => (Math.Cos(7 * t), Math.Sin(7 * t)),
                1 => i % 2 == 0 ? (t, 0) : (0, t),
                2 => (t, 0),
                _ => (t, 2 * random.NextDouble() - 1),
            };
            return (float[])[(float)(x + size * (u * Math.Cos(turn) - v * Math.Sin(turn))), (float)(y + size * (u * Math.Sin(turn) + v * Math.Cos(turn)))];
        });
        return new PointRow { Shape = Shapes[shape], Points = [.. points] };
    }
}
