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

    private const string CategoriesKey = "categories", RareKey = "rare";

    private readonly string[] _categories;
    private readonly string[] _rare;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _codes;

    public CategoryVocabulary(IReadOnlyList<string> categories, IReadOnlyList<string> rare)
    {
        _categories = [.. categories];
        _rare = [.. rare];
        var codes = new Dictionary<string, int>(categories.Count + rare.Count, StringComparer.Ordinal);
        foreach (var name in rare)
            codes[name] = TableLayout.RareCode;
        for (var i = 0; i < _categories.Length; i++)
            codes[_categories[i]] = TableLayout.SpecialCount + i;
        _codes = codes.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The two values of a boolean.</summary>
    public static CategoryVocabulary Boolean() => new(["0", "1"], []);

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
    public static int CodeOfBoolean(float value)
        => float.IsNaN(value) ? TableLayout.MissingCode : value is 0 or 1 ? TableLayout.SpecialCount + (int)value : TableLayout.UnseenCode;

    public JsonObject ToJson() => new()
    {
        [CategoriesKey] = new JsonArray([.. _categories.Select(name => (JsonNode)name)]),
        [RareKey] = new JsonArray([.. _rare.Select(name => (JsonNode)name)]),
    };

    public static CategoryVocabulary FromJson(JsonObject json) => new(Names(json[CategoriesKey]!), Names(json[RareKey]!));

    private static string[] Names(JsonNode array) => [.. array.AsArray().Select(name => (string)name!)];
}
