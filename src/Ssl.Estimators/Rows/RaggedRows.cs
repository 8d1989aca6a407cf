using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ssl.Estimators.Rows;

/// <summary>Rows of differing length, one after the other in one array: the items, and four bytes a row.</summary>
/// <typeparam name="T">An item.</typeparam>
internal sealed class RaggedRows<T> where T : unmanaged
{
    private List<T> _items = [];
    private List<int> _ends = [];

    /// <summary>Rows held.</summary>
    public int Count => _ends.Count;

    /// <summary>Items held, over all rows.</summary>
    public int ItemCount => _items.Count;

    /// <summary>Bytes that the content takes.</summary>
    public long Bytes => (long)Unsafe.SizeOf<T>() * _items.Count + sizeof(int) * (long)_ends.Count;

    /// <summary>Items of a row.</summary>
    public int Length(int row) => _ends[row] - Start(row);

    /// <summary>The items of all rows; valid until one is added or dropped.</summary>
    public ReadOnlySpan<T> Items => CollectionsMarshal.AsSpan(_items);

    /// <summary>The items of a row; valid until one is added or dropped.</summary>
    public ReadOnlySpan<T> this[int row] => CollectionsMarshal.AsSpan(_items).Slice(Start(row), Length(row));

    /// <summary>Adds a row.</summary>
    /// <param name="length">Its items.</param>
    /// <returns>Takes them.</returns>
    public Span<T> Add(int length)
    {
        var start = _items.Count;
        CollectionsMarshal.SetCount(_items, start + length);
        _ends.Add(_items.Count);
        return CollectionsMarshal.AsSpan(_items)[start..];
    }

    /// <summary>Drops all rows but these, which come to stand in this order.</summary>
    public void KeepOnly(ReadOnlySpan<int> rows)
    {
        var kept = new RaggedRows<T>();
        foreach (var row in rows)
            this[row].CopyTo(kept.Add(Length(row)));
        (_items, _ends) = (kept._items, kept._ends);
    }

    /// <summary>Drops all rows; the memory is kept.</summary>
    public void Clear()
    {
        _items.Clear();
        _ends.Clear();
    }

    private int Start(int row) => row == 0 ? 0 : _ends[row - 1];
}
