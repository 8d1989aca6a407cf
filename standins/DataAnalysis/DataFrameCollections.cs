using System.Collections.ObjectModel;

namespace Microsoft.Data.Analysis;

/// <summary>The columns of a frame, by place and by name.</summary>
public class DataFrameColumnCollection : Collection<DataFrameColumn>
{
    private readonly Action _changed;

    internal DataFrameColumnCollection(IEnumerable<DataFrameColumn> columns, Action changed)
    {
        _changed = changed;
        foreach (var column in columns ?? throw new ArgumentNullException(nameof(columns)))
            Add(column);
    }

    public DataFrameColumn this[string columnName]
    {
        get => IndexOf(columnName) is >= 0 and var index ? this[index]
            : throw new ArgumentException($"{columnName} does not exist", nameof(columnName));
        set
        {
            var index = IndexOf(columnName);
            if (index >= 0)
                this[index] = value;
            else
                Add(value);
        }
    }

    public int IndexOf(string columnName)
    {
        for (var i = 0; i < Count; i++)
        {
            if (this[i].Name == columnName)
                return i;
        }
        return -1;
    }

    internal long RowCount => Count == 0 ? 0 : this[0].Length;

    protected override void InsertItem(int columnIndex, DataFrameColumn column)
    {
        Check(column, -1);
        base.InsertItem(columnIndex, column);
        _changed();
    }

    protected override void SetItem(int columnIndex, DataFrameColumn column)
    {
        Check(column, columnIndex);
        base.SetItem(columnIndex, column);
        _changed();
    }

    protected override void RemoveItem(int columnIndex)
    {
        base.RemoveItem(columnIndex);
        _changed();
    }

    protected override void ClearItems()
    {
        base.ClearItems();
        _changed();
    }

    private void Check(DataFrameColumn column, int place)
    {
        ArgumentNullException.ThrowIfNull(column);
        if (Count > 0 && !(Count == 1 && place == 0) && column.Length != RowCount)
            throw new ArgumentException("Column lengths are mismatched", nameof(column));
        if (IndexOf(column.Name) is >= 0 and var other && other != place)
            throw new ArgumentException($"DataFrame already contains a column called {column.Name}", nameof(column));
    }
}

/// <summary>The rows of a frame.</summary>
public class DataFrameRowCollection
{
    private readonly DataFrame _frame;

    internal DataFrameRowCollection(DataFrame frame) => _frame = frame;

    public long Count => _frame.Columns.RowCount;
}
