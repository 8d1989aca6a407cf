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
    private readonly List<ValueGetter<ReadOnlyMemory<char>>> _textGetters = [];
    private readonly List<float> _numbers = [];
    private readonly ReadOnlyMemory<char>[] _texts;
    private float[] _row = [];

    /// <param name="row">Its named columns are active and of an allowed type.</param>
    /// <param name="columns">The columns, in their order.</param>
    public TableCellReader(DataViewRow row, IReadOnlyList<string> columns)
    {
        foreach (var name in columns)
        {
            if (TableColumnKinds.IsText(TableColumnKinds.Of(ColumnShape.Find(row.Schema, name))!.Value))
                _textGetters.Add(TextColumns.Open(row, row.Schema[name]));
            else
                _numberReaders.Add(NumberColumns.Open(row, row.Schema[name]));
        }
        _texts = new ReadOnlyMemory<char>[_textGetters.Count];
    }

    /// <summary>The row on which the input now stands; valid until the next call.</summary>
    public RawRow Read()
    {
        for (var i = 0; i < _texts.Length; i++)
            _textGetters[i](ref _texts[i]);
        _numbers.Clear();
        foreach (var read in _numberReaders)
            read(_numbers);
        if (_row.Length != _numbers.Count)
            _row = new float[_numbers.Count];
        CollectionsMarshal.AsSpan(_numbers).CopyTo(_row);
        return new RawRow(_row, _texts);
    }
}
