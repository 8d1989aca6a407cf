namespace Ssl.Estimators.Data;

/// <summary>Cuts texts into no more tokens than an encoder takes, and counts what is lost. Used by one thread at a time.</summary>
/// <param name="tokenizer">Cuts texts.</param>
/// <param name="maximumTokens">Most tokens, special ones included.</param>
/// <param name="addSpecialTokens">Whether the class token is put before and the separator behind a text.</param>
/// <param name="truncation">What is kept.</param>
internal sealed class TextCutter(TextTokenizer tokenizer, int maximumTokens, bool addSpecialTokens, TextTruncation truncation)
{
    // Texts whose end is not kept are counted to their end while that is little work: these units of text, and a part of what is kept. Of
    // others the length tells, at the rate of those.
    private const long FreeUnits = 1 << 16, KeptTokensAUnit = 5;

    private const int SampledUnits = 4096;

    private readonly int _frame = addSpecialTokens ? 2 : 0;
    private readonly List<int> _counted = [];
    private long _kept;
    private long _countedUnits;
    private long _countedTokens;

    /// <summary>Tokens that the last text has, special ones not counted.</summary>
    public long Tokens { get; private set; }

    /// <summary>How many of them were cut off.</summary>
    public long TokensCut { get; private set; }

    /// <summary>Appends the token ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="destination">Takes the ids.</param>
    /// <returns>The number of ids appended; 0 for a text without a visible character.</returns>
    public int Encode(ReadOnlySpan<char> text, List<int> destination)
    {
        // One more than fits tells whether there is more.
        var limit = truncation == TextTruncation.HeadAndTail || maximumTokens == int.MaxValue ? int.MaxValue : maximumTokens + 1;
        var first = destination.Count + _frame / 2;
        var count = tokenizer.Encode(text, destination, limit, addSpecialTokens);
        Tokens = Math.Max(0, count - _frame);
        if (count > maximumTokens)
        {
            var (own, room) = (count - _frame, maximumTokens - _frame);
            destination.RemoveRange(first + (truncation == TextTruncation.HeadAndTail ? (room + 1) / 2 : room), own - room);
            if (truncation == TextTruncation.Head)
                Tokens = Math.Max(own, Count(text));
            count = maximumTokens;
        }
        TokensCut = Math.Max(0, Tokens - Math.Max(0, count - _frame));
        _kept += Tokens - TokensCut;
        return count;
    }

    private long Count(ReadOnlySpan<char> text)
    {
        if (_countedUnits + text.Length <= FreeUnits + _kept / KeptTokensAUnit)
            return CountAll(text);
        if (_countedUnits == 0)
            CountAll(text[..Math.Min(SampledUnits, text.Length)]);
        return (long)Math.Round((double)_countedTokens / _countedUnits * text.Length);
    }

    private int CountAll(ReadOnlySpan<char> text)
    {
        _counted.Clear();
        var count = tokenizer.Encode(text, _counted);
        _countedUnits += text.Length;
        _countedTokens += count;
        return count;
    }
}
