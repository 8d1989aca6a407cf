using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators;

/// <summary>
/// Cuts texts into words and words into the longest pieces that its vocabulary has, and numbers them. The vocabulary is learned from a
/// corpus and travels with the model.
/// </summary>
/// <remarks>
/// <para>
/// Words are runs of letters, runs of digits, and every other visible character, after the text was normalized
/// (<see cref="TextNormalization"/>). A word that the vocabulary has is one token; another is cut greedily from the left into the longest
/// known pieces, of which those inside the word are written "##piece" (WordPiece: Schuster and Nakajima, 2012; Devlin et al., 2019).
/// Characters that the vocabulary lacks are one unknown token where they stand. Words may have any length: what a language without spaces,
/// a sequence of bases or an encoded file has is cut into pieces like any other.
/// </para>
/// <para>
/// Vocabularies of others keep to their own rules: BERT's make one unknown token of a word of more than 100 characters, and of one that
/// cannot be spelled from end to end. So do the files of tokenizers that were trained with earlier versions.
/// </para>
/// <para>Immutable: any number of threads may encode at once.</para>
/// </remarks>
public sealed partial class WordPieceTokenizer : TextTokenizer
{
    /// <summary>What stands before a piece that continues a word.</summary>
    public const string ContinuationPrefix = "##";

    private const string TypeName = "wordpiece";

    private const char UnreadableCharacter = '\uFFFD';

    private static readonly string[] s_specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    private readonly string[] _tokens;
    private readonly WordRules _rules;
    private readonly int _longestPiece;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _starts;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _continuations;
    private readonly CutWords _cut;

    private WordPieceTokenizer(string[] tokens, WordRules rules)
    {
        _tokens = tokens;
        _rules = rules;
        var starts = new Dictionary<string, int>(StringComparer.Ordinal);
        var continuations = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = s_specialTokens.Length; id < tokens.Length; id++)
        {
            if (AddPiece(tokens[id], id, starts, continuations) is { } length)
                _longestPiece = Math.Max(_longestPiece, length);
            else if (rules.KeepsAll || !tokens[id].Contains(UnreadableCharacter))       // what earlier files made of halves of surrogate pairs
                throw Twice(tokens[id]);
        }
        (_starts, _continuations) = (Lookup(starts), Lookup(continuations));
        _cut = new CutWords(word => Cut(word, _starts));
        Vocabulary = new TokenVocabulary(tokens.Length, PaddingId: 0, UnknownId: 1, ClassId: 2, SeparatorId: 3, MaskId: 4,
            SpecialCount: s_specialTokens.Length);
    }

    /// <inheritdoc/>
    public override TokenVocabulary Vocabulary { get; }

    /// <summary>The tokens by id: [PAD], [UNK], [CLS], [SEP], [MASK], then the learned ones.</summary>
    public override IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Learns a vocabulary from texts.</summary>
    /// <param name="texts">The corpus; read once.</param>
    /// <param name="options">Size and rules; their defaults where <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; all faults are named.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled: there is no vocabulary yet.</exception>
    public static WordPieceTokenizer Train(IEnumerable<string> texts, Options? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Train(texts.Select(text => text.AsMemory()), options);
    }

    /// <summary>Learns a vocabulary from texts.</summary>
    /// <param name="texts">The corpus; read once, each text only until the next is asked for.</param>
    /// <param name="options">Size and rules; their defaults where <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; all faults are named.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled: there is no vocabulary yet.</exception>
    public static WordPieceTokenizer Train(IEnumerable<ReadOnlyMemory<char>> texts, Options? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Train(texts, options ?? new Options(), null);
    }

    /// <summary>The same, told to somebody.</summary>
    /// <param name="texts">The corpus.</param>
    /// <param name="options">Size and rules.</param>
    /// <param name="learned">Told the number of tokens so far, again and again.</param>
    internal static WordPieceTokenizer Train(IEnumerable<ReadOnlyMemory<char>> texts, Options options, Action<int>? learned)
    {
        options.Validate();
        var rules = WordRules.Of(options);
        var trainer = new WordPieceTrainer(options, rules, s_specialTokens);
        foreach (var text in texts)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            trainer.Count(text.Span);
        }
        return new WordPieceTokenizer(trainer.Learn(learned), rules);
    }

    /// <inheritdoc/>
    public override int Encode(ReadOnlySpan<char> text, List<int> destination, int maximumTokens = int.MaxValue, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumTokens, addSpecialTokens ? 3 : 1);
        if (_bert is not null)
            return EncodeBert(text, destination, maximumTokens, addSpecialTokens);
        int start = destination.Count;
        if (addSpecialTokens)
            destination.Add(Vocabulary.ClassId);
        int room = maximumTokens - (addSpecialTokens ? 2 : 0);
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        if (_rules.Normalization == TextNormalization.None || Ascii.IsValid(text))
        {
            Append(text, buffer, destination, room);
            return Complete(destination, start, addSpecialTokens);
        }
        while (room > 0 && text.Length > 0)
        {
            int part = TextNormalizer.LengthOfPart(text);
            room = Append(TextNormalizer.Normalize(text[..part], _rules.Normalization), buffer, destination, room);
            text = text[part..];
        }
        return Complete(destination, start, addSpecialTokens);
    }

    // The tokens of the words of a normalized text, as many as there is room for; returns the room that is left.
    private int Append(ReadOnlySpan<char> text, Span<char> buffer, List<int> destination, int room)
    {
        var words = new WordSplitter(text, _rules, buffer);
        while (room > 0 && words.MoveNext())
        {
            if (!_rules.KeepsAll && words.IsTooLong)
            {
                destination.Add(Vocabulary.UnknownId);
                room--;
            }
            else if (!words.IsContinuation && _starts.TryGetValue(words.Current, out int id))
            {
                destination.Add(id);
                room--;
            }
            else
            {
                // Parts of a long run will not come again.
                var pieces = words.IsContinuation ? Cut(words.Current, _continuations)
                    : words.Current.Length == WordSplitter.LongestWord ? Cut(words.Current, _starts) : _cut[words.Current];
                var fitting = pieces.AsSpan(0, Math.Min(pieces.Length, room));
                foreach (int piece in fitting)
                    destination.Add(piece);
                room -= fitting.Length;
            }
        }
        return room;
    }

    /// <summary>The text of token ids: words with one space between them, as <see cref="Normalize"/> gives them.</summary>
    /// <param name="ids">Token ids; padding, class and separator tokens are left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public override string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder();
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_tokens.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(ids),
                    $"Token ids must be at least 0 and less than {_tokens.Length}, got {id}.");
            }
            if (id == Vocabulary.PaddingId || id == Vocabulary.ClassId || id == Vocabulary.SeparatorId)
                continue;
            string token = _tokens[id];
            if (IsContinuation(id))
                text.Append(token, ContinuationPrefix.Length, token.Length - ContinuationPrefix.Length);
            else
                text.Append(text.Length > 0 ? " " : "").Append(token);
        }
        return text.ToString();
    }

    /// <summary>
    /// The text as the tokenizer sees it: its words, normalized and in lower case where those are options, with one space between them.
    /// </summary>
    public string Normalize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_bert is not null)
            return NormalizeBert(text);
        var result = new StringBuilder(text.Length);
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        var words = new WordSplitter(TextNormalizer.Normalize(text, _rules.Normalization), _rules, buffer);
        while (words.MoveNext())
            result.Append(result.Length > 0 && !words.IsContinuation ? " " : "").Append(words.Current);
        return result.ToString();
    }

    /// <inheritdoc/>
    public override bool TryGetId(string word, out int id)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (_bert is not null)
            return _starts.TryGetValue(NormalizeBert(word), out id);
        return _starts.TryGetValue(Whole(word, _rules), out id);
    }

    /// <summary>Vocabulary and rules as JSON.</summary>
    public override JsonObject ToJson()
    {
        var json = new JsonObject { ["type"] = TypeName };
        _rules.AddTo(json);
        if (_bert is not null)
            json["bert"] = _bert.ToJson();
        json["tokens"] = new JsonArray([.. _tokens.Select(token => (JsonNode)token)]);
        return json;
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static new WordPieceTokenizer FromJson(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            if ((string?)json["type"] != TypeName)
                throw new FormatException($"A tokenizer of type \"{TypeName}\" was expected, got \"{json["type"]}\".");
            string[] tokens = [.. json["tokens"]!.AsArray().Select(token => (string)token!)];
            if (json["bert"] is JsonObject bert)
                return new WordPieceTokenizer(tokens, BertSetup.Read(bert, (bool)json["lowerCase"]!));
            if (tokens.Any(string.IsNullOrEmpty) || !tokens.AsSpan().StartsWith(s_specialTokens))
                throw new FormatException($"A vocabulary begins with {string.Join(", ", s_specialTokens)} and has no empty tokens.");
            return new WordPieceTokenizer(tokens, WordRules.Read(json));
        }
        catch (Exception fault) when (fault is InvalidOperationException or NullReferenceException or ArgumentNullException or JsonException)
        {
            throw new FormatException("The description of the tokenizer is incomplete: it needs type, lowerCase, splitCamelCase and tokens.",
                fault);
        }
    }

    /// <summary>Writes the tokenizer as JSON.</summary>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ExactText.Write(stream, ToJson());
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static WordPieceTokenizer Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        JsonNode? json;
        try
        {
            json = ExactText.Parse(stream);
        }
        catch (JsonException fault)
        {
            throw new FormatException("This is no saved tokenizer: it is not JSON.", fault);
        }
        return FromJson(json as JsonObject ?? throw new FormatException("This is no saved tokenizer: it is not a JSON object."));
    }

    /// <summary>A single word as it stands in a vocabulary.</summary>
    internal static string Whole(string word, WordRules rules)
    {
        var normalized = TextNormalizer.Normalize(word, rules.Normalization).ToString();
        return rules.LowerCase ? normalized.ToLowerInvariant() : normalized;
    }

    // Puts a token among the beginnings or the continuations of words, and gives its length there; null where it stands there already.
    private static int? AddPiece(string token, int id, Dictionary<string, int> starts, Dictionary<string, int> continuations)
    {
        bool continues = token.Length > ContinuationPrefix.Length && token.StartsWith(ContinuationPrefix, StringComparison.Ordinal);
        string piece = continues ? token[ContinuationPrefix.Length..] : token;
        return (continues ? continuations : starts).TryAdd(piece, id) ? piece.Length : null;
    }

    private static FormatException Twice(string token) => new($"The vocabulary has the token \"{token}\" twice.");

    private static FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup(Dictionary<string, int> pieces)
        => pieces.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private bool IsContinuation(int id)
        => id >= Vocabulary.SpecialCount && _tokens[id].Length > ContinuationPrefix.Length
            && _tokens[id].StartsWith(ContinuationPrefix, StringComparison.Ordinal);

    // The longest piece first, from the left. What cannot be spelled is unknown: the characters, or by BERT's rules the word.
    private int[] Cut(ReadOnlySpan<char> word, FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> first)
    {
        var pieces = new List<int>();
        for (int start = 0; start < word.Length;)
        {
            int length = Math.Min(_longestPiece, word.Length - start);
            int id = -1;
            for (; length > 0; length--)
            {
                var piece = word.Slice(start, length);
                if (start == 0 ? first.TryGetValue(piece, out id) : _continuations.TryGetValue(piece, out id))
                    break;
            }
            if (length == 0)
            {
                if (!_rules.KeepsAll)
                    return [Vocabulary.UnknownId];
                (id, length) = (Vocabulary.UnknownId, Rune.DecodeFromUtf16(word[start..], out _, out var used) == System.Buffers.OperationStatus.Done ? used : 1);
            }
            if (id != Vocabulary.UnknownId || pieces.Count == 0 || pieces[^1] != id)
                pieces.Add(id);
            start += length;
        }
        return [.. pieces];
    }
}
