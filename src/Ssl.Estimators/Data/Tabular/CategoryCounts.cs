using System.Globalization;

namespace Ssl.Estimators.Data;

/// <summary>
/// How often each category of a cell occurs. Of more different ones than are held the rarest so far are forgotten on the way, those that
/// occurred once before all: what occurs often is counted all the same, wherever in the data it stands.
/// </summary>
/// <param name="most">Different categories held.</param>
internal sealed class CategoryCounts(int most)
{
    // Fewer rows do not tell an identifier from a category.
    private const int LeastRows = 50;

    private const double IdentifierShare = 0.9;

    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private long _rows;
    private bool _forgets;

    /// <summary>How often the categories that are held occur.</summary>
    public IReadOnlyDictionary<string, int> Names => _counts;

    /// <summary>Counts a category; an empty text is none.</summary>
    public void Add(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
            return;
        _rows++;
        var lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var count))
        {
            lookup[name] = count + 1;
            return;
        }
        for (var rarest = 1; _counts.Count >= most; rarest++)
            Forget(rarest);
        lookup[name] = 1;
    }

    /// <summary>A sentence where the categories are of little use as they are; null where all is well.</summary>
    /// <param name="cell">Name of the cell.</param>
    /// <param name="minimumCount">A category must occur this often to have an entry of its own.</param>
    /// <param name="maximum">The most categories with one.</param>
    public string? Describe(string cell, int minimumCount, int maximum)
    {
        if (_rows < LeastRows)
            return null;
        var text = _forgets ? string.Create(CultureInfo.InvariantCulture, $"more than {most:N0}")
            : _counts.Count.ToString("N0", CultureInfo.InvariantCulture);
        // Rows whose category was seen once, or so seldom that it was forgotten.
        var single = _rows - _counts.Values.Where(count => count > 1).Sum(count => (long)count);
        if (single > IdentifierShare * _rows)
        {
            return string.Create(CultureInfo.InvariantCulture, $"'{cell}' has {text} different values in {_rows:N0} rows, nearly every row its own, ")
                + "as identifiers have: as categories they tell nothing. Leave the column out of InputColumnNames; where it holds sentences, learn "
                + "of it with a text method; where it holds numbers or dates, give it that type.";
        }
        var often = _counts.Values.Where(count => count >= minimumCount).OrderDescending().ToArray();
        if (often.Length <= maximum && !_forgets)
            return null;
        var covered = often.Take(maximum).Sum(count => (long)count) / (double)_rows;
        return string.Create(CultureInfo.InvariantCulture, $"'{cell}' has {text} different values; the {Math.Min(maximum, often.Length):N0} most frequent ones have an entry of ")
            + string.Create(CultureInfo.InvariantCulture, $"their own, which is {covered:P0} of the rows, all others share one. Raise MaximumCategories for more.");
    }

    private void Forget(int rarest)
    {
        _forgets = true;
        foreach (var (name, count) in _counts)
        {
            if (count <= rarest)
                _counts.Remove(name);
        }
    }
}
