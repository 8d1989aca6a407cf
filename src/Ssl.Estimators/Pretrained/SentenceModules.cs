using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Pretrained;

/// <summary>What sentence-transformers does behind a network, as modules.json tells it.</summary>
/// <param name="Folder">Where the network's own files are.</param>
/// <param name="Pooling">How the tokens' vectors become the text's.</param>
/// <param name="UnitLength">Whether embeddings are brought to unit length.</param>
/// <param name="MaximumTokens">Where texts are cut; null where it is not told.</param>
/// <param name="LowerCase">Whether texts are made small before they reach the tokenizer.</param>
internal sealed record SentenceModules(string Folder, TextPooling Pooling, bool UnitLength, int? MaximumTokens, bool LowerCase)
{
    private const string FileName = "modules.json", LengthName = "max_seq_length", Known = "Transformer, Pooling (cls, mean, max) and Normalize";

    /// <summary>Reads the files.</summary>
    /// <returns>Null where there is no modules.json.</returns>
    /// <exception cref="FormatException">A module is not supported, or a file is damaged.</exception>
    public static SentenceModules? Read(PretrainedFiles files)
    {
        if (files.ReadJson(FileName) is not { } json)
            return null;
        var path = files.PathOf(FileName);
        if (json is not JsonArray { Count: > 0 } list)
            throw new FormatException($"'{path}' must be a list of modules.");
        var (folder, pooling, unitLength) = ("", TextPooling.Mean, false);
        for (var i = 0; i < list.Count; i++)
        {
            var module = new PretrainedSettings(list[i] as JsonObject ?? throw new FormatException($"'{path}' must be a list of modules."), path);
            var (type, place) = (module.Text("type"), module.TextOrNull("path") ?? "");
            switch (type[(type.LastIndexOf('.') + 1)..])
            {
                case "Transformer" when i == 0:
                    folder = place;
                    break;
                case "Pooling" when i == 1:
                    pooling = ReadPooling(files, place);
                    break;
                case "Normalize" when i > 0:
                    unitLength = true;
                    break;
                default:
                    throw new FormatException($"'{path}' has the module '{type}' in place {i}; supported are {Known}, in this order.");
            }
        }
        var settings = files.In(folder).ReadSettings("sentence_bert_config.json");
        int? maximum = settings?.Has(LengthName) == true ? settings.Integer(LengthName) : null;
        if (maximum < BertSizes.FewestTokens)
            throw settings!.Fault(LengthName, $"a whole number of at least {BertSizes.FewestTokens}");
        return new SentenceModules(folder, pooling, unitLength, maximum,
            settings?.Boolean("do_lower_case", false) ?? false);
    }

    private static TextPooling ReadPooling(PretrainedFiles files, string folder)
    {
        var settings = files.In(folder).ReadSettings("config.json")
            ?? throw new FileNotFoundException($"'{files.PathOf(FileName)}' names the module '{folder}', whose config.json is not there.",
                files.In(folder).PathOf("config.json"));
        (string Name, TextPooling? Pooling)[] modes = [("pooling_mode_cls_token", TextPooling.Class), ("pooling_mode_mean_tokens", TextPooling.Mean),
            ("pooling_mode_max_tokens", TextPooling.Max), ("pooling_mode_mean_sqrt_len_tokens", null), ("pooling_mode_weightedmean_tokens", null),
            ("pooling_mode_lasttoken", null)];
        if (settings.TextOrNull("pooling_mode") is { } one)
        {
            return one switch
            {
                "cls" => TextPooling.Class,
                "mean" => TextPooling.Mean,
                "max" => TextPooling.Max,
                _ => throw settings.Fault("pooling_mode", "\"cls\", \"mean\" or \"max\""),
            };
        }
        var chosen = modes.Where(mode => settings.Boolean(mode.Name, false)).ToArray();
        return chosen is [{ Pooling: { } pooling }] ? pooling
            : throw new FormatException($"'{settings.Path}' must choose one of cls, mean and max pooling, got "
                + $"{(chosen.Length == 0 ? "none" : string.Join(" and ", chosen.Select(mode => mode.Name)))}.");
    }
}
