using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Tells where a patch stands relative to the patch in the middle: one of eight places.</summary>
/// <remarks>
/// Doersch, Gupta, Efros, "Unsupervised Visual Representation Learning by Context Prediction", 2015 (arXiv:1505.05192). Against shortcuts
/// there are gaps between the patches, shifts of each, and colour changes of each. Deviation: patches are brought to the encoder's size. N
/// images, D the embedding dimension.
/// </remarks>
public sealed class RelativePosition : PretrainingMethod
{
    private const int Places = 8, Middle = 4;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "prediction")]
    private readonly PredictionHead _prediction;

    private readonly RandomStreams _streams;
    private readonly PatchPairCrop _crop;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn for every patch on its own; <see langword="null"/> changes colours and takes them away from half of the
    /// patches.</param>
    public RelativePosition(ImageEncoder encoder, RandomStreams streams, ImageView? view = null) : base(nameof(RelativePosition), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        _encoder = encoder;
        _streams = streams;
        _crop = new PatchPairCrop(encoder.Shape.Height, encoder.Shape.Width, view ?? PatchPairCrop.Colors());
        _prediction = new PredictionHead(2 * encoder.EmbeddingDimension, encoder.EmbeddingDimension, Places, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var batch = ImageColumn.Of(columns);
        var images = batch.ToSingle();
        var places = PatchPairCrop.Draw(batch.Count, Places, images.device, _streams.Views);        // [N]
        var cells = places.add(places.ge(Number(Middle)).to(ScalarType.Int64), One);                        // the middle is left out
        var both = new ImageBatch(cat([_crop.Cut(images, full_like(cells, Number(Middle)), _streams.Views),
            _crop.Cut(images, cells, _streams.Views)], 0));
        var embeddings = _encoder.call(both);                                                       // [2N, D]
        var halves = embeddings.chunk(2);
        var scores = _prediction.call(cat(halves, 1));                                              // [N, 8]
        return PretextTask.Classify(scores, places, halves[0]);
    }
}
