using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Ssl.Estimators.Rows;

/// <summary>
/// What a pass over rows finds that differs from what the encoder was fitted on, counted, to be told in one sentence at its end. Any number
/// of threads may count.
/// </summary>
/// <param name="truncation">Gets what rows lose because the encoder takes no more; may be null.</param>
internal sealed class RowNotices(TruncationCounter? truncation = null)
{
    private const int NamedNotices = 10;

    // What is usual in some rows is worth a word where so many have it.
    private const long LeastRows = 20;
    private const double LeastShare = 0.5;

    private readonly ConcurrentDictionary<string, StrongBox<long>> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StrongBox<long>> _usual = new(StringComparer.Ordinal);
    private long _rows;
    private volatile bool _found, _foundUsual;

    /// <summary>Adds up what rows lose because the encoder takes no more; may be null.</summary>
    public TruncationCounter? Truncation => truncation;

    /// <summary>Whether anything was found that is worth a word. Asked after every row of a <c>PredictionEngine</c>.</summary>
    public bool Any => _found || _foundUsual && Frequent.Any();

    /// <summary>One row more was looked at.</summary>
    public void CountRow() => Interlocked.Increment(ref _rows);

    /// <summary>One row more has this.</summary>
    /// <param name="what">The end of a sentence whose beginning is "3 of 100 rows have": "another value in column 'A'".</param>
    public void Count(string what)
    {
        Interlocked.Increment(ref _counts.GetOrAdd(what, static _ => new StrongBox<long>()).Value);
        _found = true;
    }

    /// <summary>The same of what some rows may well have: it is told where at least half of them do.</summary>
    public void CountUsual(string what)
    {
        Interlocked.Increment(ref _usual.GetOrAdd(what, static _ => new StrongBox<long>()).Value);
        _foundUsual = true;
    }

    /// <summary>All of it in one sentence, what most rows have first.</summary>
    /// <param name="where">What was done with the rows: "Scoring".</param>
    public string Describe(string where)
    {
        var found = _counts.Concat(Frequent).OrderByDescending(pair => pair.Value.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        var texts = found.Take(NamedNotices).Select(pair => string.Create(CultureInfo.InvariantCulture,
            $"{pair.Value.Value:N0} of {_rows:N0} rows have {pair.Key}"));
        var more = found.Length - NamedNotices;
        return string.Create(CultureInfo.InvariantCulture, $"{where}: {string.Join("; ", texts)}")
            + (more > 0 ? string.Create(CultureInfo.InvariantCulture, $"; and the like in {more:N0} further cells.") : ".");
    }

    private IEnumerable<KeyValuePair<string, StrongBox<long>>> Frequent
        => _rows < LeastRows ? [] : _usual.Where(pair => pair.Value.Value >= LeastShare * _rows);
}
