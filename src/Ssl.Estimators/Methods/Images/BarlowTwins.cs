using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Two views agree in every dimension of their projections, and no two dimensions say the same.</summary>
/// <remarks>
/// Zbontar et al., "Barlow Twins", 2021 (arXiv:2103.03230). Deviations: AdamW instead of LARS; projections of 1,024 numbers instead of
/// 8,192; the loss is scaled by a tenth. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class BarlowTwins : TwoViewMethod
{
    private const double Scale = 0.1;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;
    private readonly double _offDiagonalWeight;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn twice for every image; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="offDiagonalWeight">Weight of the correlations between different dimensions. At least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public BarlowTwins(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, int projectionDimension = 1024,
        double offDiagonalWeight = 0.0051) : base(nameof(BarlowTwins), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().AtLeast(projectionDimension, 1).NotNegative(offDiagonalWeight).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = Own(view);
        _offDiagonalWeight = offDiagonalWeight;
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
        var loss = BarlowTwinsLoss.Compute(halves[0], halves[1], _offDiagonalWeight) * Number(Scale);
        return Step(loss, [], embeddings, images.Count);
    }
}
