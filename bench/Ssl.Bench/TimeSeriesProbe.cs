using System.Globalization;
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
        var steps = settings.Quick ? 20 : 200;
        var sums = new Dictionary<string, List<double>>();
        var sets = (settings.Sets ?? (settings.Quick ? Sets[..2] : Sets)).Select(name => (Name: name,
            Training: BenchSeries.Read(name, "TRAIN"),
                Test: BenchSeries.Read(name, "TEST"))).ToArray();
        var references = new Dictionary<string, double>();
        foreach (var (name, training, test) in sets)
        {
            references[name] = BenchSeries.NearestNeighbor(training, test, BenchSeries.Warping);
            Add(name, "1-NN time warping", references[name], null);
            if (training.Concat(test).Select(s => s.Values.Length).Distinct().Count() == 1)
                Add(name, "1-NN Euclidean", BenchSeries.NearestNeighbor(training, test, BenchSeries.Euclidean), null);
        }
        foreach (var (name, training, test) in sets)
        {
            foreach (var method in Enum.GetValues<Method>())
            {
                var found = Enumerable.Range(0, settings.Quick ? 1 : Seeds).Select(seed => Probe(training, test, method, steps, seed))
                    .ToArray();
                Add(name, method.ToString(), found.Average(), references[name]);
                var spread = Measure.Deviation(found);
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
}
