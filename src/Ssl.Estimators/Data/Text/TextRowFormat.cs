using Microsoft.ML;

namespace Ssl.Estimators.Data;

/// <summary>Text columns as tokens, one store a column. A row in which any of the texts is empty is unusable.</summary>
/// <param name="columns">The text columns.</param>
/// <param name="tokenizer">Cuts them.</param>
/// <param name="maximumTokens">Longer texts are cut off.</param>
/// <param name="addSpecialTokens">Whether texts stand between a class and a separator token.</param>
internal sealed class TextRowFormat(
    IReadOnlyList<string> columns, TextTokenizer tokenizer, int maximumTokens, bool addSpecialTokens) : RowFormat
{
    public override IReadOnlyList<string> Columns => columns;

    public override string Needed => "text";

    public override RowStore[] NewStores() => [.. columns.Select(_ => new TokenRows(tokenizer.Vocabulary.PaddingId))];

    public override Func<RowStore[], bool> Open(DataViewRow row)
    {
        var getters = columns.Select(name => row.GetGetter<ReadOnlyMemory<char>>(row.Schema[name])).ToArray();
        var tokens = columns.Select(_ => new List<int>()).ToArray();
        ReadOnlyMemory<char> text = default;
        return stores =>
        {
            for (var i = 0; i < getters.Length; i++)
            {
                getters[i](ref text);
                tokens[i].Clear();
                if (tokenizer.Encode(text.Span, tokens[i], maximumTokens, addSpecialTokens) == 0)
                    return false;
            }
            for (var i = 0; i < getters.Length; i++)
                ((TokenRows)stores[i]).Add(tokens[i]);
            return true;
        };
    }
}
