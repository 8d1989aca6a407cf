using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Data;

/// <summary>
/// Reads table columns of any allowed type in the neutral form: numbers and booleans (0 and 1) as Single, texts and the values of keys as
/// texts. The row's memory is the reader's own and changes with the next row.
/// </summary>
internal sealed class TableCellReader
{
    private readonly List<Action<List<float>>> _numberReaders = [];
    private readonly List<Action<List<ReadOnlyMemory<char>>>> _textReaders = [];
    private readonly List<float> _numbers = [];
    private readonly List<ReadOnlyMemory<char>> _texts = [];
    private float[] _row = [];
    private ReadOnlyMemory<char>[] _rowTexts = [];

    /// <param name="row">Its named columns are active and of an allowed type.</param>
    /// <param name="columns">The columns, in their order.</param>
    public TableCellReader(DataViewRow row, IReadOnlyList<string> columns)
    {
        foreach (var name in columns)
        {
            if (TableColumnKinds.IsText(TableColumnKinds.Of(ColumnShape.Find(row.Schema, name))!.Value))
                _textReaders.Add(TextColumns.OpenCells(row, row.Schema[name]));
            else
                _numberReaders.Add(NumberColumns.Open(row, row.Schema[name]));
        }
    }

    /// <summary>The row on which the input now stands; valid until the next call.</summary>
    public RawRow Read()
    {
        _texts.Clear();
        foreach (var read in _textReaders)
            read(_texts);
        if (_rowTexts.Length != _texts.Count)
            _rowTexts = new ReadOnlyMemory<char>[_texts.Count];
        CollectionsMarshal.AsSpan(_texts).CopyTo(_rowTexts);
        _numbers.Clear();
        foreach (var read in _numberReaders)
            read(_numbers);
        if (_row.Length != _numbers.Count)
            _row = new float[_numbers.Count];
        CollectionsMarshal.AsSpan(_numbers).CopyTo(_row);
        return new RawRow(_row, _rowTexts);
    }
}
