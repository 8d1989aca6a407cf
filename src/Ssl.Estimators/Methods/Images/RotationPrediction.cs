using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Tells by how many quarter turns an image was rotated: needs images that have an upright form.</summary>
/// <remarks>
/// Gidaris, Singh, Komodakis, "Unsupervised Representation Learning by Predicting Image Rotations", 2018 (arXiv:1803.07728): all four turns
/// of every image in one batch. N images, D the embedding dimension.
/// </remarks>
public sealed class RotationPrediction : PretrainingMethod
{
    private const int Turns = 4;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "prediction")]
    private readonly PredictionHead _prediction;

    private readonly RandomStreams _streams;
    private readonly ImageView _view;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train, of square images.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn for every image before it is turned; <see langword="null"/> takes
    /// <see cref="ImageViews.CropAndFlip"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The encoder's images are not square.</exception>
    public RotationPrediction(ImageEncoder encoder, RandomStreams streams, ImageView? view = null)
        : base(nameof(RotationPrediction), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        if (encoder.Shape.Height != encoder.Shape.Width)
        {
            throw new ArgumentOutOfRangeException(nameof(encoder),
                $"Quarter turns need square images, and the encoder takes {encoder.Shape}.");
        }
        _encoder = encoder;
        _streams = streams;
        _view = ImageViews.RequireFixed(view ?? ImageViews.CropAndFlip(encoder.Shape, minimumArea: 0.5), nameof(RotationPrediction));
        _prediction = new PredictionHead(encoder.EmbeddingDimension, 0, Turns, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = _view.Apply(ImageColumn.Of(columns), _streams.Views);
        var turned = new ImageBatch(Turned(images.Pixels));                                         // [4N, C, H, W]
        var embeddings = _encoder.call(turned);                                                     // [4N, D]
        var scores = _prediction.call(embeddings);                                                  // [4N, 4]
        var turns = arange(Number(0), Number(Turns), One, dtype: ScalarType.Int64, device: scores.device).repeat_interleave(images.Count);
        return PretextTask.Classify(scores, turns, embeddings.narrow(0, 0, images.Count));
    }

    /// <summary>No turn, a quarter, a half, three quarters, counter-clockwise: [4N, C, H, W].</summary>
    internal static Tensor Turned(Tensor images)
    {
        using var scope = NewDisposeScope();
        var quarter = images.transpose(2, 3).flip(2);
        return cat([images, quarter, images.flip(2, 3), images.transpose(2, 3).flip(3)], 0).MoveToOuterDisposeScope();
    }
}
