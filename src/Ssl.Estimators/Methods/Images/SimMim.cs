using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Some patches are replaced by a learned vector; the encoder sees all places, and one linear layer rebuilds the pixels.</summary>
/// <remarks>
/// Xie et al., "SimMIM: A Simple Framework for Masked Image Modeling", 2022 (arXiv:2111.09886). A hidden unit is one patch of the encoder.
/// N images, P patches, M of them hidden, D the dimension, L numbers a patch.
/// </remarks>
public sealed class SimMim : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly PatchEncoder _encoder;

    [ComponentName(Name = "mask_token")]
    private readonly Parameter _maskToken;

    [ComponentName(Name = "output")]
    private readonly Linear _output;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _maskRatio;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">An encoder of patches: <see cref="ImageEncoders.VisionTransformer"/> or your own.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views and masks from their streams.</param>
    /// <param name="view">Drawn for every image; <see langword="null"/> takes <see cref="ImageViews.CropAndFlip"/>.</param>
    /// <param name="maskRatio">Share of the patches that are hidden. Between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is out of range, or the encoder sees images whole.</exception>
    public SimMim(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double maskRatio = 0.6)
        : base(nameof(SimMim), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Between(maskRatio, 0, 1).ThrowIfAny();
        _encoder = MaskedAutoencoder.RequirePatches(encoder);
        _streams = streams;
        _view = ImageViews.RequireFixed(view ?? ImageViews.CropAndFlip(encoder.Shape), nameof(SimMim));
        _maskRatio = maskRatio;
        _maskToken = nn.Parameter(zeros(_encoder.TokenDimension, dtype: ScalarType.Float32));
        Initialization.Normal(_maskToken, 0.02, streams.Weights);
        _output = Initialization.NormalLinear(_encoder.TokenDimension, _encoder.PatchLength, streams.Weights);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = _view.Apply(ImageColumn.Of(columns), _streams.Views);
        var patches = _encoder.Patchify(_encoder.Standardize(images));                              // [N, P, L]
        var mask = PatchMask.Draw(images.Count, _encoder.NumberOfPatches, _maskRatio, _streams.Masks, patches.device);
        var isHidden = zeros(patches.shape[0], patches.shape[1], dtype: ScalarType.Float32, device: patches.device)
            .scatter_(1, mask.Hidden, ones_like(mask.Hidden, dtype: ScalarType.Float32)).to(ScalarType.Bool).unsqueeze(2); // [N, P, 1]
        var tokens = where(isHidden, _maskToken.add(_encoder.Positions, One), _encoder.EmbedPatches(patches)); // [N, P, D]
        var encoded = PatchMask.Take(_encoder.EncodePatches(tokens), mask.Hidden);                  // [N, M, D]
        var loss = PatchReconstructionLoss.Absolute(_output.call(encoded), PatchMask.Take(patches, mask.Hidden));
        return new StepLoss(loss, []);
    }
}
