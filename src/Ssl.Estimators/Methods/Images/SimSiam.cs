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
/// Predicts one view's projection from the other's; the predicted side gets no gradient, which alone keeps it from collapsing.
/// </summary>
/// <remarks>
/// Chen and He, "Exploring Simple Siamese Representation Learning", 2021 (arXiv:2011.10566). Deviations: AdamW; the predictor's learning
/// rate falls with the others'; heads of width 512 instead of 2,048. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class SimSiam : TwoViewMethod
{
    private const int Bottleneck = 4;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "prediction")]
    private readonly ProjectionMlp _prediction;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly bool _stopsGradient;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">Heads come from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="projectionDimension">P, the length of a projection; the predictor's hidden layer is a quarter of it. At least
    /// 4.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public SimSiam(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, int projectionDimension = 512)
        : this(encoder, streams, view, projectionDimension, stopsGradient: true)
    {
    }

    // Without the stop it collapses: for the test of the collapse watch.
    internal SimSiam(ImageEncoder encoder, RandomStreams streams, ImageView? view, int projectionDimension, bool stopsGradient)
        : base(nameof(SimSiam), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().AtLeast(projectionDimension, Bottleneck).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        _stopsGradient = stopsGradient;
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, projectionDimension, projectionDimension, streams, layers: 3,
            normalizesOutput: true);
        _prediction = new ProjectionMlp(projectionDimension, projectionDimension / Bottleneck, projectionDimension, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var projected = _projection.call(embeddings);                                               // [2N, P]
        var predictions = _prediction.call(projected).chunk(2);                                     // [N, P] twice
        var targets = (_stopsGradient ? projected.detach() : projected).chunk(2);                   // [N, P] twice
        var loss = CosineLoss.Compute(predictions[0], targets[1]).add(CosineLoss.Compute(predictions[1], targets[0]), One).div(Number(2));
        return Step(loss, [], projected, images.Count);
    }
}
