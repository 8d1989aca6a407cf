using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class SeriesExportTests
{
    private const int Channels = 9;

    /// <summary>Every network of series, by what it is.</summary>
    internal static IReadOnlyDictionary<string, TimeSeriesEncoderFactory> Factories { get; } = new Dictionary<string, TimeSeriesEncoderFactory>
    {
        ["dilated"] = TimeSeriesEncoders.DilatedConvolution(10, 8, depth: 4),
        ["patches, channels apart"] = TimeSeriesEncoders.PatchTransformer(4, 1, 12, 2, instanceNormalization: true, channelIndependence: true),
        ["patches, channels together"] = TimeSeriesEncoders.PatchTransformer(5, 2, 12, 3, instanceNormalization: false, channelIndependence: false),
        ["pooled"] = TimeSeriesEncoders.PooledConvolution(12, 3, kernelSize: 4),
        ["spectrogram"] = TimeSeriesEncoders.SpectrogramConvolution(10, 4),
        ["summary"] = new SeriesSummaryEncoderFactory(20),
        ["sound"] = TimeSeriesEncoders.SoundTransformer(12, 8, 3, 1, 2),
    };

    public static IEnumerable<object[]> Cases => from name in Factories.Keys
                                                 from form in new[] { "any length", "one length", "per timestamp", "older scale", "ranks" }
                                                 where form is not ("older scale" or "ranks") || name == "dilated"
                                                 select new object[] { name, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ModelGivesTheEncodersNumbers(string name, string form)
    {
        var mlContext = TestDevice.Context(1);
        var length = form is "any length" or "older scale" or "ranks" ? (int?)null : 43;
        using var encoder = Exports.Untrained(mlContext, new SeriesRowFormat("Series", Factories[name], new SeriesLayout(Channels, length, form == "per timestamp"), Scaling(form)));
        var path = Exports.File("model.onnx");
        var data = View(mlContext, Series(40, length), length);
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path, data);
        Assert.IsLessThan(2e-5, result.LargestDifference, result.ToString());
        Assert.HasCount(length is null ? 2 : 1, result.Inputs);
        // Once more without the exporter, on made-up rows and on rows of another number, padded beyond the longest.
        var others = Series(7, length, 5);
        var longest = others.Max(row => row.Series.Length / Channels) + (length is null ? 4 : 0);
        var values = new float[others.Length * Channels * longest];
        for (var i = 0; i < others.Length; i++)
        {
            var own = others[i].Series.Length / Channels;
            for (var j = 0; j < others[i].Series.Length; j++)
                values[(i * Channels + j / own) * longest + j % own] = others[i].Series[j];
            for (var c = 0; c < Channels; c++)
                values.AsSpan((i * Channels + c) * longest + own, longest - own).Fill(123);     // what stands in the padding does not matter
        }
        long[] lengths = [.. others.Select(row => (long)row.Series.Length / Channels)];
        (string, Array, long[])[] inputs = [("Series", values, [others.Length, Channels, longest])];
        if (length is null)
            inputs = [.. inputs, ("Series_length", lengths, [others.Length])];
        Exports.AreClose([.. encoder.Transform(View(mlContext, others, length)).GetColumn<float[]>("Features").SelectMany(row => row)], Exports.Run(path, inputs), 2e-5);
        Assert.IsLessThan(2e-5, mlContext.SelfSupervised().ExportOnnx(encoder, path).LargestDifference);
    }

    [TestMethod]
    public void SpectrogramIsInTheModel()
    {
        var mlContext = TestDevice.Context(1);
        var spectrogram = new LogMelSpectrogram(8_000, numberOfBands: 24, hopLength: 10, fullScale: 1);
        var random = new Random(1);
        var scaling = new SeriesScaling([.. Enumerable.Range(0, 24).Select(band => -4f + band * 0.1f)], [.. Enumerable.Repeat(3f, 24)]);
        var format = new SeriesRowFormat("Sound", TimeSeriesEncoders.DilatedConvolution(10, 8, depth: 3), new SeriesLayout(24, null), scaling, spectrogram: spectrogram);
        using var encoder = Exports.Untrained(mlContext, format);
        var path = Exports.File("model.onnx");
        var rows = Enumerable.Range(0, 30).Select(i => new SoundRow
        {
            Sound = [.. Enumerable.Range(0, random.Next(i == 0 ? 90 : 150, i == 0 ? 91 : 4_000)).Select(t => MathF.Sin(t * (0.05f + i * 0.03f)) * 0.5f + random.NextSingle() * 0.02f)],
        }).ToArray();
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path, mlContext.Data.LoadFromEnumerable(rows));
        Assert.IsLessThan(1e-4, result.LargestDifference, result.ToString());
        Assert.AreEqual("Sound Single[batch, length], Sound_length Int64[batch]", string.Join(", ", result.Inputs));
    }

    // A channel of one value, one with far outliers, others as usual.
    private static SeriesScaling Scaling(string form)
    {
        if (form == "older scale")
            return new SeriesScaling([.. Enumerable.Range(0, Channels).Select(c => (float)c)], [.. Enumerable.Range(0, Channels).Select(c => 1f + c)]);
        var learner = new SeriesScaling.Learner(Channels);
        foreach (var row in Series(60, null, 9))
            learner.Add([.. row.Series.Select(value => (double)value)]);
        return learner.Learned(form == "ranks" ? NumericScaling.Quantile : NumericScaling.Robust, "Series", _ => { });
    }

    private static SeriesRow[] Series(int count, int? length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var own = length ?? (i == 1 ? 1 : random.Next(2, 60));
            return new SeriesRow
            {
                Series = [.. Enumerable.Range(0, own * Channels).Select(j => j / own == 2 ? 5 : random.Next(25) == 0 ? float.NaN : random.Next(200) == 0 ? float.NegativeInfinity
                    : j / own * 3 + MathF.Sin(j * 0.2f * (1 + i % 3)) * (j / own == 3 && random.Next(9) == 0 ? 1000 : 2))],
            };
        })];
    }

    private static IDataView View(MLContext mlContext, SeriesRow[] rows, int? length)
    {
        var schema = SchemaDefinition.Create(typeof(SeriesRow));
        if (length is { } known)
            schema["Series"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Channels, known);
        return mlContext.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class SeriesRow
    {
        public float[] Series { get; set; } = [];
    }

    private sealed class SoundRow
    {
        public float[] Sound { get; set; } = [];
    }
}
