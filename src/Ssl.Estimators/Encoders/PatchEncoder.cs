using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// An image encoder that cuts an image into square patches and gives each a vector: what masked image methods learn with.
/// </summary>
/// <remarks>N images, P patches, V of them visible, D the dimension of a vector.</remarks>
public abstract class PatchEncoder : ImageEncoder
{
    /// <summary>An encoder of this name; the derived class registers its components.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="shape">The images that it takes; height and width are multiples of <paramref name="patchSize"/>.</param>
    /// <param name="patchSize">Pixels of a patch's side.</param>
    /// <param name="normalization">Mean and deviation of the pixels.</param>
    protected PatchEncoder(string name, ImageShape shape, int patchSize, ImageNormalization normalization)
        : base(name, shape, normalization)
    {
        PatchSize = patchSize;
        Rows = shape.Height / patchSize;
        Columns = shape.Width / patchSize;
    }

    /// <summary>An encoder of this name that brings the images to the size that its network computes at, where the factory says so.</summary>
    private protected PatchEncoder(string name, ImageEncoderFactory factory, int patchSize, ImageNormalization normalization)
        : base(name, factory, normalization)
    {
        PatchSize = patchSize;
        Rows = factory.NetworkShape.Height / patchSize;
        Columns = factory.NetworkShape.Width / patchSize;
    }

    /// <summary>Pixels of a patch's side.</summary>
    public int PatchSize { get; }

    /// <summary>Patches from top to bottom.</summary>
    public int Rows { get; }

    /// <summary>Patches from left to right.</summary>
    public int Columns { get; }

    /// <summary>Patches of an image.</summary>
    public int NumberOfPatches => Rows * Columns;

    /// <summary>Numbers of a patch: channels x side x side.</summary>
    public int PatchLength => Shape.Channels * PatchSize * PatchSize;

    /// <summary>Length of the vector of one patch.</summary>
    public abstract int TokenDimension { get; }

    /// <summary>The vectors that stand for the places of the patches, [1, P, D].</summary>
    public abstract Tensor Positions { get; }

    /// <summary>Cuts images into patches, left to right and top to bottom.</summary>
    /// <param name="pixels">[N, channels, height, width].</param>
    /// <returns>[N, P, <see cref="PatchLength"/>]; within a patch channel by channel, row by row.</returns>
    public Tensor Patchify(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        return pixels.reshape(pixels.shape[0], Shape.Channels, Rows, PatchSize, Columns, PatchSize)
            .permute(0, 2, 4, 1, 3, 5)                                                              // [N, rows, columns, C, p, p]
            .reshape(pixels.shape[0], NumberOfPatches, PatchLength);
    }

    /// <summary>Vectors of patches before the network: projected, with their positions added.</summary>
    /// <param name="patches">[N, V, <see cref="PatchLength"/>].</param>
    /// <param name="places">Int64 [N, V]: where in the image each patch stands, from 0; <see langword="null"/> for all in order.</param>
    /// <returns>[N, V, D].</returns>
    public abstract Tensor EmbedPatches(Tensor patches, Tensor? places = null);

    /// <summary>Runs the network over vectors of patches.</summary>
    /// <param name="tokens">What <see cref="EmbedPatches"/> gave, [N, V, D].</param>
    /// <returns>[N, V, D], normalized; class tokens are left out.</returns>
    public abstract Tensor EncodePatches(Tensor tokens);
}
