using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.TimeSeries;

/// <summary>
/// Pretraining on series pays: a stock trainer does better on the embeddings than on those of the untrained network and on raw values.
/// </summary>
[TestClass]
public sealed class TimeSeriesLearningTests
{
    private const int Length = 64, Kinds = 6, LabelsPerKind = 3;

    public sealed class Tone
    {
        [VectorType(Length)]
        public float[] Series { get; set; } = [];

        public string Kind { get; set; } = "";
    }

    public sealed class Movement
    {
        [VectorType(2, 80)]
        public float[] Series { get; set; } = [];

        public string Kind { get; set; } = "";
    }

    private sealed class Motion
    {
        [VectorType(6, 100)]
        public float[] Series { get; set; } = [];

        public string Kind { get; set; } = "";
    }

    // Six pitches of any phase and loudness under noise, as strong as they are where it is 1.
    private static Tone[] Tones(int count, Random random, float noise = 1) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var (phase, loudness) = (random.NextSingle() * MathF.Tau, 0.7f + 0.6f * random.NextSingle());
        return new Tone
        {
            Series = [.. Enumerable.Range(0, Length)
                .Select(t => loudness * MathF.Sin((0.5f + 0.15f * (i % Kinds)) * t + phase) + noise * Noise(random))],
            Kind = $"{i % Kinds}",
        };
    })];

    // Three rhythms of two axes that go together or a quarter of a turn apart, of any phase and strength, under noise as strong as they are.
    private static Movement[] Movements(int count, Random random) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var (kind, phase, strength) = (i % Kinds, random.NextSingle() * MathF.Tau, 0.7f + 0.6f * random.NextSingle());
        float[] Axis(float shift) => [.. Enumerable.Range(0, 80)
            .Select(t => strength * MathF.Sin((0.3f + 0.2f * (kind % 3)) * t + phase + shift) + Noise(random))];
        return new Movement { Series = [.. Axis(0), .. Axis(kind < 3 ? 0 : MathF.PI / 2)], Kind = $"{kind}" };
    })];

    private static float Noise(Random random)
        => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));

    /// <summary>Seed 1 for data and weights; measured: raw values .225, untrained .358, pretrained .746.</summary>
    [TestMethod]
    public void Ts2Vec_tells_pitches_in_noise_from_three_labels_each()
        => Learns((count, random) => Tones(count, random), aboveUntrained: 0.15, aboveRaw: 0.3,
            (ssl, epochs) => ssl.Ts2Vec(Small(5 * epochs)));

    /// <summary>Seed 1 for data and weights; measured: raw values .438, untrained .329, pretrained .671.</summary>
    [TestMethod]
    public void TemporalContextualContrast_tells_movements_in_noise_from_three_labels_each()
        => Learns(Movements, aboveUntrained: 0.2, aboveRaw: 0.1,
            (ssl, epochs) => ssl.TemporalContextualContrast(new TemporalContextualContrastTrainer.Options
        {
            Encoder = TimeSeriesEncoders.DilatedConvolution(64, 32, depth: 5), NumberOfEpochs = 20 * epochs, Seed = 1,
        }));

    /// <summary>Seed 1 for data and weights, noise half as strong; measured: raw values .292, untrained .504, pretrained .754.</summary>
    [TestMethod]
    public void MaskedPatches_tell_pitches_in_noise_from_three_labels_each()
        => Learns((count, random) => Tones(count, random, noise: 0.5f), aboveUntrained: 0.15, aboveRaw: 0.3,
            (ssl, epochs) => ssl.MaskedPatches(new MaskedPatchesTrainer.Options
        {
            Encoder = TimeSeriesEncoders.PatchTransformer(8, numberOfLayers: 2, dimension: 64, numberOfHeads: 4,
                instanceNormalization: true),
            NumberOfEpochs = 100 * epochs, LearningRate = 2e-3, Seed = 1,
        }));

    // The trainer gets 0 epochs for the untrained network, else 1.
    private static void Learns<T>(Func<int, Random, T[]> rows, double aboveUntrained, double aboveRaw,
        Func<SelfSupervisedCatalog.TimeSeriesMethods, int, IEstimator<EncoderTransformer>> trainer) where T : class
    {
        var mlContext = TestDevice.Context(1);
        var random = new Random(1);
        var unlabeled = mlContext.Data.LoadFromEnumerable(rows(240, random));
        var labeled = mlContext.Data.LoadFromEnumerable(rows(Kinds * LabelsPerKind, random));
        var test = mlContext.Data.LoadFromEnumerable(rows(240, random));
        using var untrained = trainer(mlContext.SelfSupervised().TimeSeries, 0).Fit(unlabeled);
        using var pretrained = trainer(mlContext.SelfSupervised().TimeSeries, 1).Fit(unlabeled);
        var (raw, before, after) = (Accuracy(mlContext, labeled, test, "Series"),
            Accuracy(mlContext, untrained.Transform(labeled), untrained.Transform(test)),
            Accuracy(mlContext, pretrained.Transform(labeled), pretrained.Transform(test)));
        var figures = FormattableString.Invariant($"raw {raw:0.000}, untrained {before:0.000}, pretrained {after:0.000}");
        Console.WriteLine(figures);
        Assert.IsGreaterThan(before + aboveUntrained, after, figures);
        Assert.IsGreaterThan(raw + aboveRaw, after, figures);
    }

    /// <summary>The published split of BasicMotions: 40 series of 6 channels to learn from, 40 to test on.</summary>
    [TestMethod]
    public void Ts2Vec_beats_the_nearest_neighbor_by_distance_on_movements()
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data
            ? Path.Combine(data, "timeseries", "BasicMotions") : null;
        if (!Directory.Exists(folder))
            Assert.Inconclusive("SSL_DATA does not name a folder that holds timeseries/BasicMotions/.");
        var (training, test) = (Read(Path.Combine(folder, "BasicMotions_TRAIN.tsv.gz")),
            Read(Path.Combine(folder, "BasicMotions_TEST.tsv.gz")));
        var neighbor = test.Average(one => training.MinBy(other => one.Series.Zip(other.Series, (a, b) => (a - b) * (a - b))
            .Sum())!.Kind == one.Kind ? 1.0 : 0);

        var mlContext = TestDevice.Context(1);
        var (known, unknown) = (mlContext.Data.LoadFromEnumerable(training), mlContext.Data.LoadFromEnumerable(test));
        using var encoder = Pretrain(mlContext, known, 12);
        var accuracy = Accuracy(mlContext, encoder.Transform(known), encoder.Transform(unknown));
        var figures = FormattableString.Invariant($"nearest neighbor {neighbor:0.000}, embedding {accuracy:0.000}");
        Console.WriteLine(figures);
        Assert.IsGreaterThan(neighbor + 0.2, accuracy, figures);
    }

    private static EncoderTransformer Pretrain(MLContext mlContext, IDataView data, int epochs)
        => mlContext.SelfSupervised().TimeSeries.Ts2Vec(Small(epochs)).Fit(data);

    private static Ts2VecTrainer.Options Small(int epochs)
        => new() { Encoder = TimeSeriesEncoders.DilatedConvolution(64, 32, depth: 5), NumberOfEpochs = epochs, Seed = 1 };

    private static double Accuracy(MLContext mlContext, IDataView labeled, IDataView test, string features = "Features")
    {
        var chain = mlContext.Transforms.NormalizeMeanVariance("Features", features, fixZero: false)
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Kind"))
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f));
        return mlContext.MulticlassClassification.Evaluate(chain.Fit(labeled).Transform(test)).MicroAccuracy;
    }

    // Lines of case, channel, label, values.
    private static Motion[] Read(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd().Split('\t'))
            .GroupBy(cells => cells[0]).Select(series => new Motion
            {
                Kind = series.First()[2],
                Series = [.. series.SelectMany(cells => cells[3..]).Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))],
            })];
    }
}
