using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Writes residual networks and vision transformers as transformers and timm write them.</summary>
internal static class PretrainedImageWriter
{
    // What timm's code has, and no setting changes.
    private const int TimmWidth = 64;

    /// <summary>Throws where a layout cannot say what a network is.</summary>
    /// <exception cref="NotSupportedException">The sentence says why, and what can be written.</exception>
    public static void Check(ImageEncoderFactory factory, PretrainedLayout layout)
    {
        var fault = (factory, layout) switch
        {
            (ResNetEncoderFactory { Stem: not ImageStem.Large }, _) => "a residual network that begins with a small convolution (images below 65 pixels)",
            (ResNetEncoderFactory { Width: not TimmWidth } or ResNetEncoderFactory { StridesFirst: true }, PretrainedLayout.Timm)
                => $"a residual network whose first stage is not {TimmWidth} wide, or with the stride on a bottleneck's first convolution",
            (VisionTransformerEncoderFactory { LayerNormEpsilon: not VisionBlock.DefaultEpsilon }, PretrainedLayout.Timm)
                => "a vision transformer whose norms add another number than 1e-6 to variances",
            _ => null,
        };
        if (fault is not null)
        {
            throw new NotSupportedException($"The layout {layout} has no {fault}. {(layout == PretrainedLayout.Timm ? $"{PretrainedLayout.Transformers} has; "
                : "")}SaveEncoder writes every encoder to a file of our own.");
        }
    }

    /// <summary>Writes weights and settings.</summary>
    public static void Write(EncoderModel model, ImageEncoderFactory factory, PretrainedLayout layout, string folder)
    {
        var names = layout == PretrainedLayout.Timm ? factory is ResNetEncoderFactory ? ImageLayout.TorchvisionResNet : ImageLayout.TimmTransformer
            : factory is ResNetEncoderFactory ? ImageLayout.TransformersResNet : ImageLayout.TransformersTransformer;
        using var use = model.Lifetime.Enter();
        WriteWeights(model.GetWeights(), names, Path.Combine(folder, "model.safetensors"));
        var normalization = factory.Normalization ?? ImageNormalization.Neutral(factory.Shape.Channels);
        if (layout == PretrainedLayout.Timm)
        {
            PretrainedWriter.WriteJson(folder, "config.json", factory is ResNetEncoderFactory resNet ? TimmConfig(resNet, normalization)
                : TimmConfig((VisionTransformerEncoderFactory)factory, normalization));
            return;
        }
        PretrainedWriter.WriteJson(folder, "config.json", factory is ResNetEncoderFactory network ? Config(network) : Config((VisionTransformerEncoderFactory)factory));
        PretrainedWriter.WriteJson(folder, ImagePreprocessing.FileName, new JsonObject
        {
            ["image_processor_type"] = "ViTImageProcessor",
            ["do_resize"] = true,
            ["size"] = new JsonObject { ["height"] = factory.NetworkShape.Height, ["width"] = factory.NetworkShape.Width },
            ["resample"] = 2,
            ["do_rescale"] = true,
            ["rescale_factor"] = 1.0 / 255,
            ["do_normalize"] = true,
            ["image_mean"] = Numbers(normalization.Mean),
            ["image_std"] = Numbers(normalization.Deviation),
        });
    }

    private static void WriteWeights(IReadOnlyDictionary<string, Tensor> weights, ImageLayout layout, string path)
    {
        using var scope = NewDisposeScope();
        var tensors = new List<KeyValuePair<string, Tensor>>();
        foreach (var (parameter, tensor) in weights)
        {
            var names = layout.NamesOf(parameter);
            for (var i = 0; i < names.Length; i++)
            {
                var rows = names.Length == 1 ? 0 : tensor.shape[0] / names.Length;
                tensors.Add(KeyValuePair.Create(names[i], names.Length == 1 ? tensor : tensor.narrow(0, i * rows, rows)));
            }
        }
        AtomicFile.Write(path, stream => SafeTensors.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" }));
    }

    private static JsonObject Config(ResNetEncoderFactory factory)
    {
        var widths = Enumerable.Range(0, factory.BlocksPerStage.Length).Select(stage => (factory.Width << stage) * (factory.IsBottleneck ? 4 : 1));
        return new JsonObject
        {
            ["architectures"] = new JsonArray("ResNetModel"),
            ["model_type"] = "resnet",
            ["num_channels"] = factory.Shape.Channels,
            ["embedding_size"] = factory.Width,
            ["hidden_sizes"] = Numbers(widths),
            ["depths"] = Numbers(factory.BlocksPerStage),
            ["layer_type"] = factory.IsBottleneck ? "bottleneck" : "basic",
            ["hidden_act"] = "relu",
            ["downsample_in_first_stage"] = false,
            ["downsample_in_bottleneck"] = factory.StridesFirst,
            ["torch_dtype"] = "float32",
        };
    }

    private static JsonObject Config(VisionTransformerEncoderFactory factory)
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(factory.HasDistillationToken ? "DeiTModel" : "ViTModel"),
            ["model_type"] = factory.HasDistillationToken ? "deit" : "vit",
            ["hidden_size"] = factory.EmbeddingDimension,
            ["num_hidden_layers"] = factory.NumberOfLayers,
            ["num_attention_heads"] = factory.NumberOfHeads,
            ["intermediate_size"] = factory.HiddenDimension,
            ["hidden_act"] = "gelu",
            ["hidden_dropout_prob"] = 0.0,
            ["attention_probs_dropout_prob"] = 0.0,
            ["layer_norm_eps"] = factory.LayerNormEpsilon,
            ["image_size"] = factory.NetworkShape.Height,
            ["patch_size"] = factory.PatchSize,
            ["num_channels"] = factory.Shape.Channels,
            ["qkv_bias"] = true,
            ["torch_dtype"] = "float32",
        };
        // transformers gives all tokens and leaves it to the caller: a word of ours, which it keeps
        if (factory.Pooling == ImagePooling.Mean)
            config["global_pool"] = "avg";
        return config;
    }

    private static JsonObject TimmConfig(ResNetEncoderFactory factory, ImageNormalization normalization) => new()
    {
        ["architecture"] = factory.IsBottleneck ? "resnet50" : "resnet18",
        ["num_classes"] = 0,
        ["num_features"] = factory.EmbeddingDimension,
        ["global_pool"] = "avg",
        ["model_args"] = new JsonObject { ["layers"] = Numbers(factory.BlocksPerStage), ["in_chans"] = factory.Shape.Channels },
        [ImagePreprocessing.TimmPart] = TimmImages(factory, normalization, "conv1", "fc"),
    };

    private static JsonObject TimmConfig(VisionTransformerEncoderFactory factory, ImageNormalization normalization) => new()
    {
        ["architecture"] = factory.HasDistillationToken ? "deit_base_distilled_patch16_224" : "vit_base_patch16_224",
        ["num_classes"] = 0,
        ["num_features"] = factory.EmbeddingDimension,
        ["global_pool"] = Pool(factory),
        ["model_args"] = new JsonObject
        {
            ["img_size"] = factory.NetworkShape.Height,
            ["patch_size"] = factory.PatchSize,
            ["in_chans"] = factory.Shape.Channels,
            ["embed_dim"] = factory.EmbeddingDimension,
            ["depth"] = factory.NumberOfLayers,
            ["num_heads"] = factory.NumberOfHeads,
            ["mlp_ratio"] = (double)factory.HiddenDimension / factory.EmbeddingDimension,
            ["global_pool"] = Pool(factory),
            ["fc_norm"] = false,
        },
        [ImagePreprocessing.TimmPart] = TimmImages(factory, normalization, "patch_embed.proj", "head"),
    };

    private static string Pool(VisionTransformerEncoderFactory factory) => factory.Pooling == ImagePooling.Class ? "token" : "avg";

    private static JsonObject TimmImages(ImageEncoderFactory factory, ImageNormalization normalization, string first, string last) => new()
    {
        ["input_size"] = Numbers([factory.Shape.Channels, factory.NetworkShape.Height, factory.NetworkShape.Width]),
        ["interpolation"] = "bilinear",
        ["crop_pct"] = 1.0,
        ["crop_mode"] = "squash",
        ["mean"] = Numbers(normalization.Mean),
        ["std"] = Numbers(normalization.Deviation),
        ["num_classes"] = 0,
        ["first_conv"] = first,
        ["classifier"] = last,
    };

    private static JsonArray Numbers<T>(IEnumerable<T> values) where T : struct => [.. values.Select(value => (JsonNode)JsonValue.Create(value)!)];
}
