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
/// Contrast of two views of an image: they shall be closer to each other than to the views of all other images of the batch.
/// </summary>
/// <remarks>
/// Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020 (arXiv:2002.05709). Deviation: AdamW instead
/// of LARS, which batches of a few hundred do not need. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class SimClr : TwoViewMethod
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _temperature;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public SimClr(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, double temperature = 0.5,
        int projectionDimension = 128)
        : base(nameof(SimClr), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Positive(temperature).AtLeast(projectionDimension, 1).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        _temperature = temperature;
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
        var loss = NtXentLoss.Compute(halves[0], halves[1], _temperature);
        return Step(loss, [], embeddings, images.Count);
    }
}
