using System.Collections;

namespace Microsoft.ML.Data;

/// <summary>A vector value, dense or sparse (sorted indices). Owns its arrays; edited through <see cref="VBufferEditor"/>.</summary>
public readonly struct VBuffer<T> : IEnumerable
{
    private readonly T[] _values;
    private readonly int[] _indices;
    private readonly int _count;

    public readonly int Length;

    public VBuffer(int length, T[] values, int[] indices = null)
    {
        Require(length >= 0, nameof(length));
        Require((values?.Length ?? 0) >= length, nameof(values));
        Length = length;
        _count = length;
        _values = values;
        _indices = indices;
    }

    public VBuffer(int length, int count, T[] values, int[] indices)
    {
        Require(length >= 0, nameof(length));
        Require(count >= 0 && count <= length, nameof(count));
        Require((values?.Length ?? 0) >= count, nameof(values));
        Require(count == length || (indices?.Length ?? 0) >= count, nameof(indices));
        Length = length;
        _count = count;
        _values = values;
        _indices = indices;
    }

    public bool IsDense => _count == Length;

    internal T[] ValueArray => _values;
    internal int[] IndexArray => _indices;
    internal int Count => _count;

    public static void Copy(T[] source, int sourceIndex, ref VBuffer<T> destination, int length)
    {
        var size = source?.Length ?? 0;
        Require(length >= 0 && length <= size, nameof(length));
        Require(sourceIndex >= 0 && sourceIndex <= size - length, nameof(sourceIndex));
        var editor = VBufferEditor.Create(ref destination, length, length);
        source.AsSpan(sourceIndex, length).CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public ReadOnlySpan<T> GetValues() => _values.AsSpan(0, _count);

    public ReadOnlySpan<int> GetIndices() => IsDense ? default : _indices.AsSpan(0, _count);

    public void CopyToDense(ref VBuffer<T> destination)
    {
        var editor = VBufferEditor.Create(ref destination, Length);
        CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination)
    {
        var editor = VBufferEditor.Create(ref destination, Length, _count);
        GetValues().CopyTo(editor.Values);
        if (!IsDense)
        {
            GetIndices().CopyTo(editor.Indices);
        }

        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination, int sourceIndex, int length)
    {
        Require(sourceIndex >= 0 && sourceIndex <= Length, nameof(sourceIndex));
        Require(length >= 0 && sourceIndex <= Length - length, nameof(length));
        var (first, last) = (sourceIndex, sourceIndex + length);
        if (!IsDense)
        {
            first = LowerBound(sourceIndex);
            last = LowerBound(sourceIndex + length);
        }

        var editor = VBufferEditor.Create(ref destination, length, last - first);
        _values.AsSpan(first, last - first).CopyTo(editor.Values);
        if (last - first < length)
        {
            for (var i = first; i < last; i++)
            {
                editor.Indices[i - first] = _indices[i] - sourceIndex;
            }
        }

        destination = editor.Commit();
    }

    public void CopyTo(Span<T> destination) => CopyTo(destination, 0);

    public void CopyTo(Span<T> destination, int destinationIndex, T defaultValue = default)
    {
        if (destinationIndex < 0 || destinationIndex > destination.Length - Length)
        {
            throw new ArgumentOutOfRangeException(nameof(destination), "Not large enough to hold these values.");
        }

        var target = destination.Slice(destinationIndex, Length);
        if (IsDense)
        {
            GetValues().CopyTo(target);
            return;
        }

        target.Fill(defaultValue);
        for (var i = 0; i < _count; i++)
        {
            target[_indices[i]] = _values[i];
        }
    }

    public IEnumerable<KeyValuePair<int, T>> Items(bool all = false)
    {
        var (self, next) = (this, 0);
        for (var i = 0; i < self._count; i++)
        {
            var index = self.IsDense ? i : self._indices[i];
            for (; all && next < index; next++)
            {
                yield return new KeyValuePair<int, T>(next, default);
            }

            yield return new KeyValuePair<int, T>(index, self._values[i]);
            next = index + 1;
        }

        for (; all && next < self.Length; next++)
        {
            yield return new KeyValuePair<int, T>(next, default);
        }
    }

    public IEnumerable<T> DenseValues()
    {
        foreach (var item in Items(all: true))
        {
            yield return item.Value;
        }
    }

    public IEnumerator GetEnumerator() => DenseValues().GetEnumerator();

    public void GetItemOrDefault(int index, ref T destination) => destination = GetItemOrDefault(index);

    public T GetItemOrDefault(int index)
    {
        Require(index >= 0 && index < Length, nameof(index));
        if (IsDense)
        {
            return _values[index];
        }

        var at = LowerBound(index);
        return at < _count && _indices[at] == index ? _values[at] : default;
    }

    public override string ToString() =>
        IsDense ? $"Dense vector of size {Length}" : $"Sparse vector of size {Length}, {_count} explicit values";

    private static void Require(bool condition, string name)
    {
        if (!condition)
        {
            throw new ArgumentOutOfRangeException(name);
        }
    }

    private int LowerBound(int index)
    {
        if (_count == 0)
        {
            return 0;
        }

        var at = Array.BinarySearch(_indices, 0, _count, index);
        return at >= 0 ? at : ~at;
    }
}
