using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// The one default recipe for time series with few labels, from nothing, against what the same labels give without the pack: LBFGS and LightGBM on the
/// raw values, each tuned by cross-validation, and nearest neighbors by Euclidean distance and by time warping. Nothing is chosen by a look at a test row.
/// </summary>
public sealed class FewLabelsSeries : BenchCase
{
    private const int Steps = 200, LabelsPerClass = 5;

    private static readonly string[] s_sets =
        ["BasicMotions", "ECG200", "GunPoint", "JapaneseVowels", "OSULeaf", "PhalangesOutlinesCorrect", "RefrigerationDevices"];

    /// <inheritdoc/>
    public override string Name => "few-labels-series";

    /// <inheritdoc/>
    public override int Minutes => 60;

    /// <inheritdoc/>
    public override string Description => "accuracy on time series with 5 labels a class: the default recipe against tuned LBFGS, tuned LightGBM and nearest neighbors";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var draws = settings.Draws ?? (settings.Quick ? 1 : 5);
        var gains = new List<double>();
        foreach (var name in settings.Sets ?? (settings.Quick ? ["GunPoint"] : s_sets))
        {
            List<Series> training = BenchSeries.Read(name, "TRAIN"), test = BenchSeries.Read(name, "TEST");
            string[] classes = [.. training.Select(series => series.Label).Distinct().Order(StringComparer.Ordinal)];
            int[] truth = [.. test.Select(series => Array.IndexOf(classes, series.Label))];
            var mlContext = new MLContext(seed: BenchResults.Seed);
            // Twice a batch, or there is nothing to contrast.
            var batchSize = Math.Min(new Ts2VecTrainer.Options().BatchSize, training.Count / 2);
            using var encoder = mlContext.SelfSupervised().TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
            {
                InputColumnName = nameof(Series.Values), NumberOfChannels = training[0].Channels, Seed = BenchResults.Seed, BatchSize = batchSize,
                NumberOfEpochs = (int)Math.Ceiling(Steps / Math.Floor((double)training.Count / batchSize)),
            }).Fit(mlContext.Data.LoadFromEnumerable(training));
            var keys = StockTrainers.Keys(mlContext, classes);
            IDataView View(IReadOnlyList<Series> rows) => keys.Fit(mlContext.Data.LoadFromEnumerable(rows)).Transform(mlContext.Data.LoadFromEnumerable(rows));
            var hasOneLength = training.Concat(test).Select(series => series.Values.Length).Distinct().Count() == 1;
            var references = new Dictionary<string, List<double>>();
            var ours = new List<double>();
            for (var seed = 0; seed < draws; seed++)
            {
                var order = training.ToArray();
                new Random(seed).Shuffle(order);
                var labeled = order.GroupBy(series => series.Label).SelectMany(group => group.Take(LabelsPerClass)).ToList();
                Series[] others = [.. order.Except(labeled).Select(series => new Series { Values = series.Values, Channels = series.Channels })];
                using var model = mlContext.SelfSupervised().FewLabels.MulticlassClassification(new FewLabelsTrainer.Options
                {
                    Seed = seed, FeatureColumnName = encoder.OutputColumnName,
                }).Fit(encoder.Transform(View([.. labeled, .. others])));
                ours.Add(StockTrainers.Accuracy(model.Transform(encoder.Transform(View(test))), truth));
                if (!settings.OursOnly)
                    Refer(labeled);
            }
            var best = references.Count == 0 ? (double?)null : references.Values.Max(found => found.Average());
            foreach (var (what, found) in references)
                results.Add($"{name}, {what}", found.Average(), "%");
            results.Add($"{name}, the recipe, over the best of them", ours.Average(), "%", best);
            results.Add($"{name}, the recipe, deviation", Measure.Deviation(ours), "points");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {name}: {string.Join(", ", references.Select(pair => $"{pair.Key} {pair.Value.Average():0.0}"))}, recipe {ours.Average():0.0}"));
            if (best is { } reference)
                gains.Add(ours.Average() - reference);

            void Refer(List<Series> labeled)
            {
                Add("1-NN time warping", 100 * BenchSeries.NearestNeighbor(labeled, test, BenchSeries.Warping));
                if (!hasOneLength)
                    return;
                Add("1-NN Euclidean", 100 * BenchSeries.NearestNeighbor(labeled, test, BenchSeries.Euclidean));
                var schema = SchemaDefinition.Create(typeof(Series));
                schema[nameof(Series.Values)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, training[0].Values.Length);
                var all = mlContext.Data.LoadFromEnumerable(training, schema);
                var stock = keys.Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", nameof(Series.Values), fixZero: false)).Fit(all);
                var (few, held) = (stock.Transform(mlContext.Data.LoadFromEnumerable(labeled, schema)), stock.Transform(mlContext.Data.LoadFromEnumerable(test, schema)));
                Add("tuned LBFGS", StockTrainers.Lbfgs(mlContext, few, held, truth, "Scaled"));
                Add("tuned LightGBM", StockTrainers.LightGbm(mlContext, few, held, truth, nameof(Series.Values)));
            }

            void Add(string what, double accuracy)
            {
                if (!references.TryGetValue(what, out var found))
                    references[what] = found = [];
                found.Add(accuracy);
            }
        }
        if (gains.Count > 0)
        {
            results.Add("mean gain", gains.Average(), "points");
            results.Add("smallest gain", gains.Min(), "points");
        }
        results.Note($"{draws} draws of {LabelsPerClass} labeled series a class (seeds from 0), the other training series unlabeled; published splits; one pretraining a set, Ts2Vec with its defaults but {Steps} steps, then ssl.FewLabels.");
        results.Note("References: raw values, standardized for LBFGS; settings by log-loss in five folds of the labeled series; no values of one length, no LBFGS, LightGBM and Euclidean distance.");
    }
}
