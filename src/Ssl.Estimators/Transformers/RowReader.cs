using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Brings the input columns of a row into the neutral form that an encoder model takes.</summary>
internal sealed class RowReader
{
    private readonly Action<List<ReadOnlyMemory<char>>>[] _texts;
    private readonly Action<List<float>>[] _numbers;
    private readonly List<float> _cells = [];
    private readonly List<ReadOnlyMemory<char>> _textCells = [];

    private RowReader(Action<List<ReadOnlyMemory<char>>>[] texts, Action<List<float>>[] numbers) => (_texts, _numbers) = (texts, numbers);

    /// <summary>A reader of these columns; the caller has checked that they are there and have types of their kinds.</summary>
    public static RowReader Open(DataViewRow input, IReadOnlyList<string> columns, IReadOnlyList<InputKind> kinds)
    {
        var all = columns.Select((name, i) => (Column: input.Schema[name], IsNumber: kinds[i] == InputKind.Number)).ToArray();
        return new(
            [.. all.Where(c => !c.IsNumber).Select(c => TextColumns.OpenCells(input, c.Column))],
            [.. all.Where(c => c.IsNumber).Select(c => NumberColumns.Open(input, c.Column))]);
    }

    /// <summary>The row on which the input now stands; its memory is its own.</summary>
    public RawRow Read()
    {
        _textCells.Clear();
        foreach (var read in _texts)
            read(_textCells);
        ReadOnlyMemory<char>[] texts = [.. _textCells];
        if (_numbers.Length == 0)
            return RawRow.OfTexts(texts);
        _cells.Clear();
        foreach (var read in _numbers)
            read(_cells);
        return new RawRow(_cells.ToArray(), texts);
    }
}
