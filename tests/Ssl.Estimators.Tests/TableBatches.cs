using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests;

/// <summary>Table batches made at random.</summary>
internal static class TableBatches
{
    /// <summary>Two numbers and two categories, of which one has three and the other two entries of its own.</summary>
    public static readonly TableLayout Layout = new(["a", "b"], ["c", "d"], [6, 5], [[-2, 0, 2], [-1, 0, 1]]);

    /// <summary>Three numbers only.</summary>
    public static readonly TableLayout Numbers = new(["a", "b", "c"], [], [], [[-2, 0, 2], [-1, 0, 1], [-1, 0, 1]]);

    /// <summary>One category only.</summary>
    public static readonly TableLayout Categories = new([], ["c"], [7], []);

    /// <summary>Rows of a layout; every number and code of a column is another one where there is room.</summary>
    public static TableBatch Random(TableLayout layout, int rows, int seed, double missing = 0.1)
    {
        var random = new Random(seed);
        var numbers = new float[rows * layout.NumericCount];
        var lacking = new bool[numbers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            lacking[i] = random.NextDouble() < missing;
            numbers[i] = lacking[i] ? 0 : random.NextSingle() * 4 - 2;
        }
        var codes = new long[rows * layout.CategoricalCount];
        for (var i = 0; i < codes.Length; i++)
        {
            var count = layout.CategoryCounts[i % layout.CategoricalCount];
            codes[i] = random.NextDouble() < missing ? TableLayout.MissingCode : random.Next(TableLayout.SpecialCount, count);
        }
        return new TableBatch(tensor(numbers).view(rows, layout.NumericCount), tensor(lacking).view(rows, layout.NumericCount),
            tensor(codes).view(rows, layout.CategoricalCount));
    }

    /// <summary>The values of a tensor, row by row.</summary>
    public static T[][] Rows<T>(this Tensor tensor) where T : unmanaged
    {
        T[] values = [.. tensor.contiguous().data<T>()];
        int width = (int)tensor.shape[1];
        return [.. Enumerable.Range(0, (int)tensor.shape[0]).Select(i => values[(i * width)..((i + 1) * width)])];
    }
}
