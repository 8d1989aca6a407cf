using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>What one prediction leaves to the garbage collector.</summary>
[TestClass]
[DoNotParallelize]
public sealed class AllocationTests
{
    private const int Size = 64, Calls = 200, Limit = 64 << 10;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void APredictionOnAnImageAllocatesLittle()
    {
        var random = new Random(1);
        var bytes = new byte[3 * Size * Size];
        random.NextBytes(bytes);
        using var image = MLImage.CreateFromPixels(200, 150, MLPixelFormat.Rgba32, new byte[200 * 150 * 4]);
        var rows = Enumerable.Range(0, 8).Select(_ => new ByteRow { Image = bytes }).ToArray();
        using var encoder = _mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = ImageEncoders.SmallConvNet(imageSize: Size, channels: 3), NumberOfEpochs = 0, BatchSize = 8,
        }).Fit(_mlContext.Data.LoadFromEnumerable(rows));
        Measure("Byte vector", encoder, rows[0]);
        Measure("Single vector", encoder, new SingleRow { Image = [.. bytes.Select(b => (float)b)] });
        Measure("image", encoder, new ImageRow { Image = image });
    }

    [TestMethod]
    public void APredictionOnATextAllocatesLittle()
    {
        using var encoder = ScoringData.Encoder(_mlContext);
        Measure("text", encoder, ContractData.Rows(1)[0]);
    }

    [TestMethod]
    public void APredictionOnATableRowAllocatesLittle()
    {
        var rows = Enumerable.Range(0, 64).Select(i => new TableRow { Age = i, City = $"c{i % 5}" }).ToArray();
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Age", "City"], NumberOfEpochs = 0,
        }).Fit(_mlContext.Data.LoadFromEnumerable(rows));
        Measure("table", encoder, rows[0]);
    }

    private void Measure<T>(string name, ITransformer encoder, T row) where T : class, new()
    {
        using var engine = _mlContext.Model.CreatePredictionEngine<T, ScoringData.Embedded>(encoder);
        var result = new ScoringData.Embedded();
        for (var i = 0; i < 20; i++)
            engine.Predict(row, ref result);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
            engine.Predict(row, ref result);
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
        TestContext.WriteLine($"{name}: {each:N0} bytes a prediction");
        Assert.IsLessThan(Limit, each, name);
        Assert.IsTrue(result.Features.Any(value => value != 0));
    }

    private sealed class ByteRow
    {
        [VectorType(3, Size, Size)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class SingleRow
    {
        [VectorType(3, Size, Size)]
        public float[] Image { get; set; } = [];
    }

    private sealed class ImageRow
    {
        [Microsoft.ML.Transforms.Image.ImageType(150, 200)]
        public MLImage Image { get; set; } = null!;
    }

    private sealed class TableRow
    {
        public float Age { get; set; }

        public string City { get; set; } = "";
    }
}
