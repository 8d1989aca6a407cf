using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Decoded images of any size in a column whose type says none.</summary>
[TestClass]
public sealed class ImageSizeTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void ImagesInMemoryOfAnySizeAreLearnedFromEmbeddedAndPredictedOn()
    {
        var random = new Random(2);
        var rows = Enumerable.Range(0, 12).Select(i =>
        {
            var (width, height) = (1 + i * 5, 1 + i * 7 % 30);
            var pixels = new byte[width * height * 4];
            random.NextBytes(pixels);
            return new AnySize { Image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels) };
        }).ToArray();
        var data = _mlContext.Data.LoadFromEnumerable(rows);
        using var encoder = _mlContext.SelfSupervised().Images.SimClr(new()
        {
            Encoder = ImageEncoders.SmallConvNet(8, 3, 2, 4), BatchSize = 4, NumberOfEpochs = 1,
        }).Fit(data);
        var expected = ScoringData.Embeddings(encoder.Transform(data));
        Assert.IsGreaterThan(6, expected.Select(row => row[0]).Distinct().Count());

        var path = Path.GetTempFileName();
        try
        {
            _mlContext.Model.Save(encoder, data.Schema, path);
            var loaded = TestDevice.Context().Model.Load(path, out _);
            foreach (var model in new[] { encoder, loaded })
            {
                using var engine = _mlContext.Model.CreatePredictionEngine<AnySize, ScoringData.Embedded>(model);
                var actual = ScoringData.Embeddings(model.Transform(data));
                for (var i = 0; i < rows.Length; i++)
                {
                    var predicted = engine.Predict(rows[i]).Features;
                    for (var d = 0; d < predicted.Length; d++)
                    {
                        Assert.AreEqual(expected[i][d], predicted[d], 1e-5f, $"{model.GetType().Name}, row {i}");
                        Assert.AreEqual(expected[i][d], actual[i][d], 1e-5f, $"{model.GetType().Name}, row {i}");
                    }
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class AnySize
    {
        // ML.NET refuses an ImageType attribute without a size; without the attribute any size goes.
        public MLImage Image { get; set; } = null!;

        // A model file needs a column whose type can be written.
        public string Name { get; set; } = "";
    }
}
