namespace Ssl.Estimators.Pretrained;

/// <summary>How a library names the parts of a network of images in its files.</summary>
/// <param name="Library">The library.</param>
/// <param name="IsResNet">Whether it is a residual network, else a vision transformer.</param>
/// <param name="Marker">A weight that no other layout has; what stands before it stands before all names.</param>
/// <param name="NamesOf">The names in the files of a tensor of the network here, as <see cref="PretrainedFill.Copy"/> wants them.</param>
/// <param name="Heads">How names of parts begin that are not taken: classifiers, decoders.</param>
internal sealed record ImageLayout(string Library, bool IsResNet, string Marker, Func<string, string[]> NamesOf, IReadOnlyList<string> Heads)
{
    /// <summary>Residual networks of torchvision and timm: the names that the network has here.</summary>
    public static ImageLayout TorchvisionResNet { get; } = new("torchvision", true, "layer1.0.conv1.weight", name => [name], ["fc."]);

    /// <summary>Residual networks of transformers.</summary>
    public static ImageLayout TransformersResNet { get; } = new("transformers", true, "embedder.embedder.convolution.weight",
        name => [OfTransformersResNet(name)], ["classifier."]);

    /// <summary>Vision transformers of timm, DeiT, DINO and MAE: the names that the network has here.</summary>
    public static ImageLayout TimmTransformer { get; } = new("timm", false, "blocks.0.attn.qkv.weight", name => [name],
        ["head.", "head_dist.", "decoder_", "mask_token"]);

    /// <summary>Vision transformers of transformers.</summary>
    public static ImageLayout TransformersTransformer { get; } = new("transformers", false, "encoder.layer.0.attention.attention.query.weight",
        OfTransformersTransformer, ["pooler.", "classifier.", "cls_classifier.", "distillation_classifier.", "decoder.", "embeddings.mask_token"]);

    /// <summary>Vision transformers of torchvision.</summary>
    public static ImageLayout TorchvisionTransformer { get; } = new("torchvision", false, "encoder.layers.encoder_layer_0.self_attention.in_proj_weight",
        name => [OfTorchvisionTransformer(name)], ["heads."]);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ImageLayout> All { get; } = [TorchvisionResNet, TransformersResNet, TimmTransformer, TransformersTransformer,
        TorchvisionTransformer];

    /// <summary>The layout of some weights; null where it is none of these.</summary>
    public static ImageLayout? Of(IReadOnlyCollection<string> names)
        => All.FirstOrDefault(layout => names.Any(name => name == layout.Marker || name.EndsWith("." + layout.Marker, StringComparison.Ordinal)));

    /// <summary>Whether a weight is of a part that is not taken.</summary>
    public bool MayRemain(string name) => Heads.Any(head => name.StartsWith(head, StringComparison.Ordinal));

    /// <summary>The name in the files of a tensor that is not put together of several.</summary>
    public string NameOf(string name) => NamesOf(name).Single();

    private static string OfTransformersResNet(string name)
    {
        var parts = name.Split('.');
        var last = parts[^1];
        if (parts[0] is "conv1" or "bn1")
            return $"embedder.embedder.{Part(parts[0] == "bn1")}.{last}";
        var block = $"encoder.stages.{parts[0][^1] - '1'}.layers.{parts[1]}.";          // layer1.0.conv2.weight
        return parts[2] == "downsample" ? $"{block}shortcut.{Part(parts[3] == "1")}.{last}"
            : $"{block}layer.{parts[2][^1] - '1'}.{Part(parts[2][0] == 'b')}.{last}";

        static string Part(bool isNorm) => isNorm ? "normalization" : "convolution";
    }

    private static string[] OfTransformersTransformer(string name)
    {
        var parts = name.Split('.');
        var last = parts[^1];
        if (parts[0] != "blocks")
        {
            return [parts[0] switch
            {
                "cls_token" => "embeddings.cls_token",
                "dist_token" => "embeddings.distillation_token",
                "pos_embed" => "embeddings.position_embeddings",
                "patch_embed" => $"embeddings.patch_embeddings.projection.{last}",
                _ => $"layernorm.{last}",
            }];
        }
        var block = $"encoder.layer.{parts[1]}.";                                       // blocks.0.attn.qkv.weight
        string[] names = parts[^2] switch
        {
            "norm1" => ["layernorm_before"],
            "qkv" => ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
            "proj" => ["attention.output.dense"],
            "norm2" => ["layernorm_after"],
            "fc1" => ["intermediate.dense"],
            _ => ["output.dense"],
        };
        return [.. names.Select(part => $"{block}{part}.{last}")];
    }

    private static string OfTorchvisionTransformer(string name)
    {
        var parts = name.Split('.');
        var last = parts[^1];
        if (parts[0] != "blocks")
        {
            return parts[0] switch
            {
                "cls_token" => "class_token",
                "pos_embed" => "encoder.pos_embedding",
                "patch_embed" => $"conv_proj.{last}",
                "norm" => $"encoder.ln.{last}",
                _ => name,
            };
        }
        var block = $"encoder.layers.encoder_layer_{parts[1]}.";
        return block + parts[^2] switch
        {
            "norm1" => $"ln_1.{last}",
            "qkv" => $"self_attention.in_proj_{last}",
            "proj" => $"self_attention.out_proj.{last}",
            "norm2" => $"ln_2.{last}",
            "fc1" => $"mlp.0.{last}",
            _ => $"mlp.3.{last}",
        };
    }
}
