using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Table rows as plain arrays, and what methods do to them, cell by cell: numbers first, categories behind them.</summary>
internal sealed class TableRows
{
    /// <summary>Three numbers and three categories.</summary>
    public static readonly TableLayout Layout = new(["a", "b", "c"], ["d", "e", "f"], [6, 5, 4], [[-1, 1], [-1, 1], [-1, 1]]);

    private readonly float[][] _numbers;
    private readonly bool[][] _missing;
    private readonly long[][] _codes;

    private TableRows(float[][] numbers, bool[][] missing, long[][] codes) => (_numbers, _missing, _codes) = (numbers, missing, codes);

    public TableRows(TableBatch batch) : this(batch.Numbers.Rows<float>(), batch.Missing.Rows<bool>(), batch.Codes.Rows<long>())
    {
    }

    /// <summary>Some rows of a seed; a fifth of the cells is missing.</summary>
    public static TableRows Random(int count, int seed) => new(TableBatches.Random(Layout, count, seed, missing: 0.2));

    public int Count => _numbers.Length;

    public static int Cells => Layout.CellCount;

    private static int Numeric => Layout.NumericCount;

    public TableBatch ToBatch()
    {
        float[] numbers = [.. _numbers.SelectMany(row => row)];
        bool[] missing = [.. _missing.SelectMany(row => row)];
        long[] codes = [.. _codes.SelectMany(row => row)];
        return new TableBatch(tensor(numbers, [Count, Numeric]), tensor(missing, [Count, Numeric]),
            tensor(codes, [Count, Cells - Numeric]));
    }

    /// <summary>Whether a cell has a value.</summary>
    public bool IsKnown(int row, int cell)
        => cell < Numeric ? !_missing[row][cell] : _codes[row][cell - Numeric] != TableLayout.MissingCode;

    /// <summary>Whether a cell is the same in other rows.</summary>
    public bool IsSame(TableRows other, int row, int cell) => cell < Numeric
        ? _numbers[row][cell] == other._numbers[row][cell] && _missing[row][cell] == other._missing[row][cell]
        : _codes[row][cell - Numeric] == other._codes[row][cell - Numeric];

    /// <summary>Cells that are chosen, each from the row that is drawn for it.</summary>
    public TableRows Swapped(double rate, Generator generator)
    {
        double[][] draws = Numbers.Rows(Draws.Uniform([Count, Cells], CPU, generator));
        long[][] sources = Draws.Integers(0, Count, [Count, Cells], CPU, generator).Rows<long>();
        return Changed((row, cell) => draws[row][cell] < rate ? (int)sources[row][cell] : row);
    }

    /// <summary>Cells that look like missing ones: 0 with the indicator set, respectively the entry of missing categories.</summary>
    public TableRows WithHidden(Func<int, int, bool> isHidden)
    {
        var hidden = Changed((row, _) => row);
        for (var row = 0; row < Count; row++)
        {
            for (var cell = 0; cell < Cells; cell++)
            {
                if (!isHidden(row, cell))
                    continue;
                if (cell < Numeric)
                    (hidden._numbers[row][cell], hidden._missing[row][cell]) = (0, true);
                else
                    hidden._codes[row][cell - Numeric] = TableLayout.MissingCode;
            }
        }
        return hidden;
    }

    /// <summary>
    /// The cells to be told: known ones with a draw below the ratio; of each row the known one with the lowest draw in any case, the one
    /// with the highest never.
    /// </summary>
    public bool[][] Masked(double ratio, Generator generator)
    {
        double[][] draws = Numbers.Rows(Draws.Uniform([Count, Cells], CPU, generator));
        return [.. draws.Select((draw, row) =>
        {
            int[] known = [.. Enumerable.Range(0, Cells).Where(cell => IsKnown(row, cell))];
            int lowest = known.MinBy(cell => draw[cell]), highest = known.MaxBy(cell => draw[cell]);
            return Enumerable.Range(0, Cells)
                .Select(cell => known.Contains(cell) && cell != highest && (cell == lowest || draw[cell] < ratio)).ToArray();
        })];
    }

    /// <summary>All known cells.</summary>
    public bool[][] Known() => [.. Enumerable.Range(0, Count)
        .Select(row => Enumerable.Range(0, Cells).Select(cell => IsKnown(row, cell)).ToArray())];

    /// <summary>The error of a cell: squared of a number, cross entropy of a category among the entries of its column.</summary>
    public double Error(CellPredictions told, int row, int cell)
    {
        if (cell < Numeric)
            return Math.Pow(Numbers.Rows(told.Numbers)[row][cell] - _numbers[row][cell], 2);
        double[] scores = Numbers.Cubes(told.Logits)[row][cell - Numeric][..Layout.CategoryCounts[cell - Numeric]];
        return Numbers.CrossEntropy(scores, (int)_codes[row][cell - Numeric]);
    }

    /// <summary>The mean error over the cells that count, numbers and categories alike.</summary>
    public double MeanError(CellPredictions told, bool[][] chosen)
    {
        List<double> errors = [];
        for (var row = 0; row < Count; row++)
        {
            for (var cell = 0; cell < Cells; cell++)
            {
                if (chosen[row][cell])
                    errors.Add(Error(told, row, cell));
            }
        }
        return errors.Average();
    }

    private TableRows Changed(Func<int, int, int> source)
    {
        T[][] take<T>(T[][] cells, int offset) => [.. Enumerable.Range(0, Count)
            .Select(row => Enumerable.Range(0, cells[row].Length).Select(i => cells[source(row, offset + i)][i]).ToArray())];
        return new TableRows(take(_numbers, 0), take(_missing, 0), take(_codes, Numeric));
    }
}
