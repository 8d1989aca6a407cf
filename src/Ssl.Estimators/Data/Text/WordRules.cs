using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>How a tokenizer that was trained here cuts texts into words.</summary>
/// <param name="LowerCase">Whether words come in lower case.</param>
/// <param name="SplitCamelCase">Whether "ReadAllLines" is three words, and "XmlReader" and "XMLReader" two.</param>
/// <param name="Normalization">What is made equal before.</param>
/// <param name="KeepsAll">
/// Whether long runs of letters are cut and of a word only the characters that the vocabulary lacks are unknown. Not so in files of earlier
/// versions, whose ids must stay: there a run of more than 100 letters, and every word with an unknown character, is one unknown token.
/// </param>
internal sealed record WordRules(bool LowerCase, bool SplitCamelCase, TextNormalization Normalization, bool KeepsAll)
{
    private const string LowerCaseKey = "lowerCase", SplitCamelCaseKey = "splitCamelCase", NormalizationKey = "normalization", KeepsAllKey = "keepsAll";

    /// <summary>The rules of a vocabulary that is learned now.</summary>
    public static WordRules Of(WordPieceTokenizer.Options options)
        => new(options.LowerCase, options.SplitCamelCase, options.Normalization, KeepsAll: true);

    /// <summary>Writes them beside the vocabulary.</summary>
    public void AddTo(JsonObject json)
    {
        json[LowerCaseKey] = LowerCase;
        json[SplitCamelCaseKey] = SplitCamelCase;
        if (Normalization != TextNormalization.None)
            json[NormalizationKey] = Normalization.ToString();
        if (KeepsAll)
            json[KeepsAllKey] = KeepsAll;
    }

    /// <summary>Reads what <see cref="AddTo"/> wrote, and the files of earlier versions, which have fewer entries.</summary>
    /// <exception cref="FormatException">The normalization is unknown.</exception>
    public static WordRules Read(JsonObject json)
    {
        var normalization = (string?)json[NormalizationKey] ?? nameof(TextNormalization.None);
        return Enum.TryParse(normalization, out TextNormalization form) && Enum.IsDefined(form)
            ? new WordRules((bool)json[LowerCaseKey]!, (bool)json[SplitCamelCaseKey]!, form, (bool?)json[KeepsAllKey] ?? false)
            : throw new FormatException($"The tokenizer has the unknown normalization \"{normalization}\". Known: "
                + $"{string.Join(", ", Enum.GetNames<TextNormalization>())}. Update the package.");
    }
}
