using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Evaluation;

/// <summary>What came of a draw of labels.</summary>
/// <param name="Name">What predicted.</param>
/// <param name="Accuracy">Share of the test rows whose class it found.</param>
/// <param name="Settings">What was chosen for it on the labeled rows; empty where nothing was.</param>
/// <param name="IsCandidate">Whether it was only one to choose from.</param>
internal readonly record struct DrawOutcome(string Name, double Accuracy, string Settings = "", bool IsCandidate = false);

/// <summary>Features of the rows that are drawn and of the test rows, and the best that ML.NET's own trainers make of them.</summary>
internal sealed class StockRows
{
    private readonly Dictionary<int, VBuffer<float>> _rows;
    private readonly uint[] _labels;
    private readonly (VBuffer<float> Features, uint Label)[] _test;
    private readonly double _variance;
    private readonly int _treeSlots;

    private StockRows(LabeledRows data, IEnumerable<VBuffer<float>> drawn, IEnumerable<VBuffer<float>> test, double variance, int treeSlots)
    {
        _rows = data.Drawn.Zip(drawn).ToDictionary(pair => pair.First, pair => pair.Second);
        _labels = data.Labels;
        _test = [.. test.Zip(data.TestLabels).Where(pair => pair.Second != 0)];
        (_variance, _treeSlots) = (variance, treeSlots);
    }

    /// <summary>Plain features of the columns that an encoder reads.</summary>
    /// <exception cref="InvalidOperationException">The columns are of a kind that has no plain features.</exception>
    public static StockRows OfColumns(LabeledRows data, EncoderModel encoder, CancellationToken cancellationToken)
    {
        var features = PlainFeatures.Learn(data.Learned(data.All), encoder, cancellationToken);
        return new StockRows(data, features.Of(new ChosenRowsView(data.All, data.Drawn), cancellationToken), features.Of(data.Test, cancellationToken),
            features.Variance, features.HasCells ? features.CellWidth : 0);
    }

    /// <summary>Vectors of a column, each slot standardized.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="embedded">The same rows as <see cref="LabeledRows.All"/>, with the column.</param>
    /// <param name="embeddedTest">The test rows with the column.</param>
    /// <param name="column">Its name.</param>
    public static StockRows OfVectors(LabeledRows data, IDataView embedded, IDataView embeddedTest, string column)
    {
        var size = ((VectorDataViewType)embedded.Schema[column].Type).Size;
        var (mean, squares, count) = (new double[size], new double[size], 0L);
        foreach (var vector in Vectors(data.Learned(embedded)))
        {
            count++;
            for (var i = 0; i < size; i++)
            {
                var before = vector[i] - mean[i];
                mean[i] += before / count;
                squares[i] += before * (vector[i] - mean[i]);
            }
        }
        // A slot that does not vary says nothing.
        double[] factors = [.. squares.Select((square, i) => Math.Sqrt(square / count) is var deviation && deviation > 1e-6 * Math.Abs(mean[i])
            ? 1 / deviation : 0)];
        return new StockRows(data, Vectors(new ChosenRowsView(embedded, data.Drawn)).Select(Standardized), Vectors(embeddedTest).Select(Standardized),
            factors.Count(factor => factor > 0), treeSlots: 0);

        IEnumerable<float[]> Vectors(IDataView view)
        {
            using var cursor = view.GetRowCursor([view.Schema[column]]);
            foreach (var vector in VectorRows.Of(cursor, view.Schema[column]))
                yield return vector;
        }

        VBuffer<float> Standardized(float[] vector)
            => new(size, [.. vector.Select((value, i) => (float)((value - mean[i]) * factors[i]))]);
    }

    /// <summary>The linear model.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="rows">The labeled rows.</param>
    /// <param name="seed">Of the folds.</param>
    /// <param name="cancellationToken">Throws between two fits.</param>
    public IEnumerable<DrawOutcome> Linear(string name, int[] rows, long seed, CancellationToken cancellationToken)
    {
        var linear = Search(rows, seed, cancellationToken).Linear(_variance);
        return [new DrawOutcome(name, Accuracy(linear, rows), linear.Settings)];
    }

    /// <summary>The better of linear model and boosted trees, and both of them; the linear model alone where there are no cells to grow trees on.</summary>
    /// <inheritdoc cref="Linear" path="/param"/>
    public IEnumerable<DrawOutcome> Best(string name, int[] rows, long seed, CancellationToken cancellationToken)
    {
        if (_treeSlots == 0)
            return Linear(name, rows, seed, cancellationToken);
        var search = Search(rows, seed, cancellationToken);
        StockCandidate[] candidates = [search.Linear(_variance), search.Trees(_treeSlots)];
        var best = candidates.OrderByDescending(candidate => candidate.Accuracy).ThenBy(candidate => candidate.Loss).First();
        var outcomes = candidates.Select(candidate => new DrawOutcome(candidate.Name, Accuracy(candidate, rows), candidate.Settings, IsCandidate: true))
            .ToArray();
        return [outcomes.First(outcome => outcome.Name == best.Name) with
        {
            Name = name, Settings = $"{best.Name}: {best.Settings}", IsCandidate = false,
        }, .. outcomes];
    }

    private StockSearch Search(int[] rows, long seed, CancellationToken cancellationToken)
    {
        var classes = Classes(rows);
        return new StockSearch([.. rows.Select(row => _rows[row])], [.. rows.Select(row => Array.IndexOf(classes, _labels[row]))], seed,
            cancellationToken);
    }

    private double Accuracy(StockCandidate candidate, int[] rows)
    {
        var (classes, model) = (Classes(rows), candidate.Fit());
        return _test.Count(row => classes[model(row.Features)] == row.Label) / (double)_test.Length;
    }

    private uint[] Classes(int[] rows) => [.. rows.Select(row => _labels[row]).Distinct().Order()];
}

/// <summary>The rows of a comparison.</summary>
/// <param name="All">All rows, in the same order every time.</param>
/// <param name="Labels">Their keys; 0 where there is none.</param>
/// <param name="KeptOut">Numbers of the rows that are kept out to test on; empty where test rows are given.</param>
/// <param name="Drawn">Numbers of the rows whose label any draw shows, rising.</param>
/// <param name="Test">The rows to test on.</param>
/// <param name="TestLabels">Their keys; 0 where there is none.</param>
internal sealed record LabeledRows(IDataView All, uint[] Labels, int[] KeptOut, int[] Drawn, IDataView Test, uint[] TestLabels)
{
    /// <summary>The rows from which scales may be learned, with labels or without: all but those that are kept out.</summary>
    /// <param name="view">The rows as they are, or with further columns.</param>
    public IDataView Learned(IDataView view)
        => KeptOut.Length == 0 ? view : new ChosenRowsView(view, Enumerable.Range(0, Labels.Length).Except(KeptOut));
}
