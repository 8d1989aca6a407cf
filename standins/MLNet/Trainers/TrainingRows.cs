using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The rows of a training set in memory: features densely or sparsely, whichever is smaller, labels and weights beside
/// them.</summary>
internal sealed class TrainingRows
{
    private readonly float[] _values;
    private readonly int[] _indices;
    private readonly int[] _starts;

    private TrainingRows(int featureCount, float[] values, int[] indices, int[] starts, float[] labels, float[] weights)
    {
        FeatureCount = featureCount;
        (_values, _indices, _starts) = (values, indices, starts);
        (Labels, Weights) = (labels, weights);
    }

    public int FeatureCount { get; }
    public int Count => Labels.Length;
    public bool IsDense => _indices == null;

    /// <summary>Keys count from 0, false and true are 0 and 1.</summary>
    public float[] Labels { get; }

    /// <summary>Null if all rows weigh the same.</summary>
    public float[] Weights { get; }

    /// <summary>Rows that were left out because their features, label or weight is missing.</summary>
    public long Skipped { get; private init; }

    public ReadOnlySpan<float> Row(int row) => _values.AsSpan(row * FeatureCount, FeatureCount);

    public ReadOnlySpan<float> SparseValues(int row) => _values.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);
    public ReadOnlySpan<int> SparseIndices(int row) => _indices.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);

    public float Weight(int row) => Weights == null ? 1 : Weights[row];

    public static TrainingRows Read(IDataView data, string features, string label, string weight)
    {
        var schema = data.Schema;
        var featureColumn = schema[features];
        var columns = new[] { features, label, weight }.Where(name => name != null).Select(name => schema[name]);
        using var cursor = data.GetRowCursor(columns);
        var getFeatures = cursor.GetGetter<VBuffer<float>>(featureColumn);
        var getLabel = label == null ? null : Numbers.GetterOf(cursor, schema[label]);
        var getWeight = weight == null ? null : cursor.GetGetter<float>(schema[weight]);
        var size = ((VectorDataViewType)featureColumn.Type).Size;
        var (values, indices, starts) = (new List<float>(), new List<int>(), new List<int> { 0 });
        var (labels, weights) = (new List<float>(), new List<float>());
        long skipped = 0;
        VBuffer<float> row = default;
        var rowWeight = 1f;
        while (cursor.MoveNext())
        {
            getFeatures(ref row);
            var rowLabel = getLabel == null ? 0 : (float)getLabel();
            getWeight?.Invoke(ref rowWeight);
            if (!AllFinite(row.GetValues()) || !float.IsFinite(rowLabel) || !(rowWeight > 0 && rowWeight < float.PositiveInfinity))
            {
                skipped++;
                continue;
            }

            Contracts.Check(null, row.Length == size, $"Features of row {cursor.Position} have {row.Length} slots, expected {size}");
            labels.Add(rowLabel);
            weights.Add(rowWeight);
            Append(row, values, indices);
            starts.Add(values.Count);
            Contracts.Check(null, values.Count <= Array.MaxLength - size, "The training data is too large to be held in memory");
        }

        var sparse = new TrainingRows(
            size, [.. values], [.. indices], [.. starts], [.. labels], weight == null ? null : [.. weights]) { Skipped = skipped };
        return 3L * values.Count < (long)size * labels.Count ? sparse : sparse.ToDense();
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }

    private static void Append(in VBuffer<float> row, List<float> values, List<int> indices)
    {
        var source = row.GetValues();
        var positions = row.GetIndices();
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] != 0)
            {
                values.Add(source[i]);
                indices.Add(row.IsDense ? i : positions[i]);
            }
        }
    }

    private TrainingRows ToDense()
    {
        var dense = new float[(long)FeatureCount * Count];
        for (var row = 0; row < Count; row++)
        {
            for (var i = _starts[row]; i < _starts[row + 1]; i++)
            {
                dense[(row * FeatureCount) + _indices[i]] = _values[i];
            }
        }

        return new TrainingRows(FeatureCount, dense, null, null, Labels, Weights) { Skipped = Skipped };
    }
}
