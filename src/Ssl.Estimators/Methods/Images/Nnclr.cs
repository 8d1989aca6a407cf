using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Contrast in which the nearest earlier vector stands for a view: positives that are other images of the same kind.</summary>
/// <remarks>
/// Dwibedi et al., "With a Little Help from My Friends", 2021 (arXiv:2104.14548). Deviations: AdamW instead of LARS; a support set of 4,096
/// instead of 98,304; narrower heads. N images, D the embedding dimension, P the projection dimension, K the support set.
/// </remarks>
public sealed class Nnclr : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "prediction")]
    private readonly ProjectionMlp _prediction;

    [ComponentName(Name = "support")]
    private readonly VectorQueue _support;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _temperature;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">Heads and the first support set come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="hiddenDimension">Width of the heads' hidden layers. At least 1.</param>
    /// <param name="supportSize">K, earlier projections among which neighbours are looked for. At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Nnclr(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double temperature = 0.2,
        int projectionDimension = 128,
        int hiddenDimension = 512, int supportSize = 4096) : base(nameof(Nnclr), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .AtLeast(projectionDimension, 1)
            .AtLeast(hiddenDimension, 1)
            .AtLeast(supportSize, 1)
            .ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        _temperature = temperature;
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, hiddenDimension, projectionDimension, streams, layers: 3,
            normalizesOutput: true);
        _prediction = new ProjectionMlp(projectionDimension, hiddenDimension, projectionDimension, streams);
        _support = new VectorQueue(supportSize, projectionDimension, streams);
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
        var halves = projected.detach().chunk(2);
        var loss = Contrast(Nearest(halves[0]), predictions[1]).add(Contrast(Nearest(halves[1]), predictions[0]), One).div(Number(2));
        _support.Next(halves[0]);
        return Step(loss, [], embeddings, images.Count);
    }

    /// <inheritdoc/>
    public override void OnStepCompleted(double progress) => _support.Enqueue();

    // The most similar vector of the support set for each row: [N, P].
    private Tensor Nearest(Tensor projected)
        => _support.Vectors.index_select(0, Contrastive.Normalize(projected).mm(_support.Vectors.t()).argmax(1));

    private Tensor Contrast(Tensor neighbors, Tensor predictions)
    {
        var logits = InfoNceLoss.Logits(neighbors, predictions, _temperature);                      // [N, N]
        return (logits.logsumexp(1) - logits.diagonal(0, 0, 1)).mean();
    }
}
