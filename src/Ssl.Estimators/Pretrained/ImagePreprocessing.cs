using System.Text.Json.Nodes;

namespace Ssl.Estimators.Pretrained;

/// <summary>What a network of images wants done to pixels.</summary>
/// <param name="Normalization">Of pixels from 0 to 1; red first, whatever the network's order.</param>
/// <param name="BlueFirst">Whether the network's first convolution has blue, green, red.</param>
/// <param name="Height">Of the images that it was trained with; null where nobody says it.</param>
/// <param name="Width">Of the images that it was trained with; null where nobody says it.</param>
internal sealed record ImagePreprocessing(ImageNormalization Normalization, bool BlueFirst = false, int? Height = null, int? Width = null)
{
    /// <summary>The file of transformers.</summary>
    public const string FileName = "preprocessor_config.json";

    /// <summary>The part of config.json, of timm.</summary>
    public const string TimmPart = "pretrained_cfg";

    /// <summary>torchvision's and timm's usual numbers.</summary>
    public static ImagePreprocessing ImageNet { get; } = new(ImageNormalization.ImageNet);

    /// <summary>-1 to 1, as ViT's own code and transformers have it where no file says otherwise.</summary>
    public static ImagePreprocessing EvenRange { get; } = new(new ImageNormalization([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]));

    /// <summary>
    /// The networks of ML.NET's packages Microsoft.ML.DnnImageFeaturizer.*: blue first, from 0 to 255, less the mean of ImageNet's channels.
    /// </summary>
    public static ImagePreprocessing Featurizer { get; } = new(new ImageNormalization([123.15f / 255, 115.90f / 255, 103.06f / 255],
        [1f / 255, 1f / 255, 1f / 255]), BlueFirst: true);

    /// <summary>What the files beside the weights say.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="config">Its config.json, if any.</param>
    /// <param name="otherwise">Where they say nothing.</param>
    /// <exception cref="FormatException">A setting is of another kind.</exception>
    public static ImagePreprocessing Read(PretrainedFiles files, PretrainedSettings? config, ImagePreprocessing otherwise)
    {
        if (files.ReadSettings(FileName) is { } settings)
            return ReadTransformers(settings, otherwise);
        return (config?.Part(TimmPart) ?? config) is { } timm && (timm.Has("mean") || timm.Has("input_size")) ? ReadTimm(timm, otherwise) : otherwise;
    }

    private static ImagePreprocessing ReadTimm(PretrainedSettings settings, ImagePreprocessing otherwise)
    {
        var size = settings["input_size"] is null ? null : Numbers(settings, "input_size");
        if (size is not (null or [_, >= 1, >= 1]))
            throw settings.Fault("input_size", "three whole numbers: channels, height, width");
        return new(settings.Has("mean") ? new ImageNormalization(Numbers(settings, "mean"), Numbers(settings, "std")) : otherwise.Normalization,
            Height: (int?)size?[1], Width: (int?)size?[2]);
    }

    private static ImagePreprocessing ReadTransformers(PretrainedSettings settings, ImagePreprocessing otherwise)
    {
        // Numbers of the file hold for pixels times the factor, the normalization here for pixels from 0 to 1.
        var factor = settings.Boolean("do_rescale", true) ? settings.Number("rescale_factor", 1.0 / 255) : 1;
        var scale = Math.Abs(factor * 255 - 1) < 1e-6 ? 1 : factor * 255;
        var normalization = settings.Boolean("do_normalize", true)
            ? settings.Has("image_mean") ? new ImageNormalization(Numbers(settings, "image_mean"), Numbers(settings, "image_std")) : otherwise.Normalization
            : new ImageNormalization([.. otherwise.Normalization.Mean.Select(_ => 0f)], [.. otherwise.Normalization.Mean.Select(_ => 1f)]);
        if (scale != 1)
        {
            normalization = new([.. normalization.Mean.Select(mean => (float)(mean / scale))],
                [.. normalization.Deviation.Select(deviation => (float)(deviation / scale))]);
        }
        var blueFirst = settings.Boolean("do_flip_channel_order", false);
        if (blueFirst)
            normalization = new([.. normalization.Mean.Reverse()], [.. normalization.Deviation.Reverse()]);
        var crops = settings.Boolean("do_center_crop", false) && settings.Has("crop_size");
        var (height, width) = Size(settings, crops ? "crop_size" : "size");
        return new(normalization, blueFirst, height, width);
    }

    private static (int? Height, int? Width) Size(PretrainedSettings settings, string name) => settings[name] switch
    {
        null => (null, null),
        JsonObject => settings.Part(name)! is var part && part.Has("shortest_edge") ? (part.Integer("shortest_edge"), part.Integer("shortest_edge"))
            : (part.Integer("height"), part.Integer("width")),
        _ => (settings.Integer(name), settings.Integer(name)),
    };

    private static float[] Numbers(PretrainedSettings settings, string name)
        => settings[name] is JsonArray { Count: > 0 } array && array.All(item => item is JsonValue value && value.TryGetValue(out double _))
            ? [.. array.Select(item => (float)item!.GetValue<double>())]
            : throw settings.Fault(name, "a list of numbers");
}
