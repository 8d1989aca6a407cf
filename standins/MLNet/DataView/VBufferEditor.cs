namespace Microsoft.ML.Data;

/// <summary>Makes editors that reuse a buffer's arrays where they are large enough.</summary>
public static class VBufferEditor
{
    public static VBufferEditor<T> CreateFromBuffer<T>(ref VBuffer<T> destination) =>
        Create(ref destination, destination.Length, destination.GetValues().Length);

    public static VBufferEditor<T> Create<T>(
        ref VBuffer<T> destination,
        int newLogicalLength,
        int? valuesCount = null,
        int? maxValuesCapacity = null,
        bool keepOldOnResize = false,
        bool requireIndicesOnDense = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newLogicalLength);
        if (valuesCount is { } asked && (asked < 0 || asked > newLogicalLength))
        {
            throw new ArgumentOutOfRangeException(nameof(valuesCount));
        }

        var count = valuesCount ?? newLogicalLength;
        var capacity = Math.Max(count, maxValuesCapacity ?? 0);
        var values = Ensure(destination.ValueArray, count, capacity, keepOldOnResize, out var newValues);
        var indices = destination.IndexArray;
        var newIndices = false;
        if (count < newLogicalLength || requireIndicesOnDense)
        {
            indices = Ensure(indices, count, capacity, keepOldOnResize, out newIndices);
        }

        return new VBufferEditor<T>(newLogicalLength, count, values, indices, requireIndicesOnDense, newValues, newIndices);
    }

    private static TItem[] Ensure<TItem>(TItem[] array, int count, int capacity, bool keep, out bool created)
    {
        created = (array?.Length ?? 0) < count;
        if (!created)
        {
            return array ?? [];
        }

        var result = new TItem[capacity];
        if (keep && array != null)
        {
            Array.Copy(array, result, array.Length);
        }

        return result;
    }
}

/// <summary>The arrays of a buffer, open for writing until <see cref="Commit"/>.</summary>
public readonly ref struct VBufferEditor<T>
{
    private readonly int _length;
    private readonly T[] _values;
    private readonly int[] _indices;

    public readonly Span<T> Values;
    public readonly Span<int> Indices;

    internal VBufferEditor(int length, int count, T[] values, int[] indices, bool requireIndices, bool newValues, bool newIndices)
    {
        _length = length;
        _values = values;
        _indices = indices;
        Values = values.AsSpan(0, count);
        Indices = count < length || requireIndices ? indices.AsSpan(0, count) : default;
        CreatedNewValues = newValues;
        CreatedNewIndices = newIndices;
    }

    public bool CreatedNewValues { get; }
    public bool CreatedNewIndices { get; }

    public VBuffer<T> Commit() => new(_length, Values.Length, _values, _indices);

    public VBuffer<T> CommitTruncated(int physicalValuesCount)
    {
        if (physicalValuesCount < 0 || physicalValuesCount > Values.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(physicalValuesCount),
                "Updating physicalValuesCount during Commit(int) cannot be greater than the original value.");
        }

        return new VBuffer<T>(_length, physicalValuesCount, _values, _indices);
    }
}
