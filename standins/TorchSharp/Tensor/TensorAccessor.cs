using System.Collections;

namespace TorchSharp.Utils;

/// <summary>The elements of a tensor in main memory, read and written in place.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private readonly torch.Tensor _tensor;
    private readonly T* _data;
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly bool _contiguous;

    internal TensorAccessor(torch.Tensor tensor)
    {
        // Held so that it is not finalized while its memory is read; disposing it is the caller's affair.
        _tensor = tensor;
        _data = (T*)tensor.DataPointer();
        _shape = tensor.shape;
        _strides = tensor.stride();
        var info = tensor.GetInfo();
        _contiguous = info.Contiguous != 0;
        Count = info.Numel;
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get
        {
            var value = _data[Offset(indices)];
            GC.KeepAlive(_tensor);
            return value;
        }

        set
        {
            _data[Offset(indices)] = value;
            GC.KeepAlive(_tensor);
        }
    }

    public T[] ToArray()
    {
        if (_shape.Length > 1 && !_contiguous)
        {
            using var copy = _tensor.contiguous();
            return new Span<T>((void*)copy.DataPointer(), checked((int)Count)).ToArray();
        }
        var result = new T[Count];
        CopyTo(result);
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        if (_contiguous)
        {
            new Span<T>(_data + tensorIndex, count).CopyTo(array[arrayIndex..]);
            GC.KeepAlive(_tensor);
            return;
        }
        for (var k = 0; k < count; k++) array[arrayIndex + k] = _data[LinearOffset(tensorIndex + k)];
        GC.KeepAlive(_tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        if (_contiguous)
        {
            array.Slice(arrayIndex, count).CopyTo(new Span<T>(_data + tensorIndex, count));
            GC.KeepAlive(_tensor);
            return;
        }
        for (var k = 0; k < count; k++) _data[LinearOffset(tensorIndex + k)] = array[arrayIndex + k];
        GC.KeepAlive(_tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (var k = 0L; k < Count; k++) yield return At(k);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
    }

    private T At(long index) => _data[_contiguous ? index : LinearOffset(index)];

    // One index counts through all elements; several address a dimension each.
    private long Offset(long[] indices)
    {
        if (indices.Length == 1)
        {
            if ((ulong)indices[0] >= (ulong)Count) throw new IndexOutOfRangeException();
            return _contiguous ? indices[0] : LinearOffset(indices[0]);
        }
        var offset = 0L;
        for (var k = 0; k < indices.Length; k++) offset += indices[k] * _strides[k];
        return offset;
    }

    private long LinearOffset(long index)
    {
        var offset = 0L;
        for (var k = _shape.Length - 1; k >= 0; k--)
        {
            offset += index % _shape[k] * _strides[k];
            index /= _shape[k];
        }
        return offset;
    }
}
