using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Pretrained;

/// <summary>Reads BERT's tokenizer from the files beside its weights.</summary>
internal static class WordPieceFiles
{
    /// <summary>The vocabulary, a token a line.</summary>
    public const string VocabularyName = "vocab.txt";

    /// <summary>Settings of the tokenizer.</summary>
    public const string SettingsName = "tokenizer_config.json";

    /// <summary>The tokenizer of the tokenizers library.</summary>
    public const string FastName = "tokenizer.json";

    /// <summary>Reads the tokenizer.</summary>
    /// <param name="files">Where vocab.txt or tokenizer.json is.</param>
    /// <param name="special">The special tokens, unless tokenizer_config.json names others.</param>
    /// <param name="lowerCase">Whether texts are made small whatever the files say.</param>
    /// <exception cref="FileNotFoundException">There is no vocabulary.</exception>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static WordPieceTokenizer Read(PretrainedFiles files, SpecialTokenNames special, bool lowerCase = false)
    {
        var settings = files.ReadSettings(SettingsName);
        var names = ReadNames(files, settings, special);
        var fast = files.ReadSettings(FastName);
        var (tokens, path) = files.Has(VocabularyName) || fast is null
            ? (ReadVocabulary(files), files.PathOf(VocabularyName))
            : (ReadVocabulary(fast), fast.Path);
        var normalizer = fast?.Part("normalizer");
        var lower = lowerCase || Choose(settings, "do_lower_case", normalizer, "lowercase", !HasCase(tokens));
        var rules = new BertRules(lower, Choose(settings, "strip_accents", normalizer, "strip_accents", lower),
            Choose(settings, "tokenize_chinese_chars", normalizer, "handle_chinese_chars", true));
        try
        {
            return WordPieceTokenizer.FromVocabulary(tokens, rules, names);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Cannot take '{path}' as the vocabulary. {e.Message}", e);
        }
    }

    /// <summary>The special tokens that the files name, else those of the network's kind.</summary>
    public static SpecialTokenNames ReadNames(PretrainedFiles files, PretrainedSettings? settings, SpecialTokenNames special)
    {
        var map = files.ReadSettings("special_tokens_map.json");
        return new SpecialTokenNames(Name("pad_token", special.Padding), Name("unk_token", special.Unknown), Name("cls_token", special.Class),
            Name("sep_token", special.Separator), Name("mask_token", special.Mask));

        string Name(string key, string otherwise) => settings?.TextOrNull(key) ?? map?.TextOrNull(key) ?? otherwise;
    }

    private static string[] ReadVocabulary(PretrainedFiles files)
    {
        if (!files.Has(VocabularyName))
        {
            throw new FileNotFoundException($"There is no {VocabularyName} and no {FastName} in '{files.Place}': the network's numbers of words are "
                + "not known. Get the whole folder of the model, tokenizer files included.", files.PathOf(VocabularyName));
        }
        return files.ReadLines(VocabularyName);
    }

    private static string[] ReadVocabulary(PretrainedSettings fast)
    {
        var model = fast.Part("model") ?? throw fast.Fault("model", "an object");
        if (model["vocab"] is not JsonObject vocabulary)
            throw model.Fault("vocab", "an object of tokens and ids");
        var ids = vocabulary.ToDictionary(entry => entry.Key, entry => entry.Value is JsonValue value && value.TryGetValue(out int id) ? id : -1);
        foreach (var added in fast["added_tokens"] as JsonArray ?? [])
        {
            if (added is JsonObject { } token && (string?)token["content"] is { } content && token["id"] is JsonValue value)
                ids[content] = value.GetValue<int>();
        }
        var tokens = new string[ids.Count];
        foreach (var (token, id) in ids)
        {
            if ((uint)id >= (uint)tokens.Length || tokens[id] is not null)
                throw new FormatException($"'{fast.Path}' gives the token \"{token}\" the id {id}; ids must go from 0 to {tokens.Length - 1}, each once.");
            tokens[id] = token;
        }
        return tokens;
    }

    private static bool Choose(PretrainedSettings? settings, string name, PretrainedSettings? normalizer, string fastName, bool otherwise)
        => settings?.Has(name) == true ? settings.Boolean(name) : normalizer?.Boolean(fastName, otherwise) ?? otherwise;

    // Where no file tells: a vocabulary of small letters alone was made of texts in small letters.
    private static bool HasCase(string[] tokens) => tokens.Any(token => token is [not ('[' or '<'), ..] && token.AsSpan().IndexOfAnyInRange('A', 'Z') >= 0);
}
