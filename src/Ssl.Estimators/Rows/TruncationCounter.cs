using System.Globalization;

namespace Ssl.Estimators.Rows;

/// <summary>Adds up what was cut off texts. Any number of threads may add at once.</summary>
/// <param name="total">Gets all that this gets; may be null.</param>
/// <param name="warn">Told once, at the end of the first pass that cut something; may be null.</param>
internal sealed class TruncationCounter(TruncationCounter? total = null, Action<TruncationCounts>? warn = null)
{
    private long _rows, _rowsCut, _tokens, _tokensCut;
    private int _hasWarned;

    /// <summary>The sums.</summary>
    public TruncationCounts Counts => new(Interlocked.Read(ref _rows), Interlocked.Read(ref _rowsCut), Interlocked.Read(ref _tokens),
        Interlocked.Read(ref _tokensCut));

    /// <summary>Adds what some rows lost.</summary>
    public void Add(TruncationCounts counts)
    {
        if (counts.Rows == 0)
            return;
        Interlocked.Add(ref _rows, counts.Rows);
        Interlocked.Add(ref _rowsCut, counts.RowsCut);
        Interlocked.Add(ref _tokens, counts.Tokens);
        Interlocked.Add(ref _tokensCut, counts.TokensCut);
        total?.Add(counts);
    }

    /// <summary>A pass over rows has ended: warns where something was cut and nobody was warned yet.</summary>
    public void EndPass()
    {
        if (warn is not null && Counts is { RowsCut: > 0 } counts && Interlocked.Exchange(ref _hasWarned, 1) == 0)
            warn(counts);
    }

    /// <summary>What was lost, as a warning; null where nothing was.</summary>
    /// <param name="counts">The sums.</param>
    /// <param name="maximumTokens">Most tokens of a text.</param>
    /// <param name="truncation">What is kept of longer ones.</param>
    public static string? Describe(TruncationCounts counts, int maximumTokens, TextTruncation truncation) => counts.RowsCut == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"{counts.RowsCut:N0} of {counts.Rows:N0} rows ({counts.ShareOfRows:P1})")
        + string.Create(CultureInfo.InvariantCulture, $" have a text of more tokens than the encoder takes ({maximumTokens:N0}): ")
        + string.Create(CultureInfo.InvariantCulture, $"{counts.ShareOfTokens:P1} of all tokens are cut off, ")
        + (truncation == TextTruncation.Head ? "behind the beginning. Truncation HeadAndTail keeps the end, too; an encoder with more MaximumTokens, "
            : "between beginning and end. An encoder with more MaximumTokens, ")
        + "or texts in parts, lose less.";
}
