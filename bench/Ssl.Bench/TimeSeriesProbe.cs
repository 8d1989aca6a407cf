using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// Accuracy of a linear probe on frozen embeddings of time series, pretrained on the training part without its labels, against the same
/// network untrained and against the nearest neighbor by Euclidean distance and by dynamic time warping.
/// </summary>
public sealed class TimeSeriesProbe : BenchCase
{
    // Seeds of the pretraining.
    private const int Seeds = 3;

    private static readonly string[] Sets = ["ECG200", "GunPoint", "OSULeaf", "PhalangesOutlinesCorrect", "JapaneseVowels", "BasicMotions"];

    /// <inheritdoc/>
    public override string Name => "timeseries";

    /// <inheritdoc/>
    public override int Minutes => 25;

    /// <inheritdoc/>
    public override string Description
        => "linear probe after TS2Vec, TS-TCC and masked patches on six data sets, against nearest neighbors (Euclidean, time warping)";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var folder = Path.Combine(Environment.GetEnvironmentVariable("SSL_DATA") ?? "", "timeseries");
        if (!Directory.Exists(folder))
            throw new BenchUnavailableException("it needs the folder timeseries in the one that SSL_DATA names.");
        var steps = settings.Quick ? 20 : 200;
        var sums = new Dictionary<string, List<double>>();
        var sets = (settings.Sets ?? (settings.Quick ? Sets[..2] : Sets)).Select(name => (Name: name,
            Training: Read(Path.Combine(folder, name, $"{name}_TRAIN.tsv.gz")),
                Test: Read(Path.Combine(folder, name, $"{name}_TEST.tsv.gz")))).ToArray();
        var references = new Dictionary<string, double>();
        foreach (var (name, training, test) in sets)
        {
            references[name] = NearestNeighbor(training, test, Warping);
            Add(name, "1-NN time warping", references[name], null);
            if (training.Concat(test).Select(s => s.Values.Length).Distinct().Count() == 1)
                Add(name, "1-NN Euclidean", NearestNeighbor(training, test, Euclidean), null);
        }
        foreach (var (name, training, test) in sets)
        {
            foreach (var method in Enum.GetValues<Method>())
            {
                var found = Enumerable.Range(0, settings.Quick ? 1 : Seeds).Select(seed => Probe(training, test, method, steps, seed))
                    .ToArray();
                Add(name, method.ToString(), found.Average(), references[name]);
                var spread = Math.Sqrt(found.Average(accuracy => Math.Pow(accuracy - found.Average(), 2)));
                results.Add($"{name}/{method}, deviation", spread, "accuracy");
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {"",-26} {"deviation",-26} {spread:0.000}"));
            }
        }

        void Add(string set, string what, double accuracy, double? reference)
        {
            results.Add($"{set}/{what}", accuracy, "accuracy", reference);
            Console.WriteLine($"  {set,-26} {what,-26} {accuracy:0.000}");
            if (!sums.TryGetValue(what, out var all))
                sums[what] = all = [];
            all.Add(accuracy);
        }

        foreach (var (what, all) in sums)
            results.Add($"mean of {all.Count} sets/{what}", all.Average(), "accuracy");
        results.Note($"Means and deviations over {(settings.Quick ? 1 : Seeds)} seeds of the pretraining. Defaults of the trainers but {steps} steps, batches of at most half the series, patches of a tenth of the longest series, from 2 "
            + "to 12 timestamps. Probe: LbfgsMaximumEntropy on standardized embeddings, its L2 penalty chosen on a fifth of the training part. "
            + "Published splits. Reference: nearest neighbor by time warping (no window, channels together).");
    }

    private enum Method
    {
        Ts2Vec,
        UntrainedConvolutions,
        UntrainedPatches,
        MaskedPatches,
        MaskedPatchesOfThePaper,
        UntrainedPooledConvolutions,
        TemporalContextualContrast,
    }

    private static EncoderTransformer Pretrain(MLContext mlContext, IReadOnlyList<Series> training, Method method, int steps, int seed)
    {
        var methods = mlContext.SelfSupervised().TimeSeries;
        var data = mlContext.Data.LoadFromEnumerable(training);
        var patches = TimeSeriesEncoders.PatchTransformer(Math.Clamp(training.Max(s => s.Length) / 10, 2, 12),
            instanceNormalization: method == Method.MaskedPatchesOfThePaper, channelIndependence: method == Method.MaskedPatchesOfThePaper);
        // The shortest series has two steps.
        var pooled = TimeSeriesEncoders.PooledConvolution(numberOfBlocks: Math.Clamp((int)Math.Log2(training.Min(s => s.Length) / 2.0), 1, 3));
        return method switch
        {
            Method.UntrainedPooledConvolutions or Method.TemporalContextualContrast
                => methods.TemporalContextualContrast(Set(new TemporalContextualContrastTrainer.Options { Encoder = pooled })).Fit(data),
            Method.UntrainedPatches or Method.MaskedPatches or Method.MaskedPatchesOfThePaper
                => methods.MaskedPatches(Set(new MaskedPatchesTrainer.Options { Encoder = patches })).Fit(data),
            _ => methods.Ts2Vec(Set(new Ts2VecTrainer.Options())).Fit(data),
        };

        T Set<T>(T options) where T : TimeSeriesPretrainingOptions
        {
            options.InputColumnName = nameof(Series.Values);
            options.NumberOfChannels = training[0].Channels;
            options.Seed = seed;
            options.BatchSize = Math.Min(options.BatchSize, training.Count / 2);
            var isTrained = method is not (Method.UntrainedConvolutions or Method.UntrainedPatches or Method.UntrainedPooledConvolutions);
            options.NumberOfEpochs = isTrained ? (int)Math.Ceiling(steps / Math.Floor((double)training.Count / options.BatchSize)) : 0;
            return options;
        }
    }

    private static double Probe(List<Series> training, List<Series> test, Method method, int steps, int seed)
    {
        var mlContext = new MLContext(BenchResults.Seed);
        using var encoder = Pretrain(mlContext, training, method, steps, seed);
        var embedded = mlContext.Data.Cache(encoder.Transform(mlContext.Data.LoadFromEnumerable(training)));
        var embeddedTest = mlContext.Data.Cache(encoder.Transform(mlContext.Data.LoadFromEnumerable(test)));
        var split = mlContext.Data.TrainTestSplit(embedded, 0.2, seed: BenchResults.Seed);
        var penalty = new[] { 1f, 0.1f, 0.01f }.MaxBy(l2 => Accuracy(split.TrainSet, split.TestSet, l2));
        return Accuracy(embedded, embeddedTest, penalty);

        double Accuracy(IDataView fit, IDataView evaluate, float l2)
        {
            var model = mlContext.Transforms.NormalizeMeanVariance("Features", fixZero: false)
                .Append(mlContext.Transforms.Conversion.MapValueToKey("Key", nameof(Series.Label)))
                .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key", "Features", l1Regularization: 0,
                    l2Regularization: l2))
                .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"))
                .Fit(fit);
            var scored = model.Transform(evaluate);
            var predicted = scored.GetColumn<string>("Predicted").ToArray();
            return scored.GetColumn<string>(nameof(Series.Label)).Zip(predicted).Average(pair => pair.First == pair.Second ? 1.0 : 0);
        }
    }

    private static double NearestNeighbor(List<Series> training, List<Series> test, Func<Series, Series, double, double> distance)
    {
        var right = 0;
        Parallel.ForEach(test, one =>
        {
            var (best, label) = (double.PositiveInfinity, "");
            foreach (var other in training)
            {
                var found = distance(one, other, best);
                if (found < best)
                    (best, label) = (found, other.Label);
            }
            if (label == one.Label)
                Interlocked.Increment(ref right);
        });
        return (double)right / test.Count;
    }

    private static double Euclidean(Series a, Series b, double limit)
    {
        double sum = 0;
        for (var i = 0; i < a.Values.Length; i++)
            sum += (a.Values[i] - b.Values[i]) * (a.Values[i] - b.Values[i]);
        return sum;
    }

    // Squared differences summed over the channels; given up when no path can be shorter than the limit.
    private static double Warping(Series a, Series b, double limit)
    {
        var (rows, columns, channels) = (a.Length, b.Length, a.Channels);
        var before = new double[columns + 1];
        var now = new double[columns + 1];
        Array.Fill(before, double.PositiveInfinity);
        before[0] = 0;
        for (var i = 0; i < rows; i++)
        {
            now[0] = double.PositiveInfinity;
            var least = double.PositiveInfinity;
            for (var j = 0; j < columns; j++)
            {
                double cost = 0;
                for (var c = 0; c < channels; c++)
                {
                    double difference = a.Values[c * rows + i] - b.Values[c * columns + j];
                    cost += difference * difference;
                }
                now[j + 1] = cost + Math.Min(before[j], Math.Min(before[j + 1], now[j]));
                least = Math.Min(least, now[j + 1]);
            }
            if (least > limit)
                return double.PositiveInfinity;
            (before, now) = (now, before);
        }
        return before[columns];
    }

    // One channel: label, values. Several: case, channel, label, values.
    private static List<Series> Read(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var lines = new List<string[]>();
        while (reader.ReadLine() is { } line)
            lines.Add(line.Split('\t', StringSplitOptions.RemoveEmptyEntries));
        var several = path.Contains("JapaneseVowels", StringComparison.Ordinal) || path.Contains("BasicMotions", StringComparison.Ordinal);
        if (!several)
            return [.. lines.Select(line => new Series { Label = line[0], Channels = 1, Values = Numbers(line[1..]) })];
        return [.. lines.GroupBy(line => line[0]).Select(group => new Series
        {
            Label = group.First()[2],
            Channels = group.Count(),
            Values = [.. group.SelectMany(line => Numbers(line[3..]))],
        })];
    }

    private static float[] Numbers(string[] cells) => [.. cells.Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))];

    private sealed class Series
    {
        public string Label { get; set; } = "";

        public float[] Values { get; set; } = [];

        [NoColumn]
        public int Channels { get; set; }

        [NoColumn]
        public int Length => Values.Length / Channels;
    }
}
