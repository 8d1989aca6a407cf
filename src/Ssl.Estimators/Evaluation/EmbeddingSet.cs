using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Evaluation;

/// <summary>Rows of one or several columns of vectors and a label, in memory.</summary>
internal sealed class EmbeddingSet
{
    private readonly float[][] _columns;
    private readonly int[] _dimensions;

    private EmbeddingSet(float[][] columns, int[] dimensions, double[] labels, int[] sourceRows)
        => (_columns, _dimensions, Labels, SourceRows) = (columns, dimensions, labels, sourceRows);

    /// <summary>Which rows of the data these are, from 0.</summary>
    public int[] SourceRows { get; }

    /// <summary>Number of rows.</summary>
    public int Count => SourceRows.Length;

    /// <summary>Labels as the reader gave them; empty without a label column.</summary>
    public double[] Labels { get; }

    /// <summary>Length of the vectors of a column.</summary>
    public int Dimension(int column) => _dimensions[column];

    /// <summary>All vectors of a column, [Count, D], in the caller's dispose scope.</summary>
    public Tensor Vectors(int column)
    {
        var vectors = empty([Count, _dimensions[column]], ScalarType.Float32);
        MemoryMarshal.AsBytes(_columns[column].AsSpan(0, Count * _dimensions[column])).CopyTo(vectors.bytes);
        return vectors;
    }

    /// <summary>
    /// All vectors of a column scaled to length 1, Double [Count, D], in the caller's dispose scope: cosines rounded to Single are equal where
    /// vectors are.
    /// </summary>
    public Tensor Directions(int column)
    {
        using var scope = NewDisposeScope();
        var vectors = Vectors(column).to(ScalarType.Float64);           // a Single's square may overflow
        return (vectors / vectors.norm(1, keepdim: true)).MoveToOuterDisposeScope();
    }

    /// <summary>One vector.</summary>
    public ReadOnlySpan<float> Vector(int column, int row) => _columns[column].AsSpan(row * _dimensions[column], _dimensions[column]);

    /// <summary>Reads the rows in which every vector has a direction and the label is there.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="features">Columns of vectors, and what they are for as ML.NET says it.</param>
    /// <param name="label">Name of the label column, or null.</param>
    /// <param name="openLabel">Reads it: NaN where there is none. Throws where the column has another type.</param>
    /// <param name="warn">Told where vectors cannot be used.</param>
    /// <param name="keepUnlabeled">Whether rows without a label stay, with NaN.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <param name="minimumCount">How many such rows there have to be.</param>
    /// <exception cref="InvalidOperationException">There are fewer.</exception>
    public static EmbeddingSet Read(IDataView data, (string Role, string Name)[] features, string? label,
        Func<DataViewRow, DataViewSchema.Column, Func<double>>? openLabel, Action<string> warn, bool keepUnlabeled = false, int minimumCount = 2)
    {
        foreach (var (role, name) in features)
            VectorRows.CheckColumn(role, name, ColumnShape.Find(data.Schema, name, role));
        if (label is not null)
            ColumnShape.Find(data.Schema, label, "label");
        var columns = features.Select(feature => data.Schema[feature.Name]).ToArray();
        var dimensions = columns.Select(column => ((VectorDataViewType)column.Type).Size).ToArray();
        DataViewSchema.Column[] active = label is null ? columns : [.. columns, data.Schema[label]];
        using var cursor = data.GetRowCursor(active.DistinctBy(column => column.Index));
        var getLabel = label is null ? null : openLabel!(cursor, data.Schema[label]);
        var getters = columns.Select(cursor.GetGetter<VBuffer<float>>).ToArray();
        var values = dimensions.Select(_ => new List<float>()).ToArray();
        var rows = dimensions.Select(dimension => new float[dimension]).ToArray();
        var labels = new List<double>();
        VBuffer<float> vector = default;
        var sourceRows = new List<int>();
        var (total, left) = (0, new LeftOutVectors());
        while (cursor.MoveNext())
        {
            total++;
            string? unusable = null;
            for (var i = 0; i < columns.Length; i++)
            {
                getters[i](ref vector);
                vector.CopyTo(rows[i]);
                if (unusable is null && !HasDirection(rows[i]))
                {
                    unusable = features[i].Name;
                    left.Add(unusable, total - 1, rows[i]);
                }
            }

            var value = getLabel?.Invoke() ?? 0;
            if (unusable is not null || (double.IsNaN(value) && !keepUnlabeled))
                continue;
            for (var i = 0; i < columns.Length; i++)
                values[i].AddRange(rows[i]);
            if (getLabel is not null)
                labels.Add(value);
            sourceRows.Add(total - 1);
        }

        if (sourceRows.Count < minimumCount)
        {
            throw new InvalidOperationException($"There are {sourceRows.Count} usable rows among {total}, at least {minimumCount} are needed: rows with vectors that "
                + "are not zero, NaN or infinite" + (label is null ? "." : $", and a label in column '{label}'.") + left.First);
        }

        if (left.Count > 0)
            warn($"{left.Count} of {total} rows do not count: their vectors are zero, NaN or infinite.{left.First}");

        return new EmbeddingSet([.. values.Select(list => list.ToArray())], dimensions, [.. labels], [.. sourceRows]);
    }

    /// <summary>Some of the rows, in their order.</summary>
    public EmbeddingSet Sample(int count, Random random)
    {
        if (count >= Count)
            return this;
        var rows = Enumerable.Range(0, Count).ToArray();
        random.Shuffle(rows);
        rows = [.. rows.Take(count).Order()];
        var columns = _columns.Select((values, c) => rows.SelectMany(row => values.AsSpan(row * _dimensions[c], _dimensions[c]).ToArray())
            .ToArray());
        return new EmbeddingSet([.. columns], _dimensions, Labels.Length == 0 ? [] : [.. rows.Select(row => Labels[row])],
            [.. rows.Select(row => SourceRows[row])]);
    }

    private static bool HasDirection(ReadOnlySpan<float> vector)
    {
        var sum = 0.0;
        foreach (var value in vector)
            sum += (double)value * value;
        return sum > 0 && double.IsFinite(sum);
    }
}
