using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// The hybrid: a contrastive term shapes the image's embedding, a masked term the vectors of its patches, in one step.
/// </summary>
/// <remarks>
/// Weighted sum of the SimCLR loss (arXiv:2002.05709) and the masked-autoencoder loss (arXiv:2111.06377) on one encoder, each reported
/// as its own term. The loss is the weighted sum of the two, each reported by name. A term with weight 0 is not computed. N images, D
/// the embedding dimension, P the projection dimension.
/// </remarks>
/// <seealso cref="MaskedAutoencoderTrainer"/>
public sealed class ContrastiveMaskedPatchesTrainer : ImagePretrainingTrainer
{
    internal ContrastiveMaskedPatchesTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedPatchesTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 20, learningRate: 1e-3, weightDecay: 0.05)
    {
        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.2f;

        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.75.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.75f;

        /// <summary>Weight of the contrastive term. At least 0; not both 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float ContrastiveWeight { get; set; } = 1;

        /// <summary>Weight of the masked term. At least 0; not both 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MaskedWeight { get; set; } = 1;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <inheritdoc cref="SimClrTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            faults.Require(ContrastiveWeight != 0 || MaskedWeight != 0, nameof(MaskedWeight),
                "must not be 0 together with ContrastiveWeight", MaskedWeight);
        }
    }

    /// <inheritdoc/>
    protected override bool RequiresPatches => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // The hybrid: SimClr's contrast shapes the image's embedding while MaskedAutoencoder's reconstruction shapes the vectors of the
    // patches, in one step.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PatchEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "decoder")]
        private readonly PatchDecoder _decoder;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly ImageView _maskedView;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("ContrastiveMaskedPatches", encoder)
        {
            _options = options;
            _encoder = MaskedAutoencoderTrainer.Method.RequirePatches(encoder);
            _streams = streams;
            _view = ImageViews.RequireFixed(options.View ?? ImageViews.For(encoder.Shape), "ContrastiveMaskedPatches");
            _maskedView = ImageViews.CropAndFlip(encoder.Shape);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.ProjectionDimension, streams);
            _decoder = new PatchDecoder(_encoder, dimension: 64, layers: 1, heads: 4, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            return StepLoss.Sum(_options.ContrastiveWeight > 0 ? Contrast(images) : null, _options.MaskedWeight > 0 ? Reconstruct(images) : null);
        }

        private StepLoss Contrast(ImageBatch images)
        {
            return GradientCache.Compute(images.Count, _options.EncoderBatchSize ?? images.Count, _streams,
                (first, count) => _encoder.call(ImageViews.Repeat(_view, 2, images.Part(first, count), _streams.Views)).chunk(2), Compare);   // [N, D] twice

            StepLoss Compare(Tensor[] embeddings)
            {
                var halves = _projection.call(cat(embeddings)).chunk(2);                                // [N, P] twice
                var loss = NtXentLoss.Compute(halves[0], halves[1], _options.Temperature);
                return new StepLoss(loss * Number(_options.ContrastiveWeight), [("contrastive", loss.detach())], embeddings[0].detach());
            }
        }

        private StepLoss Reconstruct(ImageBatch images)
        {
            var views = _maskedView.Apply(images, _streams.Views);
            var mask = PatchMask.Draw(images.Count, _encoder.NumberOfPatches, _options.MaskRatio, _streams.Masks, images.Pixels.device);
            // An image's patches are as many as another's, so that a part counts by its images.
            return GradientCache.Compute(images.Count, _options.EncoderBatchSize ?? images.Count, _streams,
                (first, count) => [MaskedAutoencoderTrainer.Method.Reconstruction(_encoder, _decoder, views.Part(first, count), mask.Part(first, count),
                    normalizesPatches: true).mul(Number((double)count / images.Count)).view(1)], Compare);

            StepLoss Compare(Tensor[] parts)
            {
                var loss = parts[0].sum();
                return new StepLoss(loss * Number(_options.MaskedWeight), [("masked", loss.detach())]);
            }
        }
    }
}
