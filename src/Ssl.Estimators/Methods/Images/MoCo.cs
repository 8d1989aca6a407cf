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
/// Momentum contrast: the negatives come from a queue of earlier keys, made by a slowly following copy of the encoder, so that small
/// batches have many of them.
/// </summary>
/// <remarks>
/// He et al., 2020 (arXiv:1911.05722) with the head and views of v2 (arXiv:2003.04297). Deviations: both directions of the loss are
/// averaged; no shuffling of batch normalisation, which needs several devices. N images, D the embedding dimension, P the projection
/// dimension, K the queue's length.
/// </remarks>
public sealed class MoCo : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "key_encoder")]
    private readonly ImageEncoder _keyEncoder;

    [ComponentName(Name = "key_projection")]
    private readonly ProjectionMlp _keyProjection;

    [ComponentName(Name = "queue")]
    private readonly VectorQueue _queue;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _temperature;
    private readonly double _momentum;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="keyEncoder">Of the same architecture: becomes the copy that follows.</param>
    /// <param name="streams">Heads and the first queue come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="queueSize">K, earlier keys that serve as negatives; need not be a multiple of the batch. At least 1.</param>
    /// <param name="momentum">Share of the copy that stays at each step. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public MoCo(ImageEncoder encoder, ImageEncoder keyEncoder, RandomStreams streams, ImageView? view = null, double temperature = 0.1,
        int projectionDimension = 128, int queueSize = 4096, double momentum = 0.99) : base(nameof(MoCo), encoder)
    {
        ArgumentNullException.ThrowIfNull(keyEncoder);
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .AtLeast(projectionDimension, 1)
            .AtLeast(queueSize, 1)
            .InHalfOpenRange(momentum, 0, 1)
            .ThrowIfAny();
        (_encoder, _keyEncoder, _streams) = (encoder, keyEncoder, streams);
        _view = Own(view);
        (_temperature, _momentum) = (temperature, momentum);
        int dimension = encoder.EmbeddingDimension;
        _projection = new ProjectionMlp(dimension, dimension, projectionDimension, streams);
        _keyProjection = new ProjectionMlp(dimension, dimension, projectionDimension, streams);
        MovingAverage.Begin(_keyEncoder, _encoder);
        MovingAverage.Begin(_keyProjection, _projection);
        _queue = new VectorQueue(queueSize, projectionDimension, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var queries = _projection.call(embeddings).chunk(2);                                        // [N, P] twice
        Tensor[] keys;
        using (no_grad())
            keys = _keyProjection.call(_keyEncoder.call(views)).chunk(2);                           // [N, P] twice
        // The keys enter the queue after the loss: nothing is its own negative.
        var loss = (QueueContrastiveLoss.Compute(queries[0], keys[1], _queue.Vectors, _temperature)
            .add(QueueContrastiveLoss.Compute(queries[1], keys[0], _queue.Vectors, _temperature), One)).div(Number(2));
        _queue.Next(keys[0]);
        return Step(loss, [], embeddings, images.Count);
    }

    /// <inheritdoc/>
    public override void OnStepCompleted(double progress)
    {
        MovingAverage.Follow(_keyEncoder, _encoder, _momentum);
        MovingAverage.Follow(_keyProjection, _projection, _momentum);
        _queue.Enqueue();
    }
}
