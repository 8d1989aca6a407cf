using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder by predicting by how many quarter turns a square image was rotated.
/// </summary>
/// <remarks>
/// Gidaris, Singh, Komodakis, "Unsupervised Representation Learning by Predicting Image Rotations", 2018 (arXiv:1803.07728): all four
/// quarter turns of each image are told apart. All four turns of every image in one batch. N images, D the embedding dimension.
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class RotationPredictionTrainer : ImagePretrainingTrainer
{
    internal RotationPredictionTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="RotationPredictionTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 128, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4);

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Tells by how many quarter turns an image was rotated: needs images that have an upright form.
    internal sealed class Method : PretrainingMethod
    {
        private const int Turns = 4;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "prediction")]
        private readonly PredictionHead _prediction;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("RotationPrediction", encoder)
        {
            _options = options;
            if (encoder.Shape.Height != encoder.Shape.Width)
            {
                throw new ArgumentOutOfRangeException(nameof(encoder),
                    $"Quarter turns need square images, and the encoder takes {encoder.Shape}.");
            }
            _encoder = encoder;
            _streams = streams;
            _view = ImageViews.RequireFixed(options.View ?? ImageViews.CropAndFlip(encoder.Shape, minimumArea: 0.5), "RotationPrediction");
            _prediction = new PredictionHead(encoder.EmbeddingDimension, 0, Turns, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = _view.Apply(Column<ImageBatch>(columns), _streams.Views);
            var turned = new ImageBatch(Turned(images.Pixels));                                         // [4N, C, H, W]
            var embeddings = _encoder.call(turned);                                                     // [4N, D]
            var scores = _prediction.call(embeddings);                                                  // [4N, 4]
            var turns = arange(Number(0), Number(Turns), One, dtype: ScalarType.Int64,
                device: scores.device).repeat_interleave(images.Count);
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
}
