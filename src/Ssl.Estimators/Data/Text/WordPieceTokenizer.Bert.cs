using System.Text;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators;

// Vocabularies that others learned, with BERT's rules.
public sealed partial class WordPieceTokenizer
{
    private readonly BertSetup? _bert;

    private WordPieceTokenizer(string[] tokens, BertSetup bert)
    {
        _bert = bert;
        _tokens = tokens;
        _rules = new WordRules(bert.Rules.LowerCase, SplitCamelCase: false, TextNormalization.None, KeepsAll: false);
        _ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
            _ids[tokens[id]] = id;                  // of tokens that a file has twice the last one counts, as in transformers
        var starts = new Dictionary<string, int>(StringComparer.Ordinal);
        var continuations = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, id) in _ids)
            _longestPiece = Math.Max(_longestPiece, AddPiece(token, id, starts, continuations) ?? throw Twice(token));
        (_starts, _continuations) = (Lookup(starts), Lookup(continuations));
        _cut = new CutWords(word => Cut(word, _starts));
        Vocabulary = bert.Names.ToVocabulary(tokens, _ids);
        _special = new SpecialTexts([.. bert.Names.All.Where(_ids.ContainsKey).Distinct()]);
    }

    private readonly Dictionary<string, int>? _ids;
    private readonly SpecialTexts? _special;

    /// <summary>A tokenizer with a vocabulary that exists, by BERT's rules.</summary>
    /// <param name="tokens">By id.</param>
    /// <param name="rules">How texts are cleaned and split.</param>
    /// <param name="names">The special tokens' texts.</param>
    /// <exception cref="FormatException">The vocabulary lacks a special token, or has one among its words.</exception>
    internal static WordPieceTokenizer FromVocabulary(string[] tokens, BertRules rules, SpecialTokenNames names)
        => new(tokens, new BertSetup(rules, names));

    /// <summary>The rules, where they are BERT's.</summary>
    internal BertRules? Rules => _bert?.Rules;

    /// <summary>The special tokens' texts, where the rules are BERT's.</summary>
    internal SpecialTokenNames? SpecialNames => _bert?.Names;

    internal override void EncodeEmpty(List<int> destination, bool addSpecialTokens)
    {
        if (_bert is not null)
            base.EncodeEmpty(destination, addSpecialTokens);
        else
            destination.Add(Vocabulary.UnknownId);      // what encoders that were trained with such a tokenizer know
    }

    // Special tokens are found first, in the text as it came.
    private int EncodeBert(ReadOnlySpan<char> text, List<int> destination, int maximumTokens, bool addSpecialTokens)
    {
        var start = destination.Count;
        var room = maximumTokens - (addSpecialTokens ? 2 : 0);
        if (addSpecialTokens)
            destination.Add(Vocabulary.ClassId);
        Span<char> buffer = stackalloc char[BertWordSplitter.BufferLength];
        while (room > 0)
        {
            var next = _special!.Find(text, out var special);
            AppendWords(next < 0 ? text : text[..next], buffer, destination, ref room);
            if (next < 0 || room == 0)
                break;
            destination.Add(_ids![special]);
            room--;
            text = text[(next + special.Length)..];
        }
        return Complete(destination, start, addSpecialTokens);
    }

    private void AppendWords(ReadOnlySpan<char> text, Span<char> buffer, List<int> destination, ref int room)
    {
        var words = new BertWordSplitter(text, _bert!.Rules, buffer);
        while (room > 0 && words.MoveNext())
        {
            if (!words.IsTooLong && _starts.TryGetValue(words.Current, out var id))
            {
                destination.Add(id);
                room--;
                continue;
            }
            ReadOnlySpan<int> pieces = words.IsTooLong ? [Vocabulary.UnknownId] : _cut[words.Current];
            pieces = pieces[..Math.Min(pieces.Length, room)];
            destination.AddRange(pieces);
            room -= pieces.Length;
        }
    }

    private string NormalizeBert(string text)
    {
        var result = new StringBuilder(text.Length);
        Span<char> buffer = stackalloc char[BertWordSplitter.BufferLength];
        var words = new BertWordSplitter(text, _bert!.Rules, buffer);
        while (words.MoveNext())
            result.Append(result.Length > 0 ? " " : "").Append(words.Current);
        return result.ToString();
    }

    /// <summary>BERT's rules with the special tokens of a vocabulary.</summary>
    /// <param name="Rules">How texts are cleaned and split.</param>
    /// <param name="Names">The special tokens' texts.</param>
    private sealed record BertSetup(BertRules Rules, SpecialTokenNames Names)
    {
        public JsonObject ToJson() => new()
        {
            ["stripAccents"] = Rules.StripAccents,
            ["splitChinese"] = Rules.SplitChinese,
            ["specialTokens"] = Names.ToJson(),
        };

        public static BertSetup Read(JsonObject json, bool lowerCase)
            => new(new BertRules(lowerCase, (bool)json["stripAccents"]!, (bool)json["splitChinese"]!),
                SpecialTokenNames.Read(json["specialTokens"]!.AsObject()));
    }
}
