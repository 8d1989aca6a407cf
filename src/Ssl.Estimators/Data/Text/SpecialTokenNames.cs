using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Data;

/// <summary>How the special tokens of a vocabulary are written.</summary>
internal sealed record SpecialTokenNames(string Padding, string Unknown, string Class, string Separator, string Mask)
{
    /// <summary>BERT's.</summary>
    public static SpecialTokenNames Bert { get; } = new("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

    /// <summary>RoBERTa's.</summary>
    public static SpecialTokenNames Roberta { get; } = new("<pad>", "<unk>", "<s>", "</s>", "<mask>");

    /// <summary>MPNet's: RoBERTa's, but for what is unknown.</summary>
    public static SpecialTokenNames MpNet { get; } = new("<pad>", "[UNK]", "<s>", "</s>", "<mask>");

    /// <summary>All of them.</summary>
    public IReadOnlyList<string> All => [Padding, Unknown, Class, Separator, Mask];

    /// <summary>Their places in a vocabulary.</summary>
    /// <param name="tokens">By id.</param>
    /// <param name="ids">The tokens' ids.</param>
    /// <exception cref="FormatException">One is missing, or one that frames or fills texts stands among the words.</exception>
    public TokenVocabulary ToVocabulary(IReadOnlyList<string> tokens, IReadOnlyDictionary<string, int> ids)
    {
        string[] missing = [.. All.Where(name => !ids.ContainsKey(name))];
        if (missing.Length > 0)
        {
            throw new FormatException($"The vocabulary of {tokens.Count} tokens lacks the special {(missing.Length == 1 ? "token" : "tokens")} "
                + $"{string.Join(", ", missing)}. It belongs to another tokenizer, or tokenizer_config.json names others.");
        }
        var words = 0;      // reserved places, [unused1], stand among the special tokens
        while (words < tokens.Count && IsBracketed(tokens[words]))
            words++;
        string[] among = [.. new[] { Padding, Class, Separator }.Where(name => ids[name] >= words)];
        if (among.Length > 0)
        {
            throw new FormatException($"The vocabulary has {string.Join(", ", among)} among its words (from id {words}); special tokens must stand "
                + "at its beginning.");
        }
        return new TokenVocabulary(tokens.Count, ids[Padding], ids[Unknown], ids[Class], ids[Separator], ids[Mask], words);
    }

    public JsonObject ToJson() => new()
    {
        ["padding"] = Padding, ["unknown"] = Unknown, ["class"] = Class, ["separator"] = Separator, ["mask"] = Mask,
    };

    public static SpecialTokenNames Read(JsonObject json) => new(json.Text("padding"), json.Text("unknown"),
        json.Text("class"), json.Text("separator"), json.Text("mask"));

    private static bool IsBracketed(string token)
        => token.Length > 2 && ((token[0] == '[' && token[^1] == ']') || (token[0] == '<' && token[^1] == '>'));
}
