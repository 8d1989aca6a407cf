using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary><see cref="SimClr"/> with the decoupled loss, which learns from small batches too.</summary>
/// <remarks>
/// Yeh et al., "Decoupled Contrastive Learning", 2022 (arXiv:2110.06848). N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class Dcl : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _temperature;
    private readonly double? _sigma;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="sigma">Weighs hard positives more (DCLW), the paper's value is 0.5; <see langword="null"/> weighs all alike.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Dcl(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double temperature = 0.1, int projectionDimension = 128,
        double? sigma = null) : base(nameof(Dcl), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Positive(temperature).AtLeast(projectionDimension, 1).Positive(sigma ?? 1, nameof(sigma)).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        (_temperature, _sigma) = (temperature, sigma);
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, projectionDimension, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
        var embeddings = _encoder.call(views);                                                      // [2N, D]
        var halves = _projection.call(embeddings).chunk(2);                                         // [N, P] twice
        var loss = DclLoss.Compute(halves[0], halves[1], _temperature, _sigma);
        return Step(loss, [], embeddings, images.Count);
    }
}
