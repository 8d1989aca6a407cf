using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Data;

/// <summary>
/// Cuts texts into words and words into the longest pieces that its vocabulary has, and numbers them. The vocabulary is learned from a
/// corpus and travels with the model.
/// </summary>
/// <remarks>
/// <para>
/// Words are runs of letters, runs of digits, and every other visible character. A word that the vocabulary has is one token; another
/// is cut greedily from the left into the longest known pieces, of which those inside the word are written "##piece" (WordPiece:
/// Schuster and Nakajima, 2012; Devlin et al., 2019). A word that cannot be spelled so is the unknown token.
/// </para>
/// <para>Immutable: any number of threads may encode at once.</para>
/// </remarks>
public sealed partial class WordPieceTokenizer : TextTokenizer
{
    /// <summary>What stands before a piece that continues a word.</summary>
    public const string ContinuationPrefix = "##";

    private const string TypeName = "wordpiece";

    private static readonly string[] s_specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    private readonly string[] _tokens;
    private readonly bool _lowerCase;
    private readonly bool _splitCamelCase;
    private readonly int _longestPiece;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _starts;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _continuations;
    private readonly CutWords _cut;

    private WordPieceTokenizer(string[] tokens, bool lowerCase, bool splitCamelCase)
    {
        _tokens = tokens;
        _lowerCase = lowerCase;
        _splitCamelCase = splitCamelCase;
        var starts = new Dictionary<string, int>(StringComparer.Ordinal);
        var continuations = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = s_specialTokens.Length; id < tokens.Length; id++)
            _longestPiece = Math.Max(_longestPiece, AddPiece(tokens[id], id, starts, continuations));
        (_starts, _continuations) = (Lookup(starts), Lookup(continuations));
        _cut = new CutWords(Cut);
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
    public static WordPieceTokenizer Train(IEnumerable<string> texts, Options? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Train(texts.Select(text => text.AsMemory()), options);
    }

    /// <summary>Learns a vocabulary from texts.</summary>
    /// <param name="texts">The corpus; read once, each text only until the next is asked for.</param>
    /// <param name="options">Size and rules; their defaults where <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; all faults are named.</exception>
    public static WordPieceTokenizer Train(IEnumerable<ReadOnlyMemory<char>> texts, Options? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new Options();
        options.Validate();
        var trainer = new WordPieceTrainer(options, s_specialTokens);
        foreach (var text in texts)
            trainer.Count(text.Span);
        return new WordPieceTokenizer(trainer.Learn(), options.LowerCase, options.SplitCamelCase);
    }

    /// <inheritdoc/>
    public override int Encode(ReadOnlySpan<char> text, List<int> destination, int maximumTokens = int.MaxValue, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumTokens, addSpecialTokens ? 3 : 1);
        if (_bert is not null)
            return EncodeBert(text, destination, maximumTokens, addSpecialTokens);
        int start = destination.Count;
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        var words = new WordSplitter(text, _lowerCase, _splitCamelCase, buffer);
        if (!words.MoveNext())
            return 0;
        if (addSpecialTokens)
            destination.Add(Vocabulary.ClassId);
        int room = maximumTokens - (addSpecialTokens ? 2 : 0);
        do
        {
            if (words.IsTooLong)
            {
                destination.Add(Vocabulary.UnknownId);
                room--;
            }
            else if (_starts.TryGetValue(words.Current, out int id))
            {
                destination.Add(id);
                room--;
            }
            else
            {
                var pieces = _cut[words.Current];
                var fitting = pieces.AsSpan(0, Math.Min(pieces.Length, room));
                foreach (int piece in fitting)
                    destination.Add(piece);
                room -= fitting.Length;
            }
        }
        while (room > 0 && words.MoveNext());
        if (addSpecialTokens)
            destination.Add(Vocabulary.SeparatorId);
        return destination.Count - start;
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

    /// <summary>The text as the tokenizer sees it: its words, in lower case where that is an option, with one space between them.</summary>
    public string Normalize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_bert is not null)
            return NormalizeBert(text);
        var result = new StringBuilder(text.Length);
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        var words = new WordSplitter(text, _lowerCase, _splitCamelCase, buffer);
        while (words.MoveNext())
            result.Append(result.Length > 0 ? " " : "").Append(words.Current);
        return result.ToString();
    }

    /// <inheritdoc/>
    public override bool TryGetId(string word, out int id)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (_bert is not null)
            return _starts.TryGetValue(NormalizeBert(word), out id);
        return _starts.TryGetValue(_lowerCase ? word.ToLowerInvariant() : word, out id);
    }

    /// <summary>Vocabulary and rules as JSON.</summary>
    public override JsonObject ToJson()
    {
        var json = new JsonObject { ["type"] = TypeName, ["lowerCase"] = _lowerCase, ["splitCamelCase"] = _splitCamelCase };
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
            return new WordPieceTokenizer(tokens, (bool)json["lowerCase"]!, (bool)json["splitCamelCase"]!);
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
        using var writer = new Utf8JsonWriter(stream);
        ToJson().WriteTo(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static WordPieceTokenizer Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        JsonNode? json;
        try
        {
            json = JsonReading.Parse(stream);
        }
        catch (JsonException fault)
        {
            throw new FormatException("This is no saved tokenizer: it is not JSON.", fault);
        }
        return FromJson(json as JsonObject ?? throw new FormatException("This is no saved tokenizer: it is not a JSON object."));
    }

    // Puts a token among the beginnings or the continuations of words, and gives its length there.
    private static int AddPiece(string token, int id, Dictionary<string, int> starts, Dictionary<string, int> continuations)
    {
        bool continues = token.Length > ContinuationPrefix.Length && token.StartsWith(ContinuationPrefix, StringComparison.Ordinal);
        string piece = continues ? token[ContinuationPrefix.Length..] : token;
        return (continues ? continuations : starts).TryAdd(piece, id)
            ? piece.Length
            : throw new FormatException($"The vocabulary has the token \"{token}\" twice.");
    }

    private static FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup(Dictionary<string, int> pieces)
        => pieces.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private bool IsContinuation(int id)
        => id >= Vocabulary.SpecialCount && _tokens[id].Length > ContinuationPrefix.Length
            && _tokens[id].StartsWith(ContinuationPrefix, StringComparison.Ordinal);

    // The longest piece first, from the left.
    private int[] Cut(ReadOnlySpan<char> word)
    {
        var pieces = new List<int>();
        for (int start = 0; start < word.Length;)
        {
            int length = Math.Min(_longestPiece, word.Length - start);
            int id = -1;
            for (; length > 0; length--)
            {
                var piece = word.Slice(start, length);
                if (start == 0 ? _starts.TryGetValue(piece, out id) : _continuations.TryGetValue(piece, out id))
                    break;
            }
            if (length == 0)
                return [Vocabulary.UnknownId];
            pieces.Add(id);
            start += length;
        }
        return [.. pieces];
    }
}
