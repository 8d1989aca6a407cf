using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Writes the folders that <see cref="PretrainedReader"/> reads, as transformers and sentence-transformers write them.</summary>
internal static class PretrainedWriter
{
    private const string PoolingFolder = "1_Pooling", NormalizeFolder = "2_Normalize", ConfigName = "config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Writes an encoder.</summary>
    /// <param name="encoder">One of a kind that has such a layout.</param>
    /// <param name="folder">The folder; files in it that have the same names are replaced.</param>
    /// <param name="layout">Whose names networks of images get.</param>
    /// <exception cref="NotSupportedException">The encoder's kind has no such layout.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Save(EncoderTransformer encoder, string folder, PretrainedLayout layout)
    {
        if (encoder.Model.Format is ImageRowFormat { Factory: ResNetEncoderFactory or VisionTransformerEncoderFactory } images)
        {
            PretrainedImageWriter.Check(images.Factory, layout);
            WriteFolder(folder, target => PretrainedImageWriter.Write(encoder.Model, images.Factory, layout, target));
            return;
        }
        if (encoder.Model.Format is not TextRowFormat { Factory: BertTextEncoderFactory factory } format)
        {
            throw new NotSupportedException($"An encoder of kind '{KindOf(encoder.Model)}' has no "
                + "layout that transformers or sentence-transformers read. Those of BERT's kind have, residual networks and vision transformers: encoders from LoadPretrained, "
                + "and what was trained from them. SaveEncoder writes every encoder to a file of our own.");
        }
        if (layout != PretrainedLayout.Transformers)
            throw new NotSupportedException($"The layout {layout} is one of image networks; an encoder of texts is written in that of {PretrainedLayout.Transformers}.");
        WriteFolder(folder, target => WriteBert(encoder.Model, format.Tokenizer, factory.Sizes, target));
    }

    private static string KindOf(EncoderModel model) => model.Format switch
    {
        TextRowFormat text => text.Factory.Kind,
        ImageRowFormat images => images.Factory.Kind,
        _ => model.Modality,
    };

    private static void WriteBert(EncoderModel model, TextTokenizer tokenizer, BertSizes sizes, string folder)
    {
        var kind = KindOf(sizes, tokenizer);
        using var use = model.Lifetime.Enter();
        WriteWeights(model.GetWeights(), kind, Path.Combine(folder, "model.safetensors"));
        WriteTokenizer(tokenizer, kind, sizes, folder);
        WriteJson(folder, ConfigName, Config(kind, sizes, tokenizer.Vocabulary.PaddingId));
        WriteJson(folder, "sentence_bert_config.json", new JsonObject { ["max_seq_length"] = sizes.MaximumTokens, ["do_lower_case"] = false });
        WriteJson(Directory.CreateDirectory(Path.Combine(folder, PoolingFolder)).FullName, ConfigName, new JsonObject
        {
            ["word_embedding_dimension"] = sizes.Dimension,
            ["pooling_mode_cls_token"] = sizes.Pooling == TextPooling.Class,
            ["pooling_mode_mean_tokens"] = sizes.Pooling == TextPooling.Mean,
            ["pooling_mode_max_tokens"] = sizes.Pooling == TextPooling.Max,
            ["pooling_mode_mean_sqrt_len_tokens"] = false,
        });
        var modules = new JsonArray(Module(0, "", "Transformer"), Module(1, PoolingFolder, "Pooling"));
        if (sizes.UnitLength)
        {
            Directory.CreateDirectory(Path.Combine(folder, NormalizeFolder));
            modules.Add(Module(2, NormalizeFolder, "Normalize"));
        }
        WriteJson(folder, "modules.json", modules);
    }

    private static BertKind KindOf(BertSizes sizes, TextTokenizer tokenizer) => sizes.RelativePositions > 0 ? BertKind.MpNet
        : sizes.FirstPosition > 0 ? (tokenizer is SubwordTokenizer { IsUnigram: true } ? BertKind.XlmRoberta : BertKind.Roberta)
        : sizes.TokenTypes == 0 ? BertKind.Distil
        : BertKind.Bert;

    private static void WriteWeights(IReadOnlyDictionary<string, Tensor> weights, BertKind kind, string path)
    {
        using var scope = NewDisposeScope();
        var tensors = new List<KeyValuePair<string, Tensor>>();
        foreach (var (parameter, tensor) in weights)
        {
            var names = kind.Names.Of(parameter);
            var rows = tensor.shape[0] / names.Length;
            for (var i = 0; i < names.Length; i++)
                tensors.Add(KeyValuePair.Create(names[i], tensor.narrow(0, i * rows, rows)));
        }
        AtomicFile.Write(path, stream => SafeTensors.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" }));
    }

    private static JsonObject Config(BertKind kind, BertSizes sizes, int paddingId)
    {
        var isDistil = kind == BertKind.Distil;
        var activation = sizes.Activation switch
        {
            BertActivation.Gelu => "gelu",
            BertActivation.GeluTanh => "gelu_new",
            _ => "relu",
        };
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(kind.ModelClass),
            ["model_type"] = kind.Name,
            ["vocab_size"] = sizes.Words,
            [isDistil ? "dim" : "hidden_size"] = sizes.Dimension,
            [isDistil ? "n_layers" : "num_hidden_layers"] = sizes.NumberOfLayers,
            [isDistil ? "n_heads" : "num_attention_heads"] = sizes.NumberOfHeads,
            [isDistil ? "hidden_dim" : "intermediate_size"] = sizes.FeedForwardDimension,
            [isDistil ? "activation" : "hidden_act"] = activation,
            [isDistil ? "dropout" : "hidden_dropout_prob"] = sizes.Dropout,
            [isDistil ? "attention_dropout" : "attention_probs_dropout_prob"] = sizes.Dropout,
            ["max_position_embeddings"] = sizes.Positions,
            ["pad_token_id"] = paddingId,
            ["torch_dtype"] = "float32",
        };
        if (!isDistil)
            config["layer_norm_eps"] = sizes.LayerNormEpsilon;
        if (sizes.TokenTypes > 0)
            config["type_vocab_size"] = sizes.TokenTypes;
        if (sizes.RelativePositions > 0)
            config["relative_attention_num_buckets"] = sizes.RelativePositions;
        return config;
    }

    private static void WriteTokenizer(TextTokenizer tokenizer, BertKind kind, BertSizes sizes, string folder)
    {
        if (tokenizer is SubwordTokenizer subword)
        {
            WriteJson(folder, WordPieceFiles.FastName, subword.Definition);
            var tokens = SpecialTokens(subword.Names);
            WriteJson(folder, "special_tokens_map.json", tokens.DeepClone());
            tokens["tokenizer_class"] = "PreTrainedTokenizerFast";
            tokens["model_max_length"] = sizes.Positions - sizes.FirstPosition;
            WriteJson(folder, WordPieceFiles.SettingsName, tokens);
            return;
        }
        if (tokenizer is not WordPieceTokenizer { Rules: { } rules, SpecialNames: { } names })
            throw new NotSupportedException("The encoder's tokenizer was trained here and cuts texts by other rules than BERT's, which no file of theirs tells.");
        AtomicFile.Write(Path.Combine(folder, WordPieceFiles.VocabularyName), stream => WriteVocabulary(tokenizer, stream));
        var special = SpecialTokens(names);
        WriteJson(folder, "special_tokens_map.json", special.DeepClone());
        special["tokenizer_class"] = kind == BertKind.MpNet ? "MPNetTokenizer" : kind == BertKind.Distil ? "DistilBertTokenizer" : "BertTokenizer";
        special["do_lower_case"] = rules.LowerCase;
        special["strip_accents"] = rules.StripAccents;
        special["tokenize_chinese_chars"] = rules.SplitChinese;
        special["model_max_length"] = sizes.Positions - sizes.FirstPosition;
        WriteJson(folder, WordPieceFiles.SettingsName, special);
    }

    private static JsonObject SpecialTokens(SpecialTokenNames names) => new()
    {
        ["pad_token"] = names.Padding,
        ["unk_token"] = names.Unknown,
        ["cls_token"] = names.Class,
        ["sep_token"] = names.Separator,
        ["mask_token"] = names.Mask,
    };

    private static JsonObject Module(int place, string path, string type)
        => new() { ["idx"] = place, ["name"] = $"{place}", ["path"] = path, ["type"] = "sentence_transformers.models." + type };

    /// <summary>Writes a file of settings.</summary>
    internal static void WriteJson(string folder, string name, JsonNode json) => AtomicFile.Write(Path.Combine(folder, name), stream => WriteJson(json, stream));

    /// <summary>Writes settings.</summary>
    internal static void WriteJson(JsonNode json, Stream stream)
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(json.ToJsonString(s_indented));
    }

    /// <summary>Writes the tokens of a vocabulary, one a line.</summary>
    internal static void WriteVocabulary(TextTokenizer tokenizer, Stream stream)
    {
        using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
        foreach (var token in tokenizer.Tokens)
            writer.WriteLine(token);
    }

    // All files under a temporary name beside the folder, then put in its place; of a folder that exists, file by file, config.json last.
    private static void WriteFolder(string folder, Action<string> write)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var temporary = $"{folder}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(temporary);
            write(temporary);
            if (!Directory.Exists(folder))
            {
                Directory.Move(temporary, folder);
                return;
            }
            foreach (var sub in Directory.EnumerateDirectories(temporary))
                Directory.CreateDirectory(Path.Combine(folder, Path.GetFileName(sub)));
            var files = Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories);
            foreach (var file in files.OrderBy(file => Path.GetRelativePath(temporary, file) == ConfigName))
                File.Move(file, Path.Combine(folder, Path.GetRelativePath(temporary, file)), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write the folder '{folder}': {e.Message} Choose a folder in an existing, writable one.", e);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }
}
