using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Predicts from one view how a slowly following copy of the encoder sees the other view: no negatives.</summary>
/// <remarks>
/// Grill et al., "Bootstrap Your Own Latent", 2020 (arXiv:2006.07733). Deviations: AdamW instead of LARS; heads of width 1,024 instead of
/// 4,096. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class Byol : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "prediction")]
    private readonly ProjectionMlp _prediction;

    [ComponentName(Name = "target_encoder")]
    private readonly ImageEncoder _targetEncoder;

    [ComponentName(Name = "target_projection")]
    private readonly ProjectionMlp _targetProjection;

    private readonly RandomStreams _streams;
    private readonly ImageView _first;
    private readonly ImageView _second;
    private readonly double _momentum;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="targetEncoder">Of the same architecture: becomes the copy that follows.</param>
    /// <param name="streams">Heads come from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">For the first view; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's images for
    /// both.</param>
    /// <param name="secondView">For the second view; <see langword="null"/> takes <paramref name="view"/> again.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="hiddenDimension">Width of the heads' hidden layers. At least 1.</param>
    /// <param name="momentum">Share of the copy that stays at the first step; rises to 1 along half a cosine. From 0 to less than
    /// 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Byol(ImageEncoder encoder, ImageEncoder targetEncoder, RandomStreams streams, ImageView? view = null,
        ImageView? secondView = null,
        int projectionDimension = 256, int hiddenDimension = 1024, double momentum = 0.99) : base(nameof(Byol), encoder)
    {
        ArgumentNullException.ThrowIfNull(targetEncoder);
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .AtLeast(projectionDimension, 1)
            .AtLeast(hiddenDimension, 1)
            .InHalfOpenRange(momentum, 0, 1)
            .ThrowIfAny();
        (_encoder, _targetEncoder, _streams) = (encoder, targetEncoder, streams);
        _first = Own(view);
        _second = secondView is null ? _first : Own(secondView);
        _momentum = momentum;
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, hiddenDimension, projectionDimension, streams);
        _targetProjection = new ProjectionMlp(encoder.EmbeddingDimension, hiddenDimension, projectionDimension, streams);
        _prediction = new ProjectionMlp(projectionDimension, hiddenDimension, projectionDimension, streams);
        MovingAverage.Begin(_targetEncoder, _encoder);
        MovingAverage.Begin(_targetProjection, _projection);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Each([_first, _second], images, _streams.Views);                     // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var predictions = _prediction.call(_projection.call(embeddings)).chunk(2);                  // [N, P] twice
        Tensor[] targets;
        using (no_grad())
            targets = _targetProjection.call(_targetEncoder.call(views)).chunk(2);                  // [N, P] twice
        // Squared distance of unit vectors, both directions added: from 0 to 8.
        var loss = CosineLoss.Compute(predictions[0], targets[1]).add(CosineLoss.Compute(predictions[1], targets[0]), One).mul(Number(2)).add(Number(4), One);
        return Step(loss, [], embeddings, images.Count);
    }

    /// <inheritdoc/>
    public override void OnStepCompleted(double progress)
    {
        double momentum = MovingAverage.Rising(_momentum, progress);
        MovingAverage.Follow(_targetEncoder, _encoder, momentum);
        MovingAverage.Follow(_targetProjection, _projection, momentum);
    }
}
