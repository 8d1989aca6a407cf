using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Momentum contrast without a queue: the negatives are the batch's own keys, and a predictor stands before the loss.</summary>
/// <remarks>
/// Chen, Xie, He, "An Empirical Study of Training Self-Supervised Vision Transformers", 2021 (arXiv:2104.02057). Deviations: AdamW for
/// residual networks too; narrower heads; the patch projection of a vision transformer is learned. N images, D the embedding dimension,
/// P the projection dimension.
/// </remarks>
public sealed class MoCoV3 : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "prediction")]
    private readonly ProjectionMlp _prediction;

    [ComponentName(Name = "key_encoder")]
    private readonly ImageEncoder _keyEncoder;

    [ComponentName(Name = "key_projection")]
    private readonly ProjectionMlp _keyProjection;

    private readonly RandomStreams _streams;
    private readonly ImageView _first;
    private readonly ImageView _second;
    private readonly double _temperature;
    private readonly double _momentum;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="keyEncoder">Of the same architecture: becomes the copy that follows.</param>
    /// <param name="streams">Heads come from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="hiddenDimension">Width of the heads' hidden layers. At least 1.</param>
    /// <param name="momentum">Share of the copy that stays at the first step; rises to 1 along half a cosine. From 0 to less than
    /// 1.</param>
    /// <param name="secondView">For the second view; <see langword="null"/> takes <paramref name="view"/> again.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public MoCoV3(ImageEncoder encoder, ImageEncoder keyEncoder, RandomStreams streams, ImageView? view = null, double temperature = 0.2,
        int projectionDimension = 256, int hiddenDimension = 1024, double momentum = 0.99, ImageView? secondView = null)
        : base(nameof(MoCoV3), encoder)
    {
        ArgumentNullException.ThrowIfNull(keyEncoder);
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .AtLeast(projectionDimension, 1)
            .AtLeast(hiddenDimension, 1)
            .InHalfOpenRange(momentum, 0, 1)
            .ThrowIfAny();
        (_encoder, _keyEncoder, _streams) = (encoder, keyEncoder, streams);
        _first = Own(view);
        _second = secondView is null ? _first : Own(secondView);
        (_temperature, _momentum) = (temperature, momentum);
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, hiddenDimension, projectionDimension, streams, normalizesOutput: true);
        _keyProjection = new ProjectionMlp(encoder.EmbeddingDimension, hiddenDimension, projectionDimension, streams,
            normalizesOutput: true);
        _prediction = new ProjectionMlp(projectionDimension, hiddenDimension, projectionDimension, streams, normalizesOutput: true);
        MovingAverage.Begin(_keyEncoder, _encoder);
        MovingAverage.Begin(_keyProjection, _projection);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Each([_first, _second], images, _streams.Views);                     // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var queries = _prediction.call(_projection.call(embeddings)).chunk(2);                      // [N, P] twice
        Tensor[] keys;
        using (no_grad())
            keys = _keyProjection.call(_keyEncoder.call(views)).chunk(2);                           // [N, P] twice
        var forth = Contrast(queries[0], keys[1]);
        var back = Contrast(queries[1], keys[0]);
        // The paper's factor keeps the gradient's size when the temperature changes.
        var loss = forth.add(back, One) * Number(_temperature);
        return Step(loss, [], embeddings, images.Count);
    }

    /// <inheritdoc/>
    public override void OnStepCompleted(double progress)
    {
        double momentum = MovingAverage.Rising(_momentum, progress);
        MovingAverage.Follow(_keyEncoder, _encoder, momentum);
        MovingAverage.Follow(_keyProjection, _projection, momentum);
    }

    // One direction: each query among all keys.
    private Tensor Contrast(Tensor queries, Tensor keys)
    {
        var logits = InfoNceLoss.Logits(queries, keys, _temperature);                               // [N, N]
        return (logits.logsumexp(1) - logits.diagonal(0, 0, 1)).mean();
    }
}
