using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>
/// Byte-level byte-pair encoding (Radford et al., GPT-2, 2019; RoBERTa): the bytes of a word in UTF-8, each written as a visible character, are
/// merged pair by pair in the order in which the pairs were learned.
/// </summary>
internal sealed class BytePairModel : SubwordModel
{
    private static readonly string[] s_contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private static readonly char[] s_charOfByte = MakeCharacters();

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _merges = [];
    private readonly int[] _idOfByte = new int[256];
    private readonly bool _addPrefixSpace;

    /// <summary>The model of a tokenizer.json.</summary>
    /// <param name="model">Its "model".</param>
    /// <param name="addPrefixSpace">Whether a text is given a space before its first word.</param>
    /// <param name="unknownId">Stands for bytes that the vocabulary lacks.</param>
    /// <exception cref="FormatException">It is incomplete.</exception>
    public BytePairModel(JsonObject model, bool addPrefixSpace, int unknownId)
    {
        _addPrefixSpace = addPrefixSpace;
        _ids = model["vocab"]!.AsObject().ToDictionary(entry => entry.Key, entry => (int)entry.Value!, StringComparer.Ordinal);
        foreach (var merge in model["merges"]!.AsArray())
        {
            var (left, right) = merge is JsonArray pair ? ((string)pair[0]!, (string)pair[1]!)
                : ((string)merge!).Split(' ') is [var first, var second] ? (first, second)
                : throw new FormatException($"The merge \"{merge}\" is no pair.");
            if (!_ids.TryGetValue(left, out var leftId) || !_ids.TryGetValue(right, out var rightId) || !_ids.TryGetValue(left + right, out var merged))
                throw new FormatException($"The merge of \"{left}\" and \"{right}\" names a token that the vocabulary lacks.");
            _merges.TryAdd((leftId, rightId), (_merges.Count, merged));
        }
        for (var b = 0; b < 256; b++)
            _idOfByte[b] = _ids.TryGetValue(s_charOfByte[b].ToString(), out var id) ? id : unknownId;
    }

    public override IReadOnlyDictionary<string, int> Ids => _ids;

    public override void Append(ReadOnlySpan<char> text, List<int> destination, int wanted)
    {
        if (_addPrefixSpace && text.Length > 0 && text[0] != ' ')
            text = $" {text}";
        while (text.Length > 0 && destination.Count < wanted)
        {
            var length = LengthOfWord(text);
            destination.AddRange(Cut(text[..length]));
            text = text[length..];
        }
    }

    public override string WithinText(string word) => word is [var first, ..] && char.IsLetterOrDigit(first) ? " " + word : word;

    public override string Join(IEnumerable<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var c in string.Concat(tokens))
        {
            var value = Array.IndexOf(s_charOfByte, c);
            if (value >= 0)
                bytes.Add((byte)value);
        }
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    // GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    private static int LengthOfWord(ReadOnlySpan<char> text)
    {
        foreach (var contraction in s_contractions)
        {
            if (text.StartsWith(contraction))
                return contraction.Length;
        }
        var start = text[0] == ' ' && text.Length > 1 && KindAt(text, 1, out _) != CharacterKind.Space ? 1 : 0;
        var kind = KindAt(text, start, out var used);
        var end = start + used;
        var last = start;
        while (end < text.Length && KindAt(text, end, out used) == kind)
            (last, end) = (end, end + used);
        // The last white space before a word is left to it.
        return kind == CharacterKind.Space && end < text.Length && last > 0 ? last : end;
    }

    private static CharacterKind KindAt(ReadOnlySpan<char> text, int place, out int used)
    {
        Rune.DecodeFromUtf16(text[place..], out var rune, out used);
        return Rune.IsWhiteSpace(rune) ? CharacterKind.Space
            : Rune.IsLetter(rune) ? CharacterKind.Letter
            : Rune.IsNumber(rune) ? CharacterKind.Number
            : CharacterKind.Other;
    }

    // Neighbors are merged, the pair that was learned first before all others and the left one before the right.
    protected override int[] CutAnew(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        var count = Encoding.UTF8.GetBytes(word, bytes);
        int[] ids = [.. bytes.AsSpan(0, count).ToArray().Select(b => _idOfByte[b])], next = [.. Enumerable.Range(1, count)], previous = [.. Enumerable.Range(-1, count)];
        var queue = new PriorityQueue<(int Place, int Left, int Right), (int Rank, int Place)>();
        for (var place = 0; place + 1 < count; place++)
            Enqueue(place);
        while (queue.TryDequeue(out var pair, out _))
        {
            var (left, right) = (pair.Place, next[pair.Place]);
            if (ids[left] != pair.Left || right >= count || ids[right] != pair.Right)
                continue;                                               // one of the two was merged since
            ids[left] = _merges[(pair.Left, pair.Right)].Merged;
            ids[right] = -1;
            next[left] = next[right];
            if (next[right] < count)
                previous[next[right]] = left;
            Enqueue(left);
            if (previous[left] >= 0)
                Enqueue(previous[left]);
        }
        return [.. ids.Where(id => id >= 0)];

        void Enqueue(int place)
        {
            if (next[place] < count && _merges.TryGetValue((ids[place], ids[next[place]]), out var merge))
                queue.Enqueue((place, ids[place], ids[next[place]]), (merge.Rank, place));
        }
    }

    // Visible bytes are themselves, the others are written as the characters from U+0100 on.
    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
            characters[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)b : (char)next++;
        return characters;
    }

    private enum CharacterKind
    {
        Other,
        Letter,
        Number,
        Space,
    }
}
