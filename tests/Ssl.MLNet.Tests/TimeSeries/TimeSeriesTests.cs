using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.TimeSeries;

/// <summary>What is particular to time series: layouts, bad input, embeddings a timestamp, fine-tuning.</summary>
[TestClass]
public sealed class TimeSeriesTests
{
    private const int Length = 24;

    private static readonly TimeSeriesEncoderFactory Convolution = TimeSeriesEncoders.DilatedConvolution(12, 8, depth: 3);

    public sealed class Fixed
    {
        [VectorType(Length)]
        public float[] Series { get; set; } = new float[Length];

        [VectorType(2, Length)]
        public float[] Pair { get; set; } = new float[2 * Length];

        [VectorType(4)]
        public float[] Short { get; set; } = new float[4];

        public float Number { get; set; }

        public bool IsFast { get; set; }
    }

    public sealed class Varying
    {
        public float[] Series { get; set; } = [];
    }

    private static IEnumerable<Fixed> Rows(int count)
    {
        var random = new Random(7);
        return Enumerable.Range(0, count).Select(i =>
        {
            var (fast, phase) = (i % 2 == 0, random.NextSingle() * 6);
            float[] wave = [.. Enumerable.Range(0, Length)
                .Select(t => MathF.Sin(t * (fast ? 1.2f : 0.4f) + phase) + random.NextSingle() * 0.3f)];
            return new Fixed { Series = wave, Pair = [.. wave, .. wave.Reverse()], Number = i, IsFast = fast, Short = wave[..4] };
        }).ToArray();
    }

    private static Ts2VecTrainer.Options Small(string column = "Series") => new()
    {
        InputColumnName = column, Encoder = Convolution, BatchSize = 16, NumberOfEpochs = 2,
    };

    [TestMethod]
    public void Channels_come_from_the_type()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(Rows(40));
        using var encoder = mlContext.SelfSupervised().TimeSeries.Ts2Vec(Small("Pair")).Fit(data);
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => mlContext.SelfSupervised().TimeSeries.Ts2Vec(
            inputColumnName: "Pair", numberOfChannels: 3).Fit(data));
        StringAssert.Contains(fault.Message, "NumberOfChannels");
        Assert.AreEqual(12, encoder.Transform(data).GetColumn<float[]>("Features").First().Length);
    }

    [TestMethod]
    public void One_embedding_a_timestamp_has_the_series_embedding_as_its_maximum()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(Rows(40));
        using var whole = mlContext.SelfSupervised().TimeSeries.Ts2Vec(Seeded(perTimestamp: false)).Fit(data);
        using var steps = mlContext.SelfSupervised().TimeSeries.Ts2Vec(Seeded(perTimestamp: true)).Fit(data);
        var series = whole.Transform(data).GetColumn<float[]>("Features").First();
        var timestamps = steps.Transform(data).GetColumn<float[]>("Features").First();
        Assert.AreEqual(12 * Length, timestamps.Length);
        Assert.AreEqual(12 * Length, steps.EmbeddingDimension);
        for (var d = 0; d < 12; d++)
            Assert.AreEqual(series[d], timestamps.Where((_, i) => i % 12 == d).Max(), 2e-5f);

        var file = Path.GetTempFileName();
        mlContext.Model.Save(steps, data.Schema, file);
        var loaded = TestDevice.Context(2).Model.Load(file, out _);
        File.Delete(file);
        var again = loaded.Transform(data).GetColumn<float[]>("Features").First();
        for (var i = 0; i < again.Length; i++)
            Assert.AreEqual(timestamps[i], again[i], 2e-5f);

        static Ts2VecTrainer.Options Seeded(bool perTimestamp)
        {
            var options = Small();
            (options.Seed, options.PerTimestamp) = (5, perTimestamp);
            return options;
        }
    }

    [TestMethod]
    public void One_embedding_a_timestamp_is_refused_for_series_of_differing_lengths()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable([new Varying { Series = [1, 2, 3] }, new Varying { Series = [4, 5] }]);
        var options = Small();
        options.PerTimestamp = true;
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => mlContext.SelfSupervised().TimeSeries.Ts2Vec(options).Fit(data));
        StringAssert.Contains(fault.Message, "PerTimestamp");
    }

    [TestMethod]
    public void A_series_shorter_than_two_patches_is_refused_by_type_or_left_out()
    {
        var mlContext = TestDevice.Context(1);
        var trainer = mlContext.SelfSupervised().TimeSeries.MaskedPatches(inputColumnName: "Short",
            encoder: TimeSeriesEncoders.PatchTransformer(8, 1, 16, 2));
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(mlContext.Data.LoadFromEnumerable(Rows(8))));
        StringAssert.Contains(fault.Message, "at least 16 timestamps");

        var varying = mlContext.SelfSupervised().TimeSeries.MaskedPatches(encoder: TimeSeriesEncoders.PatchTransformer(8, 1, 16, 2));
        var none = Assert.Throws<InvalidOperationException>(() => varying.Fit(mlContext.Data.LoadFromEnumerable(
            [new Varying { Series = [1, 2, 3] }, new Varying { Series = [4, 5] }])));
        StringAssert.Contains(none.Message, "fewer than 16 timestamps");
    }

    [TestMethod]
    public void Missing_infinite_and_no_values_of_differing_lengths_are_learned_from_and_embedded()
    {
        var mlContext = TestDevice.Context(1);
        var random = new Random(3);
        float Value(int i, int t) => (i + t) % 7 == 0 ? float.NaN : (i + t) % 11 == 0 ? float.PositiveInfinity : MathF.Sin(0.3f * i * t)
            + random.NextSingle();
        Varying[] rows =
        [
            .. Enumerable.Range(0, 30).Select(i => new Varying { Series = [.. Enumerable.Range(0, 4 + i).Select(t => Value(i, t))] }),
            new Varying { Series = [float.NaN, float.NaN, float.NaN] },
            new Varying { Series = [1] },
            new Varying(),
        ];
        var data = mlContext.Data.LoadFromEnumerable(rows);
        var ssl = mlContext.SelfSupervised().TimeSeries;
        foreach (var trainer in (IEstimator<EncoderTransformer>[])
            [
                ssl.Ts2Vec(Small()),
                ssl.TemporalContextualContrast(new TemporalContextualContrastTrainer.Options { Encoder = Convolution, BatchSize = 16,
                    NumberOfEpochs = 2 }),
                ssl.MaskedPatches(new MaskedPatchesTrainer.Options { Encoder = TimeSeriesEncoders.PatchTransformer(4, 1, 8, 2),
                    NumberOfEpochs = 2 }),
            ])
        {
            using var encoder = trainer.Fit(data);
            var embeddings = encoder.Transform(data).GetColumn<float[]>("Features").ToArray();
            Assert.HasCount(rows.Length, embeddings);
            Assert.IsTrue(embeddings.All(e => e.All(float.IsFinite)), trainer.GetType().Name);
        }
    }

    [TestMethod]
    public void Scalars_other_types_uneven_channels_and_wrong_encoders_are_refused_in_sentences()
    {
        var mlContext = TestDevice.Context(1);
        var ssl = mlContext.SelfSupervised();
        var data = mlContext.Data.LoadFromEnumerable(Rows(8));
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.Ts2Vec(inputColumnName: "Number")
            .Fit(data)).Message,
            "expected a vector of numbers, got Single");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.Ts2Vec(inputColumnName: "Nothing")
            .Fit(data)).Message,
            "Could not find input column 'Nothing'");
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => ssl.TimeSeries.Ts2Vec(numberOfChannels: 2).Fit(
            mlContext.Data.LoadFromEnumerable([new Varying { Series = [1, 2, 3, 4, 5] }]))).Message, "cannot share evenly");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.Ts2Vec(
            encoder: TimeSeriesEncoders.PatchTransformer())).Message, "DilatedConvolution");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.Ts2Vec(
            encoder: TimeSeriesEncoders.PooledConvolution(numberOfBlocks: 1))).Message, "a vector for every timestamp");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.MaskedPatches(
            encoder: TimeSeriesEncoders.DilatedConvolution())).Message, "PatchTransformer");
        var all = Assert.Throws<ArgumentOutOfRangeException>(() => ssl.TimeSeries.TemporalContextualContrast(
            new TemporalContextualContrastTrainer.Options { Temperature = 0, FutureSections = 16, NumberOfChannels = 0 })).Message;
        foreach (var name in (string[])["Temperature", "FutureSections", "NumberOfChannels"])
            StringAssert.Contains(all, name);
    }

    [TestMethod]
    public void A_pretrained_encoder_is_fine_tuned_in_the_same_chain()
    {
        var mlContext = TestDevice.Context(1);
        var ssl = mlContext.SelfSupervised();
        var data = mlContext.Data.LoadFromEnumerable(Rows(96));
        // Twelve numbers a series from a network this narrow: it takes more than the default 60 steps.
        var model = ssl.TimeSeries.Ts2Vec(Small()).Append(ssl.FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options
        {
            LabelColumnName = "IsFast", NumberOfEpochs = 60, LearningRate = 5e-3, Seed = 1,
        })).Fit(data);
        var accuracy = mlContext.BinaryClassification.Evaluate(model.Transform(data), "IsFast").Accuracy;
        Assert.IsGreaterThan(0.9, accuracy);
    }
}
