using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Pretrained;

/// <summary>Reads the tokenizer beside pretrained weights, of whichever kind it is.</summary>
internal static class TokenizerFiles
{
    private const string VocabularyName = "vocab.json", MergesName = "merges.txt";

    private static readonly string[] s_otherNames = ["sentencepiece.bpe.model", "spiece.model", "tokenizer.model"];

    /// <summary>Reads the tokenizer.</summary>
    /// <param name="files">Where its files are.</param>
    /// <param name="special">The special tokens, unless the files name others.</param>
    /// <param name="lowerCase">Whether texts are made small whatever the files say.</param>
    /// <exception cref="FileNotFoundException">There is none that is read.</exception>
    /// <exception cref="FormatException">A file is damaged, or asks for what is not done here.</exception>
    public static TextTokenizer Read(PretrainedFiles files, SpecialTokenNames special, bool lowerCase)
    {
        var fast = files.ReadSettings(WordPieceFiles.FastName);
        var type = fast?.Part("model")?.TextOrNull("type");
        if (fast is not null && type is not (null or "WordPiece"))
            return Create(files, (JsonObject)files.ReadJson(WordPieceFiles.FastName)!, fast.Path, special, lowerCase);
        if (fast is null && !files.Has(WordPieceFiles.VocabularyName))
        {
            if (files.Has(VocabularyName) && files.Has(MergesName))
                return Create(files, Define(files, special), files.PathOf(VocabularyName), special, lowerCase);
            if (s_otherNames.FirstOrDefault(files.Has) is { } other)
            {
                throw new FileNotFoundException($"The vocabulary in '{files.Place}' is '{other}', which is not read: in Python, "
                    + "AutoTokenizer.from_pretrained(folder).save_pretrained(folder) adds the tokenizer.json that is.", files.PathOf(other));
            }
        }
        return WordPieceFiles.Read(files, special, lowerCase);
    }

    private static SubwordTokenizer Create(PretrainedFiles files, JsonObject definition, string path, SpecialTokenNames special, bool lowerCase)
    {
        if (lowerCase)
            throw new FormatException($"'{files.PathOf("sentence_bert_config.json")}' asks for lower case, which is not done before the tokenizer in '{path}'.");
        try
        {
            return SubwordTokenizer.Create(definition, WordPieceFiles.ReadNames(files, files.ReadSettings(WordPieceFiles.SettingsName), special));
        }
        catch (FormatException e)
        {
            throw new FormatException($"Cannot take '{path}' as the tokenizer. {e.Message}", e);
        }
    }

    // What the tokenizers library makes of RoBERTa's two files.
    private static JsonObject Define(PretrainedFiles files, SpecialTokenNames special)
    {
        var settings = files.ReadSettings(WordPieceFiles.SettingsName);
        var names = WordPieceFiles.ReadNames(files, settings, special);
        if (files.ReadJson(VocabularyName) is not JsonObject vocabulary)
            throw new FormatException($"'{files.PathOf(VocabularyName)}' must be an object of tokens and ids.");
        var ids = vocabulary.ToDictionary(entry => entry.Key, entry => entry.Value is JsonValue value && value.TryGetValue(out int id) ? id : -1);
        var merges = new JsonArray();
        foreach (var line in files.ReadLines(MergesName).Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)))
            merges.Add(line);
        var prefix = settings?.Boolean("add_prefix_space", false) ?? false;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. names.All.Distinct().Where(ids.ContainsKey).Select(token => (JsonNode)new JsonObject
            {
                ["id"] = ids[token],
                ["content"] = token,
                ["single_word"] = false,
                ["lstrip"] = token == names.Mask,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            })]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = prefix, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "RobertaProcessing",
                ["sep"] = new JsonArray(names.Separator, ids.GetValueOrDefault(names.Separator)),
                ["cls"] = new JsonArray(names.Class, ids.GetValueOrDefault(names.Class)),
                ["trim_offsets"] = true,
                ["add_prefix_space"] = prefix,
            },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = prefix, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["vocab"] = vocabulary.DeepClone(),
                ["merges"] = merges,
            },
        };
    }
}
