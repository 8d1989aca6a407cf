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
/// Pretrains an image encoder with NNCLR: contrast with the nearest neighbor of a view among earlier images.
/// </summary>
/// <remarks>
/// Dwibedi et al., "With a Little Help from My Friends", 2021 (arXiv:2104.14548): the nearest earlier projection stands for a view, so
/// that positives are other images too. Deviations: AdamW instead of LARS; a support set of 4,096 instead of 98,304; narrower heads. N
/// images, D the embedding dimension, P the projection dimension, K the support set.
/// </remarks>
/// <seealso cref="SimClrTrainer"/>
public sealed class NnclrTrainer : ImagePretrainingTrainer
{
    internal NnclrTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="NnclrTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.2f;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 512.</value>
        [OptionRange(Minimum = 1)]
        public int HiddenDimension { get; set; } = 512;

        /// <summary>Earlier projections among which neighbors are looked for. At least 1.</summary>
        /// <value>The default value is 4,096.</value>
        [OptionRange(Minimum = 1)]
        public int SupportSize { get; set; } = 4096;

        /// <inheritdoc cref="SimClrTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, a temperature of 0.2, projections of 256, a predictor of width 4,096, a queue of 65,536, a
        /// weight decay of 1e-5. The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, Temperature = 0.2f, ProjectionDimension = 256,
            HiddenDimension = 4096, SupportSize = 65_536, WeightDecay = 1e-5,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Contrast in which the nearest earlier vector stands for a view: positives that are other images of the same kind.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prediction")]
        private readonly ProjectionMlp _prediction;

        [ComponentName(Name = "support")]
        private readonly VectorQueue _support;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("Nnclr", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = Own(options.View);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension, streams,
                layers: 3,
                normalizesOutput: true);
            _prediction = new ProjectionMlp(options.ProjectionDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            _support = new VectorQueue(options.SupportSize, options.ProjectionDimension, streams);
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
                var projected = _projection.call(cat(embeddings));                                      // [2N, P]
                var predictions = _prediction.call(projected).chunk(2);                                 // [N, P] twice
                var halves = projected.detach().chunk(2);
                var loss = Contrast(Nearest(halves[0]), predictions[1]).add(Contrast(Nearest(halves[1]), predictions[0]), One).div(Number(2));
                _support.Next(halves[0]);
                return Step(loss, [], embeddings[0], images.Count);
            }
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress) => _support.Enqueue();

        // The most similar vector of the support set for each row: [N, P].
        private Tensor Nearest(Tensor projected)
            => _support.Vectors.index_select(0, Contrastive.Normalize(projected).mm(_support.Vectors.t()).argmax(1));

        private Tensor Contrast(Tensor neighbors, Tensor predictions)
        {
            var logits = InfoNceLoss.Logits(neighbors, predictions, _options.Temperature);                      // [N, N]
            return (logits.logsumexp(1) - logits.diagonal(0, 0, 1)).mean();
        }
    }
}
