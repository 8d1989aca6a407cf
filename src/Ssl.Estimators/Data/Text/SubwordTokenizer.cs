using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Data;

/// <summary>
/// A tokenizer that the tokenizers library describes (tokenizer.json): byte-level byte-pair encoding as RoBERTa has it, or SentencePiece's
/// unigrams as XLM-RoBERTa has them.
/// </summary>
internal sealed class SubwordTokenizer : TextTokenizer
{
    internal const string TypeName = "subword";

    // Numbers that no token has: files of real tokenizers leave few.
    private const int MostGaps = 1_000;

    private const string BytePairs = "BPE", Unigrams = "Unigram";

    private readonly JsonObject _definition;
    private readonly SubwordModel _model;
    private readonly string[] _tokens;
    private readonly Dictionary<string, (int Id, bool TakesSpaceBefore)> _special = new(StringComparer.Ordinal);
    private readonly SpecialTexts _specialTexts;

    private SubwordTokenizer(JsonObject definition, SpecialTokenNames names)
    {
        (_definition, Names) = (definition, names);
        var model = definition["model"]!.AsObject();
        _model = (string?)model["type"] switch
        {
            BytePairs => ReadBytePairs(definition, model, names),
            Unigrams => ReadUnigrams(definition, model),
            var other => throw new FormatException($"A tokenizer.json of model type \"{other}\" is not read; those of \"{BytePairs}\" (byte-level), "
                + $"\"{Unigrams}\" and \"WordPiece\" are."),
        };
        var ids = new Dictionary<string, int>(_model.Ids, StringComparer.Ordinal);
        foreach (var added in (definition["added_tokens"] as JsonArray ?? []).Select(token => token!.AsObject()))
        {
            var (content, id) = ((string)added["content"]!, (int)added["id"]!);
            ids[content] = id;
            _special[content] = (id, (bool?)added["lstrip"] ?? false);
        }
        foreach (var (token, id) in ids)
        {
            if (id < 0 || id > MostGaps + 2L * ids.Count)
                throw new FormatException($"The token \"{token}\" has the number {id}, of {ids.Count} tokens: the file is damaged.");
        }
        _tokens = new string[ids.Count == 0 ? 0 : ids.Values.Max() + 1];
        foreach (var (token, id) in ids)
            _tokens[id] = token;
        for (var id = 0; id < _tokens.Length; id++)
            _tokens[id] ??= $"[{id}]";                  // numbers that no token has
        Vocabulary = names.ToVocabulary(_tokens, ids);
        _specialTexts = new SpecialTexts([.. _special.Keys]);
    }

    /// <summary>The special tokens' texts.</summary>
    public SpecialTokenNames Names { get; }

    /// <summary>Whether it is of unigrams, and not of byte pairs.</summary>
    public bool IsUnigram => _model is UnigramModel;

    /// <summary>The tokenizer.json.</summary>
    public JsonObject Definition => _definition;

    public override TokenVocabulary Vocabulary { get; }

    public override IReadOnlyList<string> Tokens => _tokens;

    /// <summary>The tokenizer of a tokenizer.json.</summary>
    /// <param name="definition">The file's content.</param>
    /// <param name="names">The special tokens' texts.</param>
    /// <exception cref="FormatException">It is incomplete, or asks for what is not done here.</exception>
    public static SubwordTokenizer Create(JsonObject definition, SpecialTokenNames names)
    {
        try
        {
            return new SubwordTokenizer(definition, names);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or ArgumentException or IndexOutOfRangeException
            or InvalidCastException)
        {
            throw new FormatException("The description of the tokenizer (tokenizer.json) is incomplete or damaged.", e);
        }
    }

    public static new SubwordTokenizer FromJson(JsonObject json) => json["definition"] is JsonObject definition && json["specialTokens"] is JsonObject names
        ? Create(definition.DeepClone().AsObject(), SpecialTokenNames.Read(names))
        : throw new FormatException("The description of the tokenizer is incomplete: it needs definition and specialTokens.");

    public override JsonObject ToJson() => new()
    {
        ["type"] = TypeName,
        ["specialTokens"] = Names.ToJson(),
        ["definition"] = _definition.DeepClone(),
    };

    public override int Encode(ReadOnlySpan<char> text, List<int> destination, int maximumTokens = int.MaxValue, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumTokens, addSpecialTokens ? 3 : 1);
        var start = destination.Count;
        if (addSpecialTokens)
            destination.Add(Vocabulary.ClassId);
        var first = destination.Count;
        var wanted = (int)Math.Min(int.MaxValue, first + (long)maximumTokens - (addSpecialTokens ? 2 : 0));
        while (text.Length > 0 && destination.Count < wanted)
        {
            var next = _specialTexts.Find(text, out var special);
            var before = next < 0 ? text : text[..next];
            _model.Append(next >= 0 && _special[special].TakesSpaceBefore ? before.TrimEnd() : before, destination, wanted);
            if (next < 0)
                break;
            destination.Add(_special[special].Id);
            text = text[(next + special.Length)..];
        }
        if (destination.Count > wanted)
            destination.RemoveRange(wanted, destination.Count - wanted);
        return Complete(destination, start, addSpecialTokens);
    }

    public override string Decode(ReadOnlySpan<int> ids)
    {
        var tokens = new List<string>();
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)_tokens.Length)
                throw new ArgumentOutOfRangeException(nameof(ids), $"Token ids must be at least 0 and less than {_tokens.Length}, got {id}.");
            if (id != Vocabulary.PaddingId && id != Vocabulary.ClassId && id != Vocabulary.SeparatorId)
                tokens.Add(_tokens[id]);
        }
        return _model.Join(tokens);
    }

    public override bool TryGetId(string word, out int id)
    {
        ArgumentNullException.ThrowIfNull(word);
        var ids = Encode(_model.WithinText(word));
        id = ids is [var single] && single != Vocabulary.UnknownId ? single : 0;
        return id != 0;
    }

    private static BytePairModel ReadBytePairs(JsonObject definition, JsonObject model, SpecialTokenNames names)
    {
        if (definition["pre_tokenizer"] is not JsonObject { } words || (string?)words["type"] != "ByteLevel" || (bool?)words["use_regex"] == false
            || definition["normalizer"] is not null)
        {
            throw new FormatException($"A tokenizer.json of model type \"{BytePairs}\" must have the pre_tokenizer \"ByteLevel\" and no normalizer, as "
                + $"RoBERTa's, got {definition["pre_tokenizer"]?["type"]} and {definition["normalizer"]?["type"] ?? "none"}.");
        }
        var unknown = model["vocab"]![names.Unknown] is JsonValue value ? value.GetValue<int>() : 0;
        return new BytePairModel(model, (bool?)words["add_prefix_space"] ?? false, unknown);
    }

    private static UnigramModel ReadUnigrams(JsonObject definition, JsonObject model)
    {
        CharacterMap? characters = null;
        foreach (var step in Steps(definition["normalizer"], "normalizers"))
        {
            switch ((string?)step["type"])
            {
                case "Precompiled":
                    characters = step["precompiled_charsmap"] is JsonValue map ? new CharacterMap(Convert.FromBase64String(map.GetValue<string>())) : null;
                    break;
                case "Replace" when (string?)step["content"] == " ":        // several spaces by one: words are cut at any number of them
                case "Strip":
                    break;
                default:
                    throw new FormatException($"A tokenizer.json of model type \"{Unigrams}\" may have the normalizers Precompiled, Replace (of spaces) "
                        + $"and Strip, got \"{step["type"]}\".");
            }
        }
        JsonObject[] steps = [.. Steps(definition["pre_tokenizer"], "pretokenizers")];
        string?[] words = [.. steps.Select(step => (string?)step["type"])];
        if (!words.Contains("Metaspace") || words.Any(step => step is not ("Metaspace" or "WhitespaceSplit")))
        {
            throw new FormatException($"A tokenizer.json of model type \"{Unigrams}\" must have the pre_tokenizer \"Metaspace\", alone or behind "
                + $"\"WhitespaceSplit\", as XLM-RoBERTa's, got {string.Join(", ", words)}.");
        }
        if (steps.Any(step => (bool?)step["add_prefix_space"] == false || (string?)step["prepend_scheme"] is not (null or "always")))
        {
            throw new FormatException("A tokenizer.json whose \"Metaspace\" marks some words only (prepend_scheme) is not read: every word must get "
                + "its mark, as XLM-RoBERTa's do.");
        }
        if ((bool?)model["byte_fallback"] == true)
            throw new FormatException("A tokenizer.json that writes unknown characters as bytes (byte_fallback) is not read.");
        return new UnigramModel(model, characters);
    }

    private static IEnumerable<JsonObject> Steps(JsonNode? node, string list) => node switch
    {
        null => [],
        JsonObject step when (string?)step["type"] == "Sequence" => step[list]!.AsArray().Select(part => part!.AsObject()),
        _ => [node.AsObject()],
    };
}
