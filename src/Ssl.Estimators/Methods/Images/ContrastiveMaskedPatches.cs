using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// The hybrid: <see cref="SimClr"/>'s contrast shapes the image's embedding while <see cref="MaskedAutoencoder"/>'s reconstruction shapes
/// the vectors of the patches, in one step.
/// </summary>
/// <remarks>
/// The loss is the weighted sum of the two, each reported by name. A term with weight 0 is not computed. N images, D the embedding
/// dimension, P the projection dimension.
/// </remarks>
public sealed class ContrastiveMaskedPatches : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly PatchEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "decoder")]
    private readonly PatchDecoder _decoder;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly ImageView _maskedView;
    private readonly double _temperature, _maskRatio, _contrastiveWeight, _maskedWeight;

    /// <summary>The hybrid around an encoder.</summary>
    /// <param name="encoder">An encoder of patches: <see cref="ImageEncoders.VisionTransformer"/> or your own.</param>
    /// <param name="streams">The heads' weights, views and masks.</param>
    /// <param name="view">For the contrast; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="maskRatio">Share of the patches that are hidden. Between 0 and 1.</param>
    /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0; not both 0.</param>
    /// <param name="maskedWeight">Weight of the masked term. At least 0; not both 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range, or the encoder sees images whole; all faults are
    /// named.</exception>
    public ContrastiveMaskedPatches(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double temperature = 0.2,
        double maskRatio = 0.75, double contrastiveWeight = 1, double maskedWeight = 1, int projectionDimension = 128)
        : base(nameof(ContrastiveMaskedPatches), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .Between(maskRatio, 0, 1)
            .NotNegative(contrastiveWeight)
            .NotNegative(maskedWeight)
            .Require(contrastiveWeight != 0 || maskedWeight != 0, nameof(maskedWeight), "must not be 0 together with contrastiveWeight", 0)
            .AtLeast(projectionDimension, 1)
            .ThrowIfAny();
        _encoder = MaskedAutoencoder.RequirePatches(encoder);
        _streams = streams;
        _view = ImageViews.RequireFixed(view ?? ImageViews.For(encoder.Shape), nameof(ContrastiveMaskedPatches));
        _maskedView = ImageViews.CropAndFlip(encoder.Shape);
        (_temperature, _maskRatio, _contrastiveWeight, _maskedWeight) = (temperature, maskRatio, contrastiveWeight, maskedWeight);
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, projectionDimension, streams);
        _decoder = new PatchDecoder(_encoder, dimension: 64, layers: 1, heads: 4, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var terms = new List<(string Name, Tensor Value)>();
        Tensor? total = null, embeddings = null;
        if (_contrastiveWeight > 0)
        {
            embeddings = _encoder.call(ImageViews.Repeat(_view, 2, images, _streams.Views));        // [2N, D]
            var halves = _projection.call(embeddings).chunk(2);                                     // [N, P] twice
            var contrast = NtXentLoss.Compute(halves[0], halves[1], _temperature);
            terms.Add(("contrastive", contrast.detach()));
            total = contrast * Number(_contrastiveWeight);
        }
        if (_maskedWeight > 0)
        {
            var masked = MaskedAutoencoder.Reconstruction(_encoder, _decoder, _maskedView.Apply(images, _streams.Views), _maskRatio,
                normalizesPatches: true, _streams);
            terms.Add(("masked", masked.detach()));
            total = total is null ? masked * Number(_maskedWeight) : total.add(masked * Number(_maskedWeight), One);
        }
        return new StepLoss(total!, terms, embeddings?.detach().narrow(0, 0, images.Count));
    }
}
