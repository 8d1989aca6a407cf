using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Evaluation;

/// <summary>What came of a trainer on held-out labeled rows.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Settings">What was chosen for it.</param>
/// <param name="Accuracy">Of the held-out rows, from 0 to 1.</param>
/// <param name="Loss">Of the same rows: the mean log-loss, once calibrated.</param>
/// <param name="Fit">Fits it on all labeled rows; what it gives has the class of a row.</param>
internal sealed record StockCandidate(string Name, string Settings, double Accuracy, double Loss, Func<Func<VBuffer<float>, int>> Fit);

/// <summary>
/// Finds by cross-validation on labeled rows how ML.NET's <c>LbfgsMaximumEntropy</c> is best penalized on them, and how its
/// <c>LightGbm</c> best grows trees.
/// </summary>
internal sealed class StockSearch
{
    /// <summary>Names of the candidates.</summary>
    public const string LinearName = "linear", TreesName = "boosted trees";

    private const int Folds = 5;

    // Fewer are cut twice: which rows came together says too much.
    private const int RowsForOneCut = 50;

    // Of so many rows a fifth says enough, and every fit takes time.
    private const int RowsForOneFold = 2_000;

    // Beyond, weights grow and hardly a prediction changes.
    private const int MaximumIterations = 100;
    private const float Tolerance = 1e-5f;

    // Of its own: the user's would be asked for random numbers.
    private readonly MLContext _trainers = new(seed: 0);
    private readonly IReadOnlyList<VBuffer<float>> _rows;
    private readonly int[] _slots;
    private readonly int[] _classes;
    private readonly int _count;
    private readonly (int[] Used, int[] Held)[] _folds;
    private readonly CancellationToken _cancellationToken;

    /// <param name="rows">Features of the labeled rows, of one length.</param>
    /// <param name="classes">Their classes, from 0.</param>
    /// <param name="seed">Of the folds.</param>
    /// <param name="cancellationToken">Throws between two fits.</param>
    public StockSearch(IReadOnlyList<VBuffer<float>> rows, int[] classes, long seed, CancellationToken cancellationToken)
    {
        (_rows, _classes, _count, _cancellationToken) = (rows, classes, classes.Max() + 1, cancellationToken);
        _slots = SlotsWithValues(rows);
        var random = new ShuffleRandom((ulong)seed);
        double[] groups = [.. classes.Select(c => (double)c)];
        var cuts = rows.Count < RowsForOneCut ? 2 : 1;
        var folds = Enumerable.Range(0, cuts).SelectMany(_ => LabeledRowSearch.Cut(groups, Folds, random)).ToArray();
        // A class that nothing was learned of cannot be found, whatever the settings.
        _folds = [.. (rows.Count < RowsForOneFold ? folds : folds[..1]).Select(fold =>
        {
            var known = fold.Used.Select(row => classes[row]).ToHashSet();
            return (fold.Used, fold.Held.Where(row => known.Contains(classes[row])).ToArray());
        })];
    }

    /// <summary>The linear model, with the penalty under which the held-out labels are most likely.</summary>
    /// <param name="variance">Of all slots together: a penalty suits features of one size.</param>
    public StockCandidate Linear(double variance)
    {
        var scale = (float)(variance > 0 ? Math.Sqrt(LabeledRowSearch.TotalVariance / variance) : 1);
        VBuffer<float>[] rows = [.. _rows.Select(row => Chosen(row, scale))];
        var filled = rows.Sum(row => (double)row.GetValues().Length) / ((double)rows.Length * rows[0].Length);
        StockCandidate? best = null;
        foreach (var path in LabeledRowSearch.Penalties(isSparse: filled < 0.8).GroupBy(penalty => penalty.L1))
        {
            // From strong to weak: what grew worse three times grows worse still. The strongest differ little.
            var (last, worse) = (double.PositiveInfinity, 0);
            foreach (var penalty in path.TakeWhile(_ => worse < 3))
            {
                var judged = Judge(LinearName, Describe(penalty), used =>
                {
                    var model = FitLinear(rows, used, penalty);
                    return row => model(Chosen(row, scale));
                });
                worse = judged.Loss > last ? worse + 1 : 0;
                last = judged.Loss;
                if (best is null || judged.Loss < best.Loss)
                    best = judged;
            }
        }
        return best!;
    }

    /// <summary>Boosted trees, grown so that the held-out labels are most likely.</summary>
    /// <param name="slots">The first slots of a row, which the trees look at.</param>
    public StockCandidate Trees(int slots)
    {
        float[][] rows = [.. _rows.Select(row => Dense(row, slots))];
        StockCandidate? best = null;
        foreach (var settings in LabeledRowSearch.Trees.TakeWhile(s => best is null || s.RowsPerLeaf * 4 <= rows.Length))
        {
            var judged = Judge(TreesName, Describe(settings), used =>
            {
                var trees = TreeEnsemble.Fit(_trainers, [.. used.Select(row => rows[row])], [.. used.Select(row => (float)_classes[row])], _count,
                    settings);
                return row =>
                {
                    var outputs = new double[_count];
                    trees.Score(Dense(row, slots), outputs);
                    return outputs;
                };
            });
            if (best is null || judged.Loss < best.Loss)
                best = judged;
        }
        return best!;
    }

    // Fit: takes numbers of rows, gives the log-odds of the classes for a row as it was given.
    private StockCandidate Judge(string name, string settings, Func<int[], Func<VBuffer<float>, double[]>> fit)
    {
        var (right, logOdds, held) = (0, new List<float>(), new List<int>());
        foreach (var (used, kept) in _folds)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            if (kept.Length == 0)
                continue;
            var model = fit(used);
            foreach (var row in kept)
            {
                var outputs = model(_rows[row]);
                right += Largest(outputs) == _classes[row] ? 1 : 0;
                logOdds.AddRange(outputs.Select(output => (float)output));
                held.Add(_classes[row]);
            }
        }
        // Calibrated: a strong penalty makes a model too cautious, not wrong.
        var loss = held.Count == 0 ? 0 : Calibration.Of([.. logOdds], [.. held], Math.Min(held.Count, _rows.Count)).Loss;
        // One row a class says nothing of any settings: the first ones are taken.
        return new StockCandidate(name, settings, held.Count == 0 ? 0 : (double)right / held.Count, loss, () =>
        {
            var model = fit([.. Enumerable.Range(0, _rows.Count)]);
            return row => Largest(model(row));
        });
    }

    /// <summary>Fits the linear model; it gives the log-odds of the classes for a row.</summary>
    internal Func<VBuffer<float>, double[]> FitLinear(VBuffer<float>[] rows, int[] used, Penalty penalty)
    {
        var view = new LabeledVectorView([.. used.Select(row => rows[row])], used.Select(row => _classes[row]), _count);
        // The trainer's penalties are for the sum of the losses.
        var model = _trainers.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            LabelColumnName = LabeledVectorView.Label, FeatureColumnName = LabeledVectorView.Features, L1Regularization = (float)(penalty.L1 * used.Length),
            L2Regularization = (float)(penalty.L2 * used.Length), MaximumNumberOfIterations = MaximumIterations, OptimizationTolerance = Tolerance,
            NumberOfThreads = 1,
        }).Fit(view).Model;
        VBuffer<float>[]? weights = null;
        model.GetWeights(ref weights, out _);
        float[][] dense = [.. weights.Select(vector => vector.DenseValues().ToArray())];
        float[] biases = [.. model.GetBiases()];
        return row =>
        {
            var values = row.GetValues();
            var indices = row.GetIndices();
            var outputs = new double[dense.Length];
            for (var k = 0; k < outputs.Length; k++)
            {
                double sum = biases[k];
                for (var i = 0; i < values.Length; i++)
                    sum += (double)dense[k][row.IsDense ? i : indices[i]] * values[i];
                outputs[k] = sum;
            }
            return outputs;
        };
    }

    // Of all words few are in few rows: the others would only make weights of 0.
    private static int[] SlotsWithValues(IReadOnlyList<VBuffer<float>> rows)
    {
        var slots = new SortedSet<int>();
        foreach (var row in rows)
        {
            foreach (var (slot, value) in row.Items())
            {
                if (value != 0)
                    slots.Add(slot);
            }
        }
        return slots.Count == 0 ? [0] : [.. slots];
    }

    // The slots that have values in some labeled row, scaled.
    private VBuffer<float> Chosen(VBuffer<float> row, float scale)
    {
        var (slots, values) = (new List<int>(), new List<float>());
        foreach (var (slot, value) in row.Items())
        {
            if (value != 0 && Array.BinarySearch(_slots, slot) is >= 0 and var place)
            {
                slots.Add(place);
                values.Add(value * scale);
            }
        }
        return new VBuffer<float>(_slots.Length, slots.Count, [.. values], [.. slots]);
    }

    private static float[] Dense(VBuffer<float> row, int slots)
    {
        var all = new float[row.Length];
        row.CopyTo(all);
        return all[..slots];
    }

    private static int Largest(double[] values) => Array.IndexOf(values, values.Max());

    private static string Describe(Penalty penalty) => string.Create(CultureInfo.InvariantCulture,
        $"{(penalty.L1 > 0 ? $"L1 {penalty.L1:0.####}, " : "")}L2 {penalty.L2:0.####}");

    private static string Describe(TreeSettings settings) => string.Create(CultureInfo.InvariantCulture,
        $"{settings.Leaves} leaves, {settings.RowsPerLeaf} rows a leaf, {settings.Rounds} rounds");
}
