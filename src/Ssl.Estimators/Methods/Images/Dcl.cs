using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder with the decoupled contrastive loss: SimCLR for small batches.
/// </summary>
/// <remarks>
/// Yeh et al., "Decoupled Contrastive Learning", 2022 (arXiv:2110.06848): SimCLR's loss without the positive pair in the denominator,
/// so that small batches learn too. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
/// <seealso cref="SimClrTrainer"/>
public sealed class DclTrainer : ImagePretrainingTrainer
{
    internal DclTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="DclTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 128, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <inheritdoc cref="SimClrTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>Weighs hard positive pairs more (DCLW; the paper's value is 0.5); null weighs all alike. Greater than 0.</summary>
        /// <value>The default value is null.</value>
        [OptionRange(Above = 0)]
        public float? Sigma { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the benchmark of the library lightly has them for CIFAR-10: batches of 512, 200
        /// epochs, a
        /// temperature of 0.1. The optimizer is AdamW with this trainer's learning rate, where it has SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new() { BatchSize = 512, NumberOfEpochs = 200, Temperature = 0.1f };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // SimClr with the decoupled loss, which learns from small batches too.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("Dcl", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = Own(options.View);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.ProjectionDimension, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            return GradientCache.Compute(images.Count, _options.EncoderBatchSize ?? images.Count, _streams,
                (first, count) => _encoder.call(ImageViews.Repeat(_view, 2, images.Part(first, count), _streams.Views)).chunk(2), Compare);   // [N, D] twice

            StepLoss Compare(Tensor[] embeddings)
            {
                var halves = _projection.call(cat(embeddings)).chunk(2);                                // [N, P] twice
                var loss = DclLoss.Compute(halves[0], halves[1], _options.Temperature, _options.Sigma);
                return Step(loss, [], embeddings[0], images.Count);
            }
        }
    }
}
