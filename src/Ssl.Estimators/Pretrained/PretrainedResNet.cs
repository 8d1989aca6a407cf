using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Pretrained;

/// <summary>Tells the sizes of a residual network from its weights.</summary>
internal static class PretrainedResNet
{
    private const int Stages = 4;

    /// <summary>Whether a tensor of the network counts batches only, and may be missing.</summary>
    public static bool IsCounter(string name) => name.EndsWith(".num_batches_tracked", StringComparison.Ordinal);

    /// <summary>The network that some weights are of.</summary>
    /// <param name="weights">Without what stands before all names.</param>
    /// <param name="layout">Their names.</param>
    /// <param name="config">config.json, whose settings must be those of a network that is computed here; null where there is none.</param>
    /// <param name="height">Of the images.</param>
    /// <param name="width">Of the images.</param>
    /// <param name="stridesFirst">Whether the stride of bottlenecks is on their first convolution, where config.json does not say it.</param>
    /// <exception cref="FormatException">It is a residual network of another kind.</exception>
    public static ResNetEncoderFactory ReadSizes(PretrainedWeights weights, ImageLayout layout, PretrainedSettings? config, int height, int width,
        bool stridesFirst)
    {
        if (weights[layout.NameOf("conv1.weight")] is not { } stem || stem.shape is not [var channels, var colors, 7, 7])
        {
            throw new FormatException($"'{weights.Path}' is a residual network with another beginning than a convolution of side 7 and a maximum over 3x3: read "
                + "are those of torchvision, timm's of the same layout (resnet18, resnet50 and so on, not resnet50d) and transformers' \"resnet\".");
        }
        var blocks = new int[Stages];
        for (var stage = 0; stage < Stages; stage++)
        {
            while (weights[layout.NameOf($"layer{stage + 1}.{blocks[stage]}.conv1.weight")] is not null)
                blocks[stage]++;
        }
        if (blocks.Contains(0))
            throw new FormatException($"'{weights.Path}' has fewer than four stages of blocks: such residual networks are not read.");
        if (layout == ImageLayout.TransformersResNet && config is not null)
            Check(config, blocks);
        return new ResNetEncoderFactory(new ImageShape((int)colors, height, width), blocks, weights[layout.NameOf("layer1.0.conv3.weight")] is not null,
            (int)channels, ImageStem.Large)
        {
            StridesFirst = config?.Boolean("downsample_in_bottleneck", stridesFirst) ?? stridesFirst,
        };
    }

    private static void Check(PretrainedSettings config, int[] blocks)
    {
        if (config.TextOrNull("hidden_act") is not (null or "relu"))
            throw config.Fault("hidden_act", "\"relu\", the only one that is read for residual networks");
        if (config.Boolean("downsample_in_first_stage", false))
            throw config.Fault("downsample_in_first_stage", "false, the only value that is read");
        if (config["depths"] is { } depths && depths.ToJsonString() != $"[{string.Join(',', blocks)}]")
            throw config.Fault("depths", $"the blocks of the weights, [{string.Join(", ", blocks)}]");
    }
}
