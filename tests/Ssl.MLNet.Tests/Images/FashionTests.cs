using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Images;

/// <summary>On Fashion-MNIST a short training must beat the untrained network.</summary>
[TestClass]
public sealed class FashionTests
{
    private const int Unlabeled = 10_000, Labeled = 2_000, Held = 1_000;

    [TestMethod]
    [TestCategory("Long")]
    [DataRow(1)]
    [DataRow(2)]
    public void SimClrAndDclBeatTheUntrainedEncoder(int seed)
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? Path.Combine(data, "fashion-mnist") : null;
        if (folder is null || !Directory.Exists(folder))
            Assert.Inconclusive("SSL_DATA does not name a folder that holds fashion-mnist/.");
        var mlContext = TestDevice.Context(seed);
        var ssl = mlContext.SelfSupervised();
        var all = ssl.Data.LoadIdx(Path.Combine(folder, "train-images-idx3-ubyte.gz"), Path.Combine(folder, "train-labels-idx1-ubyte.gz"));
        var training = mlContext.Data.TakeRows(all, Unlabeled);
        var net = ImageEncoders.SmallConvNet(imageSize: 28, channels: 1, numberOfStages: 3, width: 16);
        var view = ImageViews.Compose(new RandomResizedCrop(28, 28, minimumArea: 0.4), new ColorJitter(0.8, 0.8, 0, 0));
        var untrained = Neighbors(mlContext, ssl.Images.SimClr(encoder: net, numberOfEpochs: 0), training);
        var simClr = Neighbors(mlContext, ssl.Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = net, View = view, NumberOfEpochs = 4, Temperature = 0.2f, BatchSize = 128,
        }), training);
        var dcl = Neighbors(mlContext, ssl.Images.Dcl(new DclTrainer.Options
        {
            Encoder = net, View = view, NumberOfEpochs = 4, Temperature = 0.2f, BatchSize = 128,
        }), training);
        var figures = $"untrained {untrained:0.000}, SimCLR {simClr:0.000}, DCL {dcl:0.000}";
        Console.WriteLine(figures);
        Assert.IsGreaterThan(untrained + 0.02, simClr, figures);
        Assert.IsGreaterThan(untrained + 0.02, dcl, figures);
    }

    // Share of held-out images whose class most of the 20 nearest labeled ones have, by cosine.
    private static double Neighbors(MLContext mlContext, IEstimator<EncoderTransformer> estimator, IDataView training)
    {
        using var encoder = estimator.Fit(training);
        var labeled = mlContext.Data.TakeRows(training, Labeled + Held);
        float[][] features = [.. encoder.Transform(labeled).GetColumn<float[]>("Features").Select(Unit)];
        uint[] labels = [.. labeled.GetColumn<uint>("Label")];
        return Enumerable.Range(Labeled, Held).Average(row => Vote(row) == labels[row] ? 1.0 : 0.0);

        uint Vote(int row) => Enumerable.Range(0, Labeled)
            .OrderByDescending(other => features[row].Zip(features[other], (a, b) => a * b).Sum()).Take(20)
            .GroupBy(other => labels[other]).MaxBy(group => group.Count())!.Key;
    }

    private static float[] Unit(float[] row)
    {
        var norm = MathF.Sqrt(row.Sum(x => x * x)) + 1e-9f;
        return [.. row.Select(x => x / norm)];
    }
}
