using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder by predicting where a patch stands relative to the middle one.
/// </summary>
/// <remarks>
/// Doersch, Gupta, Efros, "Unsupervised Visual Representation Learning by Context Prediction", 2015 (arXiv:1505.05192), with gaps,
/// shifts and color changes against shortcuts. Deviation: patches are brought to the encoder's size. N images, D the embedding
/// dimension.
/// </remarks>
/// <seealso cref="PatchPairsTrainer"/>
public sealed class RelativePositionTrainer : ImagePretrainingTrainer
{
    internal RelativePositionTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="RelativePositionTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4);

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Tells where a patch stands relative to the patch in the middle: one of eight places.
    internal sealed class Method : PretrainingMethod
    {
        private const int Places = 8, Middle = 4;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "prediction")]
        private readonly PredictionHead _prediction;

        private readonly RandomStreams _streams;
        private readonly PatchPairCrop _crop;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("RelativePosition", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _crop = new PatchPairCrop(encoder.Shape.Height, encoder.Shape.Width, options.View ?? PatchPairCrop.Colors());
            _prediction = new PredictionHead(2 * encoder.EmbeddingDimension, encoder.EmbeddingDimension, Places, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageBatch>(columns);
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
}
