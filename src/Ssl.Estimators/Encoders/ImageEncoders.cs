using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Encoders of images, ready to be given to an image trainer.</summary>
/// <remarks>
/// Weights of the residual networks are named as in torchvision, those of the vision transformers as in timm, so that
/// <c>ssl.LoadEncoder</c>'s archive (safetensors) can be read there and weights from there can be copied in by name.
/// </remarks>
public static class ImageEncoders
{
    internal static class Defaults
    {
        internal const int ImageSize = 32;
        internal const int Channels = 3;
        internal const int NumberOfStages = 4;
        internal const int ConvNetWidth = 32;
        internal const int ResNetWidth = 64;
        internal const int PatchSize = 4;
        internal const int LargePatchSize = 16;
        internal const int LargeImageSize = 224;
    }

    /// <summary>Announces the encoders of this class to <see cref="EncoderFactory.FromJson"/>.</summary>
    internal static void RegisterAll()
    {
        EncoderFactory.Register(ConvNetEncoderFactory.KindName, ConvNetEncoderFactory.Read);
        EncoderFactory.Register(ProjectedImageEncoderFactory.KindName, ProjectedImageEncoderFactory.Read);
        EncoderFactory.Register(ResNetEncoderFactory.KindName, ResNetEncoderFactory.Read);
        EncoderFactory.Register(VisionTransformerEncoderFactory.KindName, VisionTransformerEncoderFactory.Read);
    }

    /// <summary>A small convolutional network for a CPU: each stage halves the image and doubles the channels.</summary>
    /// <param name="imageSize">Height and width in pixels. At least 1.</param>
    /// <param name="channels">Channels of an image. At least 1.</param>
    /// <param name="numberOfStages">From 1 to 6; 3 or 4 for images of 28 to 64 pixels.</param>
    /// <param name="width">Channels of the first stage; the embedding has <c>width x 2^(numberOfStages - 1)</c> numbers. At least
    /// 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static ImageEncoderFactory SmallConvNet(int imageSize = Defaults.ImageSize, int channels = Defaults.Channels,
        int numberOfStages = Defaults.NumberOfStages, int width = Defaults.ConvNetWidth)
        => new ConvNetEncoderFactory(new ImageShape(channels, imageSize, imageSize), numberOfStages, width);

    /// <summary>ResNet-18: 11 million weights at width 64, an embedding of 8 x <paramref name="width"/> numbers.</summary>
    /// <param name="imageSize">Height and width in pixels. At least 1.</param>
    /// <param name="channels">Channels of an image. At least 1.</param>
    /// <param name="stem">How it begins; <see langword="null"/> takes <see cref="ImageStem.Small"/> below 65 pixels, else Large.</param>
    /// <param name="width">Channels of the first stage; 64 is the paper's, 16 learns on a CPU. At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static ImageEncoderFactory ResNet18(int imageSize = Defaults.ImageSize, int channels = Defaults.Channels, ImageStem? stem = null,
        int width = Defaults.ResNetWidth) => ResNet(18, imageSize, channels, stem, width);

    /// <summary>ResNet-34: 21 million weights at width 64, an embedding of 8 x <paramref name="width"/> numbers.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ImageEncoderFactory ResNet34(int imageSize = Defaults.ImageSize, int channels = Defaults.Channels, ImageStem? stem = null,
        int width = Defaults.ResNetWidth) => ResNet(34, imageSize, channels, stem, width);

    /// <summary>ResNet-50: 24 million weights at width 64, an embedding of 32 x <paramref name="width"/> numbers.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ImageEncoderFactory ResNet50(int imageSize = Defaults.ImageSize, int channels = Defaults.Channels, ImageStem? stem = null,
        int width = Defaults.ResNetWidth) => ResNet(50, imageSize, channels, stem, width);

    /// <summary>ViT tiny: 12 layers of width 192 with 3 heads, 5.5 million weights.</summary>
    /// <param name="imageSize">Height and width in pixels; a multiple of <paramref name="patchSize"/>.</param>
    /// <param name="patchSize">Side of a patch in pixels: 4 for images of 32 pixels, 16 for 224. At least 1.</param>
    /// <param name="channels">Channels of an image. At least 1.</param>
    /// <param name="pooling">How the vectors of the patches become the image's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static ImageEncoderFactory ViTTiny(int imageSize = Defaults.ImageSize, int patchSize = Defaults.PatchSize,
        int channels = Defaults.Channels, ImagePooling pooling = ImagePooling.Mean)
        => VisionTransformer(imageSize, patchSize, channels, 12, 192, 3, pooling);

    /// <summary>ViT small: 12 layers of width 384 with 6 heads, 21 million weights.</summary>
    /// <inheritdoc cref="ViTTiny"/>
    public static ImageEncoderFactory ViTSmall(int imageSize = Defaults.LargeImageSize, int patchSize = Defaults.LargePatchSize,
        int channels = Defaults.Channels, ImagePooling pooling = ImagePooling.Mean)
        => VisionTransformer(imageSize, patchSize, channels, 12, 384, 6, pooling);

    /// <summary>ViT base: 12 layers of width 768 with 12 heads, 86 million weights.</summary>
    /// <inheritdoc cref="ViTTiny"/>
    public static ImageEncoderFactory ViTBase(int imageSize = Defaults.LargeImageSize, int patchSize = Defaults.LargePatchSize,
        int channels = Defaults.Channels, ImagePooling pooling = ImagePooling.Mean)
        => VisionTransformer(imageSize, patchSize, channels, 12, 768, 12, pooling);

    /// <summary>A vision transformer of any size.</summary>
    /// <param name="imageSize">Height and width in pixels; a multiple of <paramref name="patchSize"/>.</param>
    /// <param name="patchSize">Side of a patch in pixels. At least 1.</param>
    /// <param name="channels">Channels of an image. At least 1.</param>
    /// <param name="numberOfLayers">Blocks of attention and feed-forward network. At least 1.</param>
    /// <param name="dimension">Length of a patch's vector and of the embedding; a multiple of 4 and of
    /// <paramref name="numberOfHeads"/>.</param>
    /// <param name="numberOfHeads">Attention heads. At least 1.</param>
    /// <param name="pooling">How the vectors of the patches become the image's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static ImageEncoderFactory VisionTransformer(int imageSize, int patchSize, int channels, int numberOfLayers, int dimension,
        int numberOfHeads, ImagePooling pooling = ImagePooling.Mean)
        => new VisionTransformerEncoderFactory(new ImageShape(channels, imageSize, imageSize), patchSize, numberOfLayers, dimension,
            numberOfHeads, pooling);

    /// <summary>A network of your own.</summary>
    /// <param name="kind">Its name in saved models. A process that loads one must have called this method with the same kind
    /// before.</param>
    /// <param name="imageSize">Height and width in pixels. At least 1.</param>
    /// <param name="channels">Channels of an image. At least 1.</param>
    /// <param name="embeddingDimension">D, the length of its output.</param>
    /// <param name="create">
    /// Makes the network with fresh weights, [N, channels, height, width] to [N, D]; called several times, gives a new one each time.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static ImageEncoderFactory OfModule(string kind, int imageSize, int channels, int embeddingDimension,
        Func<nn.Module<Tensor, Tensor>> create)
        => new ModuleEncoderFactory(kind, new ImageShape(channels, imageSize, imageSize), embeddingDimension, create);

    private static ResNetEncoderFactory ResNet(int depth, int imageSize, int channels, ImageStem? stem, int width)
        => new(new ImageShape(channels, imageSize, imageSize), depth, width, stem ?? (imageSize <= 64 ? ImageStem.Small : ImageStem.Large));
}
