using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>What every method on series reads and refuses; one of them stands for all.</summary>
[TestClass]
public sealed class TimeSeriesPretrainingTrainerTests
{
    private const int Length = 400;

    private sealed class Row
    {
        [VectorType(Length)]
        public float[] Series { get; set; } = [];
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private IDataView View(int count = 6) => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count)
        .Select(i => new Row { Series = [.. Enumerable.Range(0, Length).Select(t => MathF.Sin(t * (i + 1) * 0.05f))] }).ToArray());

    private EncoderTransformer Fit(Action<Ts2VecTrainer.Options>? change = null, IDataView? data = null)
    {
        var options = new Ts2VecTrainer.Options { InputColumnName = nameof(Row.Series), Encoder = TimeSeriesEncoders.DilatedConvolution(6, 8, 2), NumberOfEpochs = 0, Seed = 1 };
        change?.Invoke(options);
        return _mlContext.SelfSupervised().TimeSeries.Ts2Vec(options).Fit(data ?? View());
    }

    [TestMethod]
    public void The_encoder_of_the_options_is_taken()
    {
        using var own = Fit();
        Assert.AreEqual(6, own.EmbeddingDimension);
        using var usual = Fit(options => options.Encoder = null);
        Assert.AreNotEqual(6, usual.EmbeddingDimension);
    }

    [TestMethod]
    public void Sound_has_the_bands_of_its_spectrogram_for_channels()
    {
        using var sound = Fit(options => options.Spectrogram = new LogMelSpectrogram(8_000, numberOfBands: 5));
        Assert.IsNotNull(((SeriesRowFormat)sound.Model.Format).Spectrogram);
        using var series = Fit();
        Assert.IsNull(((SeriesRowFormat)series.Model.Format).Spectrogram);
    }

    /// <summary>ML.NET's saved form has room for 65,535 numbers a vector.</summary>
    [TestMethod]
    public void An_embedding_that_cannot_be_saved_is_refused_at_once()
    {
        // 400 timestamps of 163 numbers are 65,200, of 164 65,600.
        using var largest = Fit(options => (options.PerTimestamp, options.Encoder) = (true, TimeSeriesEncoders.DilatedConvolution(163, 8, 2)));
        Assert.AreEqual(65_200, largest.EmbeddingDimension);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(options => (options.PerTimestamp, options.Encoder) = (true, TimeSeriesEncoders.DilatedConvolution(164, 8, 2))));
        StringAssert.Contains(fault.Message, "One vector a timestamp makes embeddings of 65,600 values; at most 65,535 can be saved");
    }

    [TestMethod]
    public void Series_of_less_than_two_steps_are_none()
    {
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(data: View(0)));
        StringAssert.Contains(fault.Message, "Every series in column 'Series' has fewer than 2 timestamps");
        // Patches of 16 that do not overlap: two of them.
        fault = Assert.ThrowsExactly<InvalidOperationException>(() => _mlContext.SelfSupervised().TimeSeries.MaskedPatches(new MaskedPatchesTrainer.Options
        {
            InputColumnName = nameof(Row.Series), Encoder = TimeSeriesEncoders.PatchTransformer(16, 1, 8, 2), NumberOfEpochs = 0,
        }).Fit(View(0)));
        StringAssert.Contains(fault.Message, "Every series in column 'Series' has fewer than 32 timestamps");
    }
}
