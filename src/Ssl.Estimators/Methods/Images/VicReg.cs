using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Two views are near each other, while every dimension of the projections varies and no two vary together.</summary>
/// <remarks>
/// Bardes, Ponce, LeCun, "VICReg", 2022 (arXiv:2105.04906). Deviations: AdamW instead of LARS; projections of 1,024 numbers instead of
/// 8,192. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class VicReg : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _invariance, _variance, _covariance;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="invarianceWeight">Weight of the distance between the views. At least 0.</param>
    /// <param name="varianceWeight">Weight of the hinge on every dimension's deviation. At least 0.</param>
    /// <param name="covarianceWeight">Weight of the covariances. At least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public VicReg(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, int projectionDimension = 1024,
        double invarianceWeight = 25, double varianceWeight = 25, double covarianceWeight = 1) : base(nameof(VicReg), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .AtLeast(projectionDimension, 1)
            .NotNegative(invarianceWeight)
            .NotNegative(varianceWeight)
            .NotNegative(covarianceWeight)
            .ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        (_invariance, _variance, _covariance) = (invarianceWeight, varianceWeight, covarianceWeight);
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, projectionDimension, projectionDimension, streams, layers: 3);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var halves = _projection.call(embeddings).chunk(2);                                         // [N, P] twice
        var (invariance, variance, covariance) = VicRegLoss.Compute(halves[0], halves[1]);
        var loss = (invariance * Number(_invariance)).add(variance * Number(_variance), One).add(covariance * Number(_covariance), One);
        return Step(loss,
            [("invariance", invariance.detach()), ("variance", variance.detach()), ("covariance", covariance.detach())],
            embeddings, images.Count);
    }
}
