using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Serialization.Onnx;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Reads text encoders of BERT's family.</summary>
internal static class PretrainedText
{
    private const string ConfigName = "config.json";

    // What files have beside the encoder: heads of the pretraining, and constants.
    private static readonly string[] s_known = ["pooler.", "cls.", "lm_head.", "qa_outputs.", "classifier.", "vocab_", "predictions."];

    /// <summary>Reads the safetensors files of a folder as transformers or sentence-transformers write it.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="options">Columns and what overrides the files.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="FormatException">A file is damaged, or the network is of another kind.</exception>
    public static EncoderModel ReadSafeTensors(PretrainedFiles files, PretrainedOptions options)
    {
        var modules = SentenceModules.Read(files);
        var inner = files.In(modules?.Folder ?? "");
        var config = ReadConfig(inner);
        var kind = KindOf(config);
        using var weights = WithoutPrefix(PretrainedWeights.ReadSafeTensors(inner), out _);
        return Build(inner, kind, Sizes(kind, config, weights), weights, modules, unitLength: false, options);
    }

    /// <summary>Reads an ONNX file with the files beside it.</summary>
    /// <param name="files">Where it is, or where its vocabulary is.</param>
    /// <param name="graph">Its graph.</param>
    /// <param name="path">The file, for sentences.</param>
    /// <param name="options">Columns and what overrides the files.</param>
    /// <exception cref="FileNotFoundException">The vocabulary is missing.</exception>
    /// <exception cref="FormatException">A file is damaged, or the network is of another kind.</exception>
    public static EncoderModel ReadOnnx(PretrainedFiles files, OnnxGraph graph, string path, PretrainedOptions options)
    {
        var modules = SentenceModules.Read(files);
        var inner = files.In(modules?.Folder ?? "");
        using var weights = WithoutPrefix(OnnxBert.ReadWeights(graph, path), out var prefix);
        if (inner.ReadSettings(ConfigName) is { } config)
        {
            var known = KindOf(config);
            return Build(inner, known, Sizes(known, config, weights), weights, modules, unitLength: true, options);
        }
        var (kind, sizes) = OnnxBert.ReadSizes(graph, weights, prefix);
        return Build(inner, kind, sizes, weights, modules, unitLength: true, options);
    }

    private static PretrainedSettings ReadConfig(PretrainedFiles files) => files.ReadSettings(ConfigName)
        ?? throw new FileNotFoundException($"There is no {ConfigName} in '{files.Place}', which tells the network's architecture. Get the whole folder "
            + "of the model: git clone https://huggingface.co/<name> with git-lfs, or model.save_pretrained(folder) in Python.",
            files.PathOf(ConfigName));

    private static BertKind KindOf(PretrainedSettings config)
        => BertKind.Of(config) ?? throw config.Fault("model_type", $"one of {string.Join(", ", BertKind.All.Select(kind => kind.Name))}; for images {PretrainedImage.Kinds}");

    private static BertSizes Sizes(BertKind kind, PretrainedSettings config, PretrainedWeights weights)
    {
        var sizes = kind.ReadSizes(config, (int)weights[BertNames.Words]!.shape[0]);
        try
        {
            sizes.Check();
            return sizes;
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new FormatException($"'{config.Path}' does not describe a network: {JsonReading.Reason(e)}", e);
        }
    }

    private static PretrainedWeights WithoutPrefix(PretrainedWeights weights, out string prefix)
    {
        var words = weights.Names.FirstOrDefault(name => name.EndsWith(BertNames.Words, StringComparison.Ordinal));
        if (words is null)
        {
            weights.Dispose();
            throw new FormatException($"'{weights.Path}' has no '{BertNames.Words}': it is no text encoder of the kinds that are read "
                + $"({string.Join(", ", BertKind.All.Select(kind => kind.Name))}).");
        }
        prefix = words[..^BertNames.Words.Length];
        return weights.WithoutPrefix(prefix);
    }

    private static EncoderModel Build(PretrainedFiles files, BertKind kind, BertSizes sizes, PretrainedWeights weights, SentenceModules? modules,
        bool unitLength, PretrainedOptions options)
    {
        options.ThrowIfForImages();
        var positions = sizes.Positions - sizes.FirstPosition;
        if (options.MaximumTokens > positions)
        {
            throw new ArgumentOutOfRangeException(nameof(options), $"MaximumTokens must be at most {positions}, the positions of the network in "
                + $"'{files.Place}', got {options.MaximumTokens}.");
        }
        var tokenizer = TokenizerFiles.Read(files, kind.Special, modules?.LowerCase ?? false);
        sizes = sizes with
        {
            Pooling = options.Pooling ?? modules?.Pooling ?? TextPooling.Mean,
            UnitLength = options.UnitLength ?? modules?.UnitLength ?? unitLength,
            MaximumTokens = options.MaximumTokens ?? Math.Min(positions, modules?.MaximumTokens ?? TokenizerLimit(files) ?? positions),
        };
        if (tokenizer.VocabularySize > sizes.Words)
        {
            throw new FormatException($"The vocabulary in '{files.Place}' has {tokenizer.VocabularySize} tokens, the network in '{weights.Path}' vectors "
                + $"for {sizes.Words}: they do not belong together.");
        }
        using var limit = Initialization.Limit(weights.ValueCount);
        return EncoderModel.Fill(new TextRowFormat([options.InputColumnName ?? ColumnNames.Text], tokenizer, new BertTextEncoderFactory(sizes), options.Truncation),
            targets => Fill(targets, weights, kind), options.OutputColumnName,
            new JsonObject { ["trainer"] = PretrainedReader.MethodName, ["source"] = kind.Name });
    }

    // 1e30 stands for no limit.
    private static int? TokenizerLimit(PretrainedFiles files)
    {
        var settings = files.ReadSettings(WordPieceFiles.SettingsName);
        return settings?.Has("model_max_length") == true && settings.Number("model_max_length") is >= 3 and < int.MaxValue and var limit
            ? (int)limit : null;
    }

    private static void Fill(IReadOnlyDictionary<string, Tensor> targets, PretrainedWeights weights, BertKind kind)
        => PretrainedFill.Copy(targets, weights, kind.Names.Of, name => name.EndsWith("position_ids", StringComparison.Ordinal)
            || s_known.Any(known => name.StartsWith(known, StringComparison.Ordinal)), kind.Name);
}
