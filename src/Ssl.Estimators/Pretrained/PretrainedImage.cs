using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Serialization.Onnx;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Reads encoders of images: residual networks and vision transformers.</summary>
internal static class PretrainedImage
{
    private const string ConfigName = "config.json", ResNetKind = "resnet";
    private const int UsualSize = 224;

    /// <summary>What is read, for sentences.</summary>
    public static string Kinds => $"{string.Join(", ", PretrainedVisionTransformer.Kinds)}, {ResNetKind}; timm's and torchvision's ViT, DeiT and ResNet";

    /// <summary>Whether a folder's config.json, or the names of its weights where there is none, are those of a network of images.</summary>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static bool IsIn(PretrainedFiles files) => files.ReadSettings(ConfigName) is { } config
        ? config.TextOrNull("model_type") is { } kind ? kind == ResNetKind || PretrainedVisionTransformer.Kinds.Contains(kind)
            : config.Has("architecture") || config.Has(ImagePreprocessing.TimmPart)
        : ImageLayout.Of(PretrainedWeights.NamesIn(files)) is not null;

    /// <summary>Whether a graph begins with a convolution, as networks of images do.</summary>
    public static bool IsIn(OnnxGraph graph) => graph.Nodes.Any(node => node.OpType == "Conv");

    /// <summary>Reads the safetensors files of a folder.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="options">Columns and what overrides the files.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="FormatException">A file is damaged, or the network is of another kind.</exception>
    public static EncoderModel ReadSafeTensors(PretrainedFiles files, PretrainedOptions options)
    {
        var config = files.ReadSettings(ConfigName);
        using var weights = PretrainedWeights.ReadSafeTensors(files);
        var layout = ImageLayout.Of(weights.Names) ?? throw new FormatException($"'{weights.Path}' has the weights of no network that is read: {Kinds}.");
        var usual = layout == ImageLayout.TransformersTransformer ? ImagePreprocessing.EvenRange : ImagePreprocessing.ImageNet;
        return Build(weights, layout, config, ImagePreprocessing.Read(files, config, usual), options);
    }

    /// <summary>Reads an ONNX file with the settings beside it, where there are some.</summary>
    /// <param name="files">Where it is.</param>
    /// <param name="graph">Its graph.</param>
    /// <param name="path">The file, for sentences.</param>
    /// <param name="options">Columns and what overrides the files.</param>
    /// <exception cref="FormatException">A file is damaged, or the network is of another kind.</exception>
    public static EncoderModel ReadOnnx(PretrainedFiles files, OnnxGraph graph, string path, PretrainedOptions options)
    {
        var config = files.ReadSettings(ConfigName);
        if (OnnxVisionTransformer.IsIn(graph))
        {
            using var named = OnnxVisionTransformer.ReadWeights(graph, path);
            var layout = ImageLayout.Of(named.Names) ?? throw new FormatException($"'{path}' is a vision transformer whose weights lost their names: take its "
                + "safetensors folder, or export it with names (torch.onnx.export without constant folding keeps them).");
            var usual = layout == ImageLayout.TransformersTransformer ? ImagePreprocessing.EvenRange : ImagePreprocessing.ImageNet;
            return Build(named, layout, config, ImagePreprocessing.Read(files, config, usual), options, OnnxVisionTransformer.FindEpsilon(graph));
        }
        using var weights = OnnxResNet.ReadWeights(graph, path, out var stridesFirst);
        return Build(weights, ImageLayout.TorchvisionResNet, config, ImagePreprocessing.Read(files, config,
            OnnxResNet.IsFeaturizer(graph) ? ImagePreprocessing.Featurizer : ImagePreprocessing.ImageNet), options, stridesFirst: stridesFirst);
    }

    private static EncoderModel Build(PretrainedWeights weights, ImageLayout layout, PretrainedSettings? config, ImagePreprocessing preprocessing,
        PretrainedOptions options, double? epsilon = null, bool stridesFirst = false)
    {
        options.ThrowIfForTexts(layout.IsResNet);
        var marker = weights.Names.First(name => name == layout.Marker || name.EndsWith("." + layout.Marker, StringComparison.Ordinal));
        weights.WithoutPrefix(marker[..^layout.Marker.Length]);
        ImageEncoderFactory factory = layout.IsResNet ? ResNet() : Transformer();
        var normalization = options.Normalization ?? preprocessing.Normalization;
        if (normalization.Mean.Count != factory.Shape.Channels)
        {
            throw new FormatException($"The network in '{weights.Path}' takes {factory.Shape.Channels} channels, its normalization has "
                + $"{normalization.Mean.Count} means: set {nameof(PretrainedOptions.Normalization)}.");
        }
        factory = factory.WithNormalization(normalization);
        if (options.BlueFirst ?? preprocessing.BlueFirst)
            Reverse(weights, layout.NameOf(layout.IsResNet ? "conv1.weight" : "patch_embed.proj.weight"));
        if (options.InputSize is { } side)
            factory = factory.Resizing(new ImageShape(factory.Shape.Channels, side, side));
        var format = new ImageRowFormat(options.InputColumnName ?? ColumnNames.Image, factory, options.PixelMaximum, loaded: options.InputSize is null);
        // At another size there are other positions.
        using var limit = Initialization.Limit(weights.ValueCount + (options.InputSize is { } size ? (long)size * size * factory.EmbeddingDimension : 0));
        return EncoderModel.Fill(format, targets => PretrainedFill.Copy(targets, weights,
            name => PretrainedResNet.IsCounter(name) && weights[layout.NameOf(name)] is null ? [] : layout.NamesOf(name), layout.MayRemain,
            layout.IsResNet ? "residual network" : "vision transformer"), options.OutputColumnName,
            new JsonObject { ["trainer"] = PretrainedReader.MethodName, ["source"] = $"{layout.Library} {(layout.IsResNet ? "ResNet" : "ViT")}" });

        ResNetEncoderFactory ResNet() => Described(weights, () => PretrainedResNet.ReadSizes(weights, layout, config,
            options.ImageSize ?? preprocessing.Height ?? UsualSize, options.ImageSize ?? preprocessing.Width ?? UsualSize, stridesFirst));

        VisionTransformerEncoderFactory Transformer()
        {
            // timm's and torchvision's code has 1e-6, transformers' 1e-12
            var sizes = Described(weights, () => PretrainedVisionTransformer.ReadSizes(weights, layout, config,
                epsilon ?? (layout == ImageLayout.TransformersTransformer ? 1e-12 : 1e-6), options.ImagePooling));
            if (options.ImageSize is not { } size || (size == sizes.Shape.Height && size == sizes.Shape.Width))
                return sizes;
            if (size % sizes.PatchSize != 0)
            {
                throw new ArgumentOutOfRangeException(nameof(options), $"ImageSize must be a multiple of {sizes.PatchSize}, the side of the patches of the "
                    + $"network in '{weights.Path}', got {size}.");
            }
            var name = layout.NameOf("pos_embed");
            weights.Replace(name, PretrainedVisionTransformer.Interpolate(weights[name]!, sizes.HasDistillationToken ? 2 : 1, size / sizes.PatchSize,
                size / sizes.PatchSize));
            return PretrainedVisionTransformer.At(sizes, size, size);
        }
    }

    // Sizes that no network can have are a fault of the file.
    private static T Described<T>(PretrainedWeights weights, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentOutOfRangeException fault)
        {
            throw new FormatException($"'{weights.Path}' and its settings do not describe a network: {JsonReading.Reason(fault)}", fault);
        }
    }

    // Images here are red, green, blue.
    private static void Reverse(PretrainedWeights weights, string name)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        weights.Replace(name, weights[name]!.flip(1).contiguous().DetachFromDisposeScope());
    }
}
