using System.Globalization;
using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// The one default recipe for tables with few labels against what a .NET user does without the pack, each tuned by cross-validation on the
/// same labeled rows. Nothing is chosen by a look at a test row.
/// </summary>
public sealed class FewLabelsTables : BenchCase
{
    private const int Steps = 800, BatchSize = 256;

    private static readonly string[] Sets = ["adult", "churn", "connect-4", "credit-g", "letter", "magic", "phoneme", "satimage", "segmentation",
        "spambase", "splice"];

    private static readonly (string Name, double Share)[] Shares = [("1%", 0.01), ("10%", 0.1)];

    /// <inheritdoc/>
    public override string Name => "few-labels";

    /// <inheritdoc/>
    public override int Minutes => 90;

    /// <inheritdoc/>
    public override string Description => "accuracy on tables at 1/10 % of the labels: the default recipe against tuned LBFGS and tuned LightGBM";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var draws = settings.Quick ? 1 : 5;
        var gains = Shares.ToDictionary(share => share.Name, _ => new List<double>());
        foreach (var name in settings.Sets ?? (settings.Quick ? ["churn"] : Sets))
        {
            var table = BenchTable.Read(name);
            var mlContext = new MLContext(seed: BenchResults.Seed);
            var ssl = mlContext.SelfSupervised();
            var rows = (int)table.Training.Rows.Count;
            // The paper's temperature where there are categories, a lower one where there are numbers alone: looks at no label.
            var temperature = table.Columns.Any(column => table.Training[column] is StringDataFrameColumn) ? 1 : 0.2f;
            using var encoder = ssl.Tabular.ContrastiveMaskedCells(new ContrastiveMaskedCellsTrainer.Options
            {
                InputColumnNames = table.Columns, BatchSize = BatchSize, Temperature = temperature,
                NumberOfEpochs = Math.Max(1, (settings.Quick ? Steps / 4 : Steps) * BatchSize / rows),
            }).Fit(table.Training);
            var stock = Stock(mlContext, table);
            int[] classes = BenchTable.ClassesOf(table.Training), truth = BenchTable.ClassesOf(table.Test);
            foreach (var (share, fraction) in Shares)
            {
                var (lbfgs, lightGbm, ours) = (new List<double>(), new List<double>(), new List<double>());
                for (var seed = 0; ours.Count < draws; seed++)
                {
                    int[] order = [.. Enumerable.Range(0, rows)];
                    new Random(seed).Shuffle(order);
                    int[] labeled = order[..(int)(fraction * rows)];
                    if (labeled.Select(row => classes[row]).Distinct().Count() < 2)
                        continue;
                    if (settings.OursOnly)
                    {
                        ours.Add(Recipe(mlContext, encoder, table, labeled, truth, seed));
                        continue;
                    }
                    var (training, test) = (stock.Transform(BenchTable.Rows(table.Training, labeled)), stock.Transform(table.Test));
                    lbfgs.Add(StockTrainers.Lbfgs(mlContext, training, test, truth, "Scaled"));
                    lightGbm.Add(StockTrainers.LightGbm(mlContext, training, test, truth, "Raw"));
                    ours.Add(Recipe(mlContext, encoder, table, labeled, truth, seed));
                }
                if (settings.OursOnly)
                {
                    results.Add($"{name}, {share}, the recipe", ours.Average(), "%");
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name} {share}: recipe {ours.Average():0.0}"));
                    continue;
                }
                results.Add($"{name}, {share}, tuned LBFGS", lbfgs.Average(), "%");
                results.Add($"{name}, {share}, tuned LightGBM", lightGbm.Average(), "%");
                var best = Math.Max(lbfgs.Average(), lightGbm.Average());
                results.Add($"{name}, {share}, the recipe, over the better one", ours.Average(), "%", best);
                results.Add($"{name}, {share}, the recipe, deviation", Measure.Deviation(ours), "points");
                gains[share].Add(ours.Average() - best);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {name} {share}: LBFGS {lbfgs.Average():0.0}, LightGBM {lightGbm.Average():0.0}, recipe {ours.Average():0.0}"));
            }
        }
        foreach (var (share, values) in gains.Where(gain => gain.Value.Count > 0))
        {
            results.Add($"mean gain, {share}", values.Average(), "points");
            results.Add($"smallest gain, {share}", values.Min(), "points");
        }
        results.Note($"{draws} draws of labeled rows (seeds from 0, those of one class left out); one pretraining of {Steps} steps on all training rows.");
        results.Note("Recipe: ContrastiveMaskedCells, then ssl.FewLabels, all defaults but the number of steps and the temperature, which is 1 with a column of texts, else 0.2.");
        results.Note("References: one-hot categories; LBFGS on standardized numbers, LightGBM on raw ones; settings by log-loss in five folds of the labeled rows.");
    }

    private static double Recipe(MLContext mlContext, ITransformer encoder, BenchTable table, int[] labeled, int[] truth, int seed)
    {
        var chosen = labeled.ToHashSet();
        var classes = BenchTable.ClassesOf(table.Training);
        // A class that is no key is a missing label.
        var frame = new DataFrame(table.Training.Columns.Where(column => column.Name != BenchTable.Class)
            .Append(new PrimitiveDataFrameColumn<int>(BenchTable.Class, classes.Select((value, row) => chosen.Contains(row) ? value : -1))));
        var keys = Keys(mlContext, table).Fit(frame);
        var model = mlContext.SelfSupervised().FewLabels.MulticlassClassification(new FewLabelsTrainer.Options { Seed = seed })
            .Fit(encoder.Transform(keys.Transform(frame)));
        return StockTrainers.Accuracy(model.Transform(encoder.Transform(keys.Transform(table.Test))), truth);
    }

    private static IEstimator<ITransformer> Keys(MLContext mlContext, BenchTable table) => mlContext.Transforms.Conversion.MapValueToKey("Label",
        BenchTable.Class, keyData: mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, table.Classes).Select(i => new KeyRow { Class = i })));

    // What a .NET user does: one-hot categories, standardized numbers for the linear model, raw ones for the trees.
    private static ITransformer Stock(MLContext mlContext, BenchTable table)
    {
        string[] texts = [.. table.Columns.Where(column => table.Training[column] is StringDataFrameColumn)], numbers = [.. table.Columns.Except(texts)];
        string[] hot = [.. texts.Select(text => text + "OneHot")];
        var chain = Keys(mlContext, table);
        if (texts.Length > 0)
            chain = chain.Append(mlContext.Transforms.Categorical.OneHotEncoding([.. texts.Zip(hot, (text, name) => new InputOutputColumnPair(name, text))]));
        if (numbers.Length > 0)
        {
            chain = chain.Append(mlContext.Transforms.Concatenate("Numbers", numbers)).Append(mlContext.Transforms.ReplaceMissingValues("Standard", "Numbers"))
                .Append(mlContext.Transforms.NormalizeMeanVariance("Standard", fixZero: false));
        }
        return chain.Append(mlContext.Transforms.Concatenate("Scaled", [.. numbers.Length > 0 ? ["Standard"] : Array.Empty<string>(), .. hot]))
            .Append(mlContext.Transforms.Concatenate("Raw", [.. numbers.Length > 0 ? ["Numbers"] : Array.Empty<string>(), .. hot])).Fit(table.Training);
    }

    private sealed class KeyRow
    {
        public int Class { get; set; }
    }
}
