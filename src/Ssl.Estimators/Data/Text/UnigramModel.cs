using System.Text;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>
/// SentencePiece's unigram model (Kudo, 2018): of all ways to cut a word into pieces the one whose scores add up to the most. A word begins with
/// a mark (U+2581) in place of the space before it.
/// </summary>
internal sealed class UnigramModel : SubwordModel
{
    private const char Mark = '\u2581';

    // As in SentencePiece: an unknown character is that much worse than the worst piece.
    private const double UnknownPenalty = 10;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly double[] _scores;
    private readonly CharacterMap? _characters;
    private readonly int _unknownId;
    private readonly int _longest;
    private readonly double _unknownScore;

    /// <summary>The model of a tokenizer.json.</summary>
    /// <param name="model">Its "model".</param>
    /// <param name="characters">What characters are replaced by; null for nothing.</param>
    /// <exception cref="FormatException">It is incomplete.</exception>
    public UnigramModel(JsonObject model, CharacterMap? characters)
    {
        var vocabulary = model["vocab"]!.AsArray();
        _scores = new double[vocabulary.Count];
        for (var id = 0; id < _scores.Length; id++)
        {
            var piece = (string)vocabulary[id]![0]!;
            _scores[id] = (double)vocabulary[id]![1]!;
            _ids[piece] = id;
            _longest = Math.Max(_longest, piece.Length);
        }
        if (_scores.Length == 0)
            throw new FormatException("The vocabulary is empty.");
        _characters = characters;
        _unknownId = model["unk_id"] is JsonValue value ? value.GetValue<int>() : throw new FormatException("It names no \"unk_id\".");
        if (_unknownId < 0 || _unknownId >= _scores.Length)
            throw new FormatException($"Its \"unk_id\" is {_unknownId}, of {_scores.Length} tokens.");
        _unknownScore = _scores.Min() - UnknownPenalty;
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override IReadOnlyDictionary<string, int> Ids => _ids;

    public override void Append(ReadOnlySpan<char> text, List<int> destination, int wanted)
    {
        var normal = _characters is null ? text : _characters.Replace(text);
        var start = 0;
        while (destination.Count < wanted)
        {
            while (start < normal.Length && char.IsWhiteSpace(normal[start]))
                start++;
            if (start == normal.Length)
                break;
            var end = start;
            while (end < normal.Length && !char.IsWhiteSpace(normal[end]))
                end++;
            destination.AddRange(Cut($"{Mark}{normal[start..end]}"));
            start = end;
        }
    }

    public override string WithinText(string word) => word;

    public override string Join(IEnumerable<string> tokens) => string.Concat(tokens).Replace(Mark, ' ').Trim();

    // Viterbi: best[i] is the best sum for the first i characters.
    protected override int[] CutAnew(ReadOnlySpan<char> word)
    {
        var best = new double[word.Length + 1];
        var (from, ids) = (new int[word.Length + 1], new int[word.Length + 1]);
        Array.Fill(best, double.NegativeInfinity);
        best[0] = 0;
        for (var start = 0; start < word.Length; start++)
        {
            if (double.IsNegativeInfinity(best[start]))
                continue;                                               // within a character of two units
            Rune.DecodeFromUtf16(word[start..], out _, out var single);
            var isKnown = false;
            for (var length = 1; length <= Math.Min(_longest, word.Length - start); length++)
            {
                if (!_lookup.TryGetValue(word.Slice(start, length), out var id))
                    continue;
                isKnown |= length == single;
                Offer(start, length, id, _scores[id]);
            }
            if (!isKnown)
                Offer(start, single, _unknownId, _unknownScore);
        }
        var pieces = new List<int>();
        for (var end = word.Length; end > 0; end = from[end])
        {
            // unknown characters behind each other are one unknown token
            if (ids[end] != _unknownId || pieces.Count == 0 || pieces[^1] != _unknownId)
                pieces.Add(ids[end]);
        }
        pieces.Reverse();
        return [.. pieces];

        void Offer(int start, int length, int id, double score)
        {
            if (best[start] + score > best[start + length])
                (best[start + length], from[start + length], ids[start + length]) = (best[start] + score, start, id);
        }
    }
}
