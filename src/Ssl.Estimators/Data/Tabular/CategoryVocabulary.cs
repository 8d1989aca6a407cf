using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Data;

/// <summary>
/// The categories of one cell. Entries: missing, unseen, rare (<see cref="TableLayout"/>), then the categories, the most frequent first.
/// </summary>
internal sealed class CategoryVocabulary
{
    // Beyond it a rare category counts as unseen: names are kept to tell the two apart, and there may be as many as rows.
    private const int MostRareNames = 10_000;

    private const string CategoriesKey = "categories", RareKey = "rare", OnlyKey = "only";

    private readonly string[] _categories;
    private readonly string[] _rare;
    private readonly string? _only;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _codes;

    /// <param name="categories">Names of the categories, the most frequent first.</param>
    /// <param name="rare">Names of rare ones.</param>
    /// <param name="only">The one of several categories that the training data had; null where they had them all.</param>
    public CategoryVocabulary(IReadOnlyList<string> categories, IReadOnlyList<string> rare, string? only = null)
    {
        _only = only ?? (categories.Count + rare.Count == 1 ? categories.Concat(rare).Single() : null);
        IsConstant = _only is not null || categories.Count + rare.Count == 0;
        _categories = [.. categories];
        _rare = [.. rare];
        var codes = new Dictionary<string, int>(categories.Count + rare.Count, StringComparer.Ordinal);
        foreach (var name in rare)
            codes[name] = TableLayout.RareCode;
        for (var i = 0; i < _categories.Length; i++)
            codes[_categories[i]] = TableLayout.SpecialCount + i;
        _codes = codes.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Names of the categories, the most frequent first.</summary>
    public IReadOnlyList<string> Categories => _categories;

    /// <summary>Names of the rare ones, which share an entry.</summary>
    public IReadOnlyList<string> Rare => _rare;

    /// <summary>Whether the training data had one category at most.</summary>
    public bool IsConstant { get; }

    /// <summary>That category in words.</summary>
    public string ConstantText => _only is null ? "no value" : $"'{_only}'";

    /// <summary>The two values of a boolean.</summary>
    /// <param name="hasFalse">Whether the training data have rows where it is false.</param>
    /// <param name="hasTrue">Whether they have rows where it is true.</param>
    public static CategoryVocabulary Boolean(bool hasFalse, bool hasTrue)
        => new(["0", "1"], [], hasFalse == hasTrue ? null : hasTrue ? "1" : "0");

    /// <summary>The categories that occur often enough, the most frequent first; others are rare.</summary>
    /// <param name="counts">How often each occurs.</param>
    /// <param name="minimumCount">A category must occur this often.</param>
    /// <param name="maximum">The most categories.</param>
    public static CategoryVocabulary Learn(IReadOnlyDictionary<string, int> counts, int minimumCount, int maximum)
    {
        var ordered = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        var kept = Math.Min(maximum, ordered.TakeWhile(pair => pair.Value >= minimumCount).Count());
        return new CategoryVocabulary([.. ordered.Take(kept).Select(pair => pair.Key)],
            [.. ordered.Skip(kept).Take(MostRareNames).Select(pair => pair.Key)]);
    }

    /// <summary>Entries, special ones included.</summary>
    public int Count => TableLayout.SpecialCount + _categories.Length;

    /// <summary>The entry of a text; white space at the ends does not count, and a text of nothing else is missing.</summary>
    public int CodeOf(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        return text.IsEmpty ? TableLayout.MissingCode : _codes.TryGetValue(text, out var code) ? code : TableLayout.UnseenCode;
    }

    /// <summary>The entry of a boolean in the vocabulary of <see cref="Boolean"/>; NaN is missing.</summary>
    public static int CodeOfBoolean(double value)
        => double.IsNaN(value) ? TableLayout.MissingCode : value is 0 or 1 ? TableLayout.SpecialCount + (int)value : TableLayout.UnseenCode;

    /// <summary>Whether an entry is another one than the only one of the training data: of it nothing was learned.</summary>
    public bool Hides(int code) => IsConstant && code == TableLayout.UnseenCode;

    /// <summary>The same for a boolean.</summary>
    public bool Hides(double boolean) => _only is not null && !double.IsNaN(boolean) && (boolean == 1) != (_only == "1");

    public JsonObject ToJson() => new()
    {
        [CategoriesKey] = new JsonArray([.. _categories.Select(name => (JsonNode)name)]),
        [RareKey] = new JsonArray([.. _rare.Select(name => (JsonNode)name)]),
        [OnlyKey] = _only,
    };

    public static CategoryVocabulary FromJson(JsonObject json) => new(Names(json[CategoriesKey]!), Names(json[RareKey]!), (string?)json[OnlyKey]);

    private static string[] Names(JsonNode array) => [.. array.AsArray().Select(name => (string)name!)];
}
