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
/// Pretrains an image encoder by predicting whether two patches belong to the same image.
/// </summary>
/// <remarks>
/// After Isola et al., 2015 (arXiv:1511.06811): whether two patches belong to the same image, with gaps, shifts and color changes
/// against shortcuts. The siamese form of context prediction (Isola et al., "Learning Visual Groups from Co-occurrences in Space and
/// Time", 2015, arXiv:1511.06811): half of the pairs are patches of different cells of one image, half of two images. Against shortcuts
/// there are gaps between the patches, shifts of each, and color changes of each. N images (at least 2), D the embedding dimension.
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class PatchPairsTrainer : ImagePretrainingTrainer
{
    internal PatchPairsTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="PatchPairsTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4);

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Tells whether two patches belong to the same image.
    internal sealed class Method : PretrainingMethod
    {
        private const int Cells = 9;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "prediction")]
        private readonly PredictionHead _prediction;

        private readonly RandomStreams _streams;
        private readonly PatchPairCrop _crop;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("PatchPairs", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _crop = new PatchPairCrop(encoder.Shape.Height, encoder.Shape.Width, options.View ?? PatchPairCrop.Colors());
            _prediction = new PredictionHead(2 * encoder.EmbeddingDimension, encoder.EmbeddingDimension, 2, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageBatch>(columns);
            var images = batch.ToSingle();
            long n = batch.Count;
            var first = PatchPairCrop.Draw(n, Cells, images.device, _streams.Views);                    // [N]
            // another cell
            var second = first.add(Number(1), One)
                .add(PatchPairCrop.Draw(n, Cells - 1, images.device, _streams.Views), One).remainder(Number(Cells));
            var both = new ImageBatch(cat([_crop.Cut(images, first, _streams.Views), _crop.Cut(images, second, _streams.Views)], 0));
            var embeddings = _encoder.call(both);                                                       // [2N, D]
            var halves = embeddings.chunk(2);
            // Every image once with itself, once with its neighbor in the batch; what counts is the same whichever comes first.
            var same = Compare(halves[0], halves[1]);                                                   // [N, 2D]
            var other = Compare(halves[0], halves[1].index_select(0, Draws.RowsBefore(n, 1, images.device)));                                       // [N, 2D]
            var scores = _prediction.call(cat([same, other], 0));                                       // [2N, 2]
            var classes = cat([ones(n, dtype: ScalarType.Int64, device: images.device),
                zeros(n, dtype: ScalarType.Int64, device: images.device)], 0);
            return PretextTask.Classify(scores, classes, halves[0]);
        }

        private static Tensor Compare(Tensor a, Tensor b) => cat([(a - b).abs(), a * b], 1);
    }
}
