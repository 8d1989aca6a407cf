using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Brings the input columns of a row into the neutral form that an encoder model takes.</summary>
internal sealed class RowReader
{
    private readonly ValueGetter<ReadOnlyMemory<char>>[] _texts;

    private RowReader(ValueGetter<ReadOnlyMemory<char>>[] texts) => _texts = texts;

    /// <summary>A reader of these text columns; the caller has checked that they are there and are text.</summary>
    public static RowReader OfTexts(DataViewRow input, IReadOnlyList<string> columns)
        => new([.. columns.Select(name => input.GetGetter<ReadOnlyMemory<char>>(input.Schema[name]))]);

    /// <summary>The row on which the input now stands.</summary>
    public RawRow Read()
    {
        var texts = new ReadOnlyMemory<char>[_texts.Length];
        for (var i = 0; i < texts.Length; i++)
            _texts[i](ref texts[i]);
        return RawRow.OfTexts(texts);
    }
}
