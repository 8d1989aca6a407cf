using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Tells the sizes of a vision transformer from its weights and settings, and fits its positions to another size of images.</summary>
internal static class PretrainedVisionTransformer
{
    /// <summary>The model_types of transformers that are this network, all with a class token and learned positions.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["vit", "deit", "vit_mae", "vit_msn"];

    // Of the published networks that do not say it: tiny, small, base, large, huge, giant.
    private static readonly Dictionary<int, int> s_heads = new() { [192] = 3, [384] = 6, [768] = 12, [1024] = 16, [1280] = 16, [1408] = 16 };

    /// <summary>The network that some weights are of, for the images that its positions are for.</summary>
    /// <param name="weights">Without what stands before all names.</param>
    /// <param name="layout">Their names.</param>
    /// <param name="config">config.json; null where there is none.</param>
    /// <param name="epsilon">Added to variances, where config.json does not say it.</param>
    /// <param name="pooling">How patches become the image's vector.</param>
    /// <exception cref="FormatException">It is a vision transformer of another kind.</exception>
    public static VisionTransformerEncoderFactory ReadSizes(PretrainedWeights weights, ImageLayout layout, PretrainedSettings? config,
        double epsilon, ImagePooling? pooling)
    {
        var (projection, positions) = (weights[layout.NameOf("patch_embed.proj.weight")], weights[layout.NameOf("pos_embed")]);
        if (projection?.shape is not [var dimension, var channels, var patch, var patchWidth] || patch != patchWidth
            || positions?.shape is not [1, var places, _] || weights[layout.NameOf("cls_token")] is null)
        {
            throw new FormatException($"'{weights.Path}' is a vision transformer without class token, learned positions or square patches: read are ViT and DeiT, "
                + "as transformers, timm and torchvision write them.");
        }
        var distilled = weights[layout.NameOf("dist_token")] is not null;
        var side = (int)Math.Round(Math.Sqrt(places - (distilled ? 2 : 1)));
        if (side * side != places - (distilled ? 2 : 1))
            throw new FormatException($"'{layout.NameOf("pos_embed")}' in '{weights.Path}' has {places} positions: read are networks for square images.");
        var layers = 0;
        while (weights[layout.NameOf($"blocks.{layers}.norm1.weight")] is not null)
            layers++;
        var shape = new ImageShape((int)channels, side * (int)patch, side * (int)patch);
        var size = new VisionTransformerEncoderFactory(shape, (int)patch, layers, (int)dimension, Heads(weights, layout, config, (int)dimension),
            pooling ?? FilesPooling(config) ?? ImagePooling.Class)
        {
            HiddenDimension = (int)(weights[layout.NameOf("blocks.0.mlp.fc1.weight")]?.shape[0] ?? 4 * dimension),
            LayerNormEpsilon = config?.Number("layer_norm_eps", epsilon) ?? epsilon,
            HasDistillationToken = distilled,
        };
        if (config?.TextOrNull("hidden_act") is not (null or "gelu"))
            throw config!.Fault("hidden_act", "\"gelu\", the only one that is read for vision transformers");
        return size;
    }

    /// <summary>The same network for images of another size.</summary>
    /// <param name="factory">For the size of the positions in the weights.</param>
    /// <param name="height">A multiple of the patches' side.</param>
    /// <param name="width">A multiple of the patches' side.</param>
    public static VisionTransformerEncoderFactory At(VisionTransformerEncoderFactory factory, int height, int width)
        => new(new ImageShape(factory.Shape.Channels, height, width), factory.PatchSize, factory.NumberOfLayers, factory.EmbeddingDimension,
            factory.NumberOfHeads, factory.Pooling)
        {
            HiddenDimension = factory.HiddenDimension,
            LayerNormEpsilon = factory.LayerNormEpsilon,
            HasDistillationToken = factory.HasDistillationToken,
        };

    /// <summary>
    /// Positions of a grid for one of other sides: those before the patches stay, the others are interpolated (bicubic, corners not aligned,
    /// as transformers does it).
    /// </summary>
    /// <param name="positions">[1, prefix + rows x columns, D].</param>
    /// <param name="prefix">Tokens before the patches.</param>
    /// <param name="rows">Rows of patches now.</param>
    /// <param name="columns">Columns of patches now.</param>
    /// <returns>[1, prefix + rows x columns, D], the caller's.</returns>
    public static Tensor Interpolate(Tensor positions, int prefix, int rows, int columns)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (side, dimension) = ((long)Math.Round(Math.Sqrt(positions.shape[1] - prefix)), positions.shape[2]);
        var grid = positions.narrow(1, prefix, side * side).view(1, side, side, dimension).permute(0, 3, 1, 2).contiguous();   // [1, D, side, side]
        grid = nn.functional.interpolate(grid, [rows, columns], mode: InterpolationMode.Bicubic, align_corners: false);
        return cat([positions.narrow(1, 0, prefix), grid.permute(0, 2, 3, 1).reshape(1, (long)rows * columns, dimension)], 1)
            .DetachFromDisposeScope();
    }

    private static int Heads(PretrainedWeights weights, ImageLayout layout, PretrainedSettings? config, int dimension)
    {
        if (config?.Has("num_attention_heads") == true)
            return config.Integer("num_attention_heads");
        if (config?.Part("model_args") is { } arguments && arguments.Has("num_heads"))
            return arguments.Integer("num_heads");
        return s_heads.TryGetValue(dimension, out var heads) ? heads : throw new FormatException($"'{weights.Path}' ({layout.Library}) does not tell its number "
            + $"of attention heads, and {dimension} is not the dimension of a published network ({string.Join(", ", s_heads.Keys)}). Put it into config.json: "
            + "\"model_args\": {\"num_heads\": …} as timm has it, or \"num_attention_heads\".");
    }

    // timm says it; transformers' models give all tokens, and people take the first.
    private static ImagePooling? FilesPooling(PretrainedSettings? config)
        => (config?.Part("model_args")?.TextOrNull("global_pool") ?? config?.TextOrNull("global_pool")) switch
        {
            null => null,
            "token" => ImagePooling.Class,
            "avg" => ImagePooling.Mean,
            _ => throw config!.Fault("global_pool", "\"token\" or \"avg\""),
        };
}
