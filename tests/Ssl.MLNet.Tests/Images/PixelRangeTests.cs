using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Images;

/// <summary>Pixels of any range and type: found, said, saved, the same at scoring; what is no image is refused.</summary>
[TestClass]
public sealed class PixelRangeTests
{
    private static readonly ImageEncoderFactory Net = ImageEncoders.SmallConvNet(4, 1, 2, 4);

    private readonly List<string> _log = [];

    private MLContext Context()
    {
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) =>
        {
            lock (_log)
                _log.Add($"{e.Kind}: {e.Message}");
        };
        return mlContext;
    }

    private static IDataView View<T>(MLContext mlContext, DataViewType item, Func<int, T> pixel, int count = 12, int[]? shape = null) where T : unmanaged
    {
        var definition = SchemaDefinition.Create(typeof(Row<T>));
        int[] sizes = shape ?? [1, 4, 4];
        definition["Image"].ColumnType = new VectorDataViewType((PrimitiveDataViewType)item, sizes);
        var length = sizes.Aggregate(1, (a, b) => a * b);
        return mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row<T>
            { Image = [.. Enumerable.Range(0, length).Select(p => pixel((i * length + p) * 37 % 256))] }).ToArray(), definition);
    }

    private static EncoderTransformer Fit(MLContext mlContext, IDataView data, float? maximum = null)
        => mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options { Encoder = Net, BatchSize = 4, NumberOfEpochs = 1, Seed = 1, PixelMaximum = maximum })
            .Fit(data);

    private static float[][] Embed(EncoderTransformer encoder, IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    [TestMethod]
    public void EveryRangeIsFoundAndSaidAndSavedAndGivesTheImagesOfBytes()
    {
        var mlContext = Context();
        using var ofBytes = Fit(mlContext, View(mlContext, NumberDataViewType.Byte, v => (byte)v));
        var expected = Embed(ofBytes, View(mlContext, NumberDataViewType.Byte, v => (byte)v));
        (IDataView Data, float Maximum)[] ranges =
        [
            (View(mlContext, NumberDataViewType.Single, v => v / 255f), 1),
            (View(mlContext, NumberDataViewType.Single, v => (float)v), 255),
            (View(mlContext, NumberDataViewType.Double, v => v / 255.0), 1),
            (View(mlContext, NumberDataViewType.UInt16, v => (ushort)(v * 257)), 65535),
            (View(mlContext, NumberDataViewType.UInt16, v => (ushort)Math.Round(v * 4095 / 255.0)), 4095),
            (View(mlContext, NumberDataViewType.Int32, v => (int)Math.Round(v * 1023 / 255.0)), 1023),
        ];
        var path = Path.Combine(Path.GetTempPath(), $"pixels-{Guid.NewGuid():N}.ssl");
        foreach (var (data, maximum) in ranges)
        {
            _log.Clear();
            using var encoder = Fit(mlContext, data);
            Assert.IsTrue(_log.Any(line => line.Contains($"white is {maximum} ", StringComparison.Ordinal)), string.Join('\n', _log));
            mlContext.SelfSupervised().SaveEncoder(encoder, path);
            using var loaded = mlContext.SelfSupervised().LoadEncoder(path);
            File.Delete(path);
            foreach (var (one, other) in expected.Zip(Embed(loaded, data)))
                CollectionAssert.AreEqual(one, other, $"{maximum}");
            Assert.IsFalse(_log.Any(line => line.StartsWith("Warning", StringComparison.Ordinal)), string.Join('\n', _log));
            // Dark images alone do not change what white is.
            _ = Embed(loaded, View(mlContext, NumberDataViewType.Single, v => v * maximum / 1000, count: 2));
        }
    }

    [TestMethod]
    public void RangesThatImagesDoNotHaveAreRefusedUnlessStated()
    {
        var mlContext = Context();
        foreach (var pixel in (Func<int, float>[])[v => v / 128f - 1, v => v / 100f, v => v * 1000f, v => v / 5000f])
        {
            var data = View(mlContext, NumberDataViewType.Single, pixel);
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(mlContext, data));
            StringAssert.Contains(fault.Message, "Pixels in column 'Image' go from ");
            StringAssert.Contains(fault.Message, "Set PixelMaximum to the value of a white pixel");
            using var encoder = Fit(mlContext, data, 2.55f);
            Assert.AreEqual(8, encoder.EmbeddingDimension);
        }
    }

    [TestMethod]
    public void PixelsOfAnotherRangeAtScoringAreSaid()
    {
        var mlContext = Context();
        using var encoder = Fit(mlContext, View(mlContext, NumberDataViewType.Single, v => (float)v));
        _log.Clear();
        _ = Embed(encoder, View(mlContext, NumberDataViewType.Single, v => v / 255f, count: 3));
        StringAssert.Contains(_log.Single(line => line.StartsWith("Warning", StringComparison.Ordinal)),
            "3 of 3 rows have no pixel in 'Image' above 1 although white is 255");
        _log.Clear();
        _ = Embed(encoder, View(mlContext, NumberDataViewType.UInt16, v => (ushort)(v * 16), count: 5));
        StringAssert.Contains(_log.Single(line => line.StartsWith("Warning", StringComparison.Ordinal)),
            "5 of 5 rows have pixels in 'Image' outside 0 to 255, which are cut off");
        _log.Clear();
        using var wrong = Fit(mlContext, View(mlContext, NumberDataViewType.Single, v => v / 255f), 255);
        Assert.IsTrue(_log.Any(line => line.Contains("Training: 12 of 12 rows have no pixel in 'Image' above 1", StringComparison.Ordinal)), string.Join('\n', _log));
    }

    [TestMethod]
    public void HeightWidthChannelsIsNotTakenForChannelsHeightWidth()
    {
        var mlContext = Context();
        foreach (var channels in (int[])[1, 3, 4])
        {
            var data = View(mlContext, NumberDataViewType.Byte, v => (byte)v, shape: [8, 8, channels]);
            foreach (var encoder in (ImageEncoderFactory?[])[null, ImageEncoders.SmallConvNet(8, channels, 2, 4)])
            {
                var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => mlContext.SelfSupervised().Images.SimClr(encoder: encoder, batchSize: 4,
                    numberOfEpochs: 1).Fit(data));
                StringAssert.Contains(fault.Message, $"got Vector<Byte, 8, 8, {channels}>. That looks like [height, width, channels]");
            }
        }
        // Two channels of 4 x 4 pixels, as the encoder says.
        var two = View(mlContext, NumberDataViewType.Byte, v => (byte)v, shape: [2, 4, 4]);
        using var made = mlContext.SelfSupervised().Images.SimClr(encoder: ImageEncoders.SmallConvNet(4, 2, 2, 4), batchSize: 4, numberOfEpochs: 1).Fit(two);
        Assert.HasCount(12, Embed(made, two));
    }

    private sealed class Row<T>
    {
        [VectorType(1)]
        public T[] Image { get; set; } = [];
    }
}
