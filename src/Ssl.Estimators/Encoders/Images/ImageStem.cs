namespace Ssl.Estimators;

/// <summary>How a residual network begins: how much it shrinks the image before its first stage.</summary>
public enum ImageStem
{
    /// <summary>A 3x3 convolution, no shrinking: images of 32 pixels on a GPU.</summary>
    Small,

    /// <summary>
    /// A 3x3 convolution of stride 2: images of 28 to 64 pixels on a CPU, about three times faster than <see cref="Small"/>.
    /// </summary>
    Strided,

    /// <summary>
    /// A 7x7 convolution of stride 2, then a maximum over 3x3 of stride 2: images of 128 pixels and more, as in torchvision.
    /// </summary>
    Large,
}
