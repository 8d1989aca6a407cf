using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The networks of images as graphs, from the bytes of the pixels on.</summary>
/// <remarks>N images, P patches, D the dimension.</remarks>
internal static class ImageGraphs
{
    /// <summary>An image's embedding.</summary>
    /// <param name="factory">The network's sizes.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="bytes">Pixels from 0 to 255 without fractions, Single [N, channels, height, width].</param>
    /// <returns>Single [N, D].</returns>
    public static OnnxValue Encode(ImageEncoderFactory factory, NetworkWeights weights, OnnxValue bytes)
        => EncodePixels(factory, weights, Standardize(factory, weights.Graph, bytes));

    /// <summary>A vector for every patch, class tokens left out: [N, P, D].</summary>
    /// <inheritdoc cref="Encode"/>
    public static OnnxValue Patches(ImageEncoderFactory factory, NetworkWeights weights, OnnxValue bytes)
    {
        if (factory is not VisionTransformerEncoderFactory sizes)
            throw Unsupported.Network(factory);
        return VisionTokens(sizes, weights, Standardize(factory, weights.Graph, bytes)).Slice(1, Prefix(sizes), long.MaxValue);
    }

    private static OnnxValue EncodePixels(ImageEncoderFactory factory, NetworkWeights weights, OnnxValue pixels)
    {
        switch (factory)
        {
            case ConvNetEncoderFactory sizes:
                return ConvNet(sizes, weights, pixels);
            case ResNetEncoderFactory sizes:
                return ResNet(sizes, weights, pixels);
            case VisionTransformerEncoderFactory sizes:
                var tokens = VisionTokens(sizes, weights, pixels);
                return sizes.Pooling == ImagePooling.Class ? tokens.Select(1, 0) : tokens.Slice(1, Prefix(sizes), long.MaxValue).Mean(false, 1);
            case ProjectedImageEncoderFactory projected:
                return ProjectionGraphs.Project(weights, EncodePixels(projected.Encoder, weights.Part("encoder"), pixels), factory.EmbeddingDimension);
            default:
                throw Unsupported.Network(factory);
        }
    }

    // (x / 255 - mean) / deviation, channel by channel, in the network's size.
    private static OnnxValue Standardize(ImageEncoderFactory factory, OnnxBuilder graph, OnnxValue bytes)
    {
        var normalization = factory.Normalization ?? ImageNormalization.Neutral(factory.Shape.Channels);
        using var scope = NewDisposeScope();
        float[] scales = [.. normalization.Deviation.Select(d => (float)(1.0 / 255 / d))];
        float[] offsets = [.. normalization.Mean.Zip(normalization.Deviation, (m, d) => -m / d)];
        var pixels = bytes * graph.Weight(tensor(scales).view(1, -1, 1, 1), "pixel_scales") + graph.Weight(tensor(offsets).view(1, -1, 1, 1), "pixel_offsets");
        if (factory.NetworkShape == factory.Shape)
            return pixels;
        // Resizing with a triangle as wide as the image shrinks is a product from either side.
        var rows = graph.Weight(Resizing(factory.Shape.Height, factory.NetworkShape.Height), "resized_rows");                       // [H', H]
        var columns = graph.Weight(Resizing(factory.Shape.Width, factory.NetworkShape.Width).t(), "resized_columns");               // [W, W']
        return rows.MatMul(pixels).MatMul(columns);
    }

    // What the resizing makes of each place, [to, from].
    private static Tensor Resizing(int from, int to) => nn.functional.interpolate(eye(from, dtype: ScalarType.Float32).view(1, 1, from, from), [to, from],
        mode: InterpolationMode.Bilinear, align_corners: false, antialias: true).view(to, from);

    private static OnnxValue ConvNet(ConvNetEncoderFactory sizes, NetworkWeights weights, OnnxValue maps)
    {
        for (var i = 0; i < sizes.NumberOfStages; i++)
        {
            var stage = weights.Part($"stages.{i}");
            maps = stage.BatchNorm(stage.Convolution(maps, "down", 2), "down_norm").Relu();
            maps = (stage.BatchNorm(stage.Convolution(maps, "refine", 1), "refine_norm") + maps).Relu();
        }
        return maps.Mean(false, 2, 3);
    }

    private static OnnxValue ResNet(ResNetEncoderFactory sizes, NetworkWeights weights, OnnxValue pixels)
    {
        var maps = weights.BatchNorm(weights.Convolution(pixels, "conv1", sizes.Stem == ImageStem.Small ? 1 : 2), "bn1").Relu();
        if (sizes.Stem == ImageStem.Large)
            maps = weights.Graph.Node("MaxPool", [maps], ("kernel_shape", (long[])[3, 3]), ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1]));
        for (var stage = 0; stage < sizes.BlocksPerStage.Length; stage++)
        {
            for (var i = 0; i < sizes.BlocksPerStage[stage]; i++)
                maps = ResNetBlock(sizes, weights.Part($"layer{stage + 1}.{i}"), maps, i == 0 && stage > 0 ? 2 : 1);
        }
        return maps.Mean(false, 2, 3);
    }

    private static OnnxValue ResNetBlock(ResNetEncoderFactory sizes, NetworkWeights block, OnnxValue input, int stride)
    {
        var (first, second) = !sizes.IsBottleneck || sizes.StridesFirst ? (stride, 1) : (1, stride);
        var maps = block.BatchNorm(block.Convolution(input, "conv1", first), "bn1").Relu();
        maps = block.BatchNorm(block.Convolution(maps, "conv2", second), "bn2");
        if (sizes.IsBottleneck)
            maps = block.BatchNorm(block.Convolution(maps.Relu(), "conv3", 1), "bn3");
        var shortcut = block.Has("downsample.0.weight") ? block.BatchNorm(block.Convolution(input, "downsample.0", stride), "downsample.1") : input;
        return (maps + shortcut).Relu();
    }

    // Tokens before the patches.
    private static int Prefix(VisionTransformerEncoderFactory sizes) => sizes.HasDistillationToken ? 2 : 1;

    // [N, 1 or 2 + P, D].
    private static OnnxValue VisionTokens(VisionTransformerEncoderFactory sizes, NetworkWeights weights, OnnxValue pixels)
    {
        var (prefix, side, dimension) = (Prefix(sizes), (long)sizes.PatchSize, (long)sizes.EmbeddingDimension);
        var cut = weights.Graph.Node("Conv", [pixels, weights.Value("patch_embed.proj.weight"), weights.Value("patch_embed.proj.bias")],
            ("strides", (long[])[side, side]));                                                         // [N, D, rows, columns]
        var positions = weights.Value("pos_embed");                                                     // [1, 1 or 2 + P, D]
        var patches = cut.Reshape(0, dimension, -1).Transpose(0, 2, 1) + positions.Slice(1, prefix, long.MaxValue);
        var first = weights.Value("cls_token");                                                         // [1, 1, D]
        if (sizes.HasDistillationToken)
            first = OnnxValue.Concat(1, first, weights.Value("dist_token"));
        first += positions.Slice(1, 0, prefix);
        var each = first.Expand(OnnxValue.Concat(0, pixels.Length(0), weights.Graph.Integers(prefix, dimension)));
        var tokens = OnnxValue.Concat(1, each, patches);
        for (var i = 0; i < sizes.NumberOfLayers; i++)
            tokens = TransformerGraphs.VisionBlock(weights.Part($"blocks.{i}"), tokens, sizes.NumberOfHeads, sizes.LayerNormEpsilon);
        return weights.LayerNorm(tokens, "norm", sizes.LayerNormEpsilon);
    }
}
