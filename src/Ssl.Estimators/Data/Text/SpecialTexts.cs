using System.Buffers;

namespace Ssl.Estimators.Data;

/// <summary>Finds special tokens that a text holds as they are written, such as [MASK].</summary>
/// <param name="texts">How they are written.</param>
internal sealed class SpecialTexts(string[] texts)
{
    private readonly SearchValues<string> _search = SearchValues.Create(texts, StringComparison.Ordinal);

    /// <summary>The first one in a text; of those that begin at one place the longest.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="found">It; empty where there is none.</param>
    /// <returns>Where it begins; -1 where there is none.</returns>
    public int Find(ReadOnlySpan<char> text, out string found)
    {
        found = "";
        var place = text.IndexOfAny(_search);
        if (place >= 0)
        {
            foreach (var special in texts)
            {
                if (special.Length > found.Length && text[place..].StartsWith(special))
                    found = special;
            }
        }
        return place;
    }
}
