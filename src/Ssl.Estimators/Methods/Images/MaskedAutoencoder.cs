using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Most patches of an image are hidden; the encoder sees the others only, and a small decoder rebuilds the hidden ones.</summary>
/// <remarks>
/// He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022 (arXiv:2111.06377). A step costs the less the more is hidden.
/// Deviation: learned positions (see <see cref="ImageEncoders.VisionTransformer"/>). N images, P patches, V of them visible and M hidden,
/// D the encoder's and E the decoder's dimension, L numbers a patch.
/// </remarks>
public sealed class MaskedAutoencoder : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly PatchEncoder _encoder;

    [ComponentName(Name = "decoder")]
    private readonly PatchDecoder _decoder;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _maskRatio;
    private readonly bool _normalizesPatches;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">An encoder of patches: <see cref="ImageEncoders.VisionTransformer"/> or your own.</param>
    /// <param name="streams">The decoder comes from <see cref="RandomStreams.Weights"/>, views and masks from their streams.</param>
    /// <param name="view">Drawn for every image; <see langword="null"/> takes <see cref="ImageViews.CropAndFlip"/>.</param>
    /// <param name="maskRatio">Share of the patches that are hidden. Between 0 and 1.</param>
    /// <param name="decoderDimension">E, a multiple of 4 and of <paramref name="decoderHeads"/>.</param>
    /// <param name="decoderLayers">Blocks of the decoder. At least 1.</param>
    /// <param name="decoderHeads">Attention heads of the decoder. At least 1.</param>
    /// <param name="normalizesPatches">Whether each patch's own mean and deviation are taken out of what is to be rebuilt.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is outside its stated range, or the encoder sees images whole; all faults are named.
    /// </exception>
    public MaskedAutoencoder(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double maskRatio = 0.75,
        int decoderDimension = 64, int decoderLayers = 1, int decoderHeads = 4, bool normalizesPatches = true)
        : base(nameof(MaskedAutoencoder), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Between(maskRatio, 0, 1)
            .AtLeast(decoderLayers, 1)
            .AtLeast(decoderHeads, 1)
            .Require(decoderDimension >= 4 && decoderDimension % 4 == 0 && decoderDimension % Math.Max(1, decoderHeads) == 0,
                nameof(decoderDimension), $"must be a multiple of 4 and of decoderHeads {decoderHeads}", decoderDimension)
            .ThrowIfAny();
        _encoder = RequirePatches(encoder);
        _streams = streams;
        _view = ImageViews.RequireFixed(view ?? ImageViews.CropAndFlip(encoder.Shape), nameof(MaskedAutoencoder));
        (_maskRatio, _normalizesPatches) = (maskRatio, normalizesPatches);
        _decoder = new PatchDecoder(_encoder, decoderDimension, decoderLayers, decoderHeads, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = _view.Apply(ImageColumn.Of(columns), _streams.Views);
        return new StepLoss(Reconstruction(_encoder, _decoder, images, _maskRatio, _normalizesPatches, _streams), []);
    }

    /// <summary>The error of the hidden patches.</summary>
    internal static Tensor Reconstruction(PatchEncoder encoder, PatchDecoder decoder, ImageBatch images, double maskRatio,
        bool normalizesPatches, RandomStreams streams)
    {
        var patches = encoder.Patchify(encoder.Standardize(images));                                // [N, P, L]
        var mask = PatchMask.Draw(images.Count, encoder.NumberOfPatches, maskRatio, streams.Masks, images.Pixels.device);
        var visible = encoder.EmbedPatches(PatchMask.Take(patches, mask.Visible), mask.Visible);    // [N, V, D]
        var rebuilt = decoder.call(encoder.EncodePatches(visible), mask.Visible, mask.Hidden);      // [N, M, L]
        return PatchReconstructionLoss.Squared(rebuilt, PatchMask.Take(patches, mask.Hidden), normalizesPatches);
    }

    internal static PatchEncoder RequirePatches(ImageEncoder encoder) => encoder as PatchEncoder
        ?? throw new ArgumentOutOfRangeException(nameof(encoder),
            $"Masked images need an encoder of patches, and {encoder?.GetName()} sees images whole. "
            + $"Take {nameof(ImageEncoders)}.{nameof(ImageEncoders.VisionTransformer)} or one of its presets.");
}
