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
/// Pretrains an image encoder with MoCo v3: contrast with a slowly following network, without a queue.
/// </summary>
/// <remarks>
/// Chen, Xie, He, "An Empirical Study of Training Self-Supervised Vision Transformers", 2021 (arXiv:2104.02057): the batch's own keys,
/// a predictor before the loss, a slowly following network. Deviations: AdamW for residual networks too; narrower heads; the patch
/// projection of a vision transformer is learned; half of the paper's loss. N images, D the embedding dimension, P the
/// projection dimension.
/// </remarks>
/// <seealso cref="MoCoTrainer"/>
public sealed class MoCoV3Trainer : ImagePretrainingTrainer
{
    internal MoCoV3Trainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="MoCoV3Trainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.2f;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 256.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 256;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 1,024.</value>
        [OptionRange(Minimum = 1)]
        public int HiddenDimension { get; set; } = 1024;

        /// <summary>Share of the following network that stays at the first step; rises to 1. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float Momentum { get; set; } = 0.99f;

        /// <summary>The view that the other of the two goes through; null takes <see cref="ImagePretrainingOptions.View"/> again.</summary>
        public ImageView? SecondView { get; set; }

        /// <inheritdoc cref="SimClrTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, heads of width 4,096 to 256, a temperature of 0.2, a momentum from 0.99 to 1, a weight decay of
        /// 1e-6. The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, HiddenDimension = 4096, ProjectionDimension = 256,
            Temperature = 0.2f, Momentum = 0.99f, WeightDecay = 1e-6,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, factory.Create(streams), streams, (Options)Settings);

    // Momentum contrast without a queue: the negatives are the batch's own keys, and a predictor stands before the loss.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prediction")]
        private readonly ProjectionMlp _prediction;

        [ComponentName(Name = "key_encoder")]
        private readonly ImageEncoder _keyEncoder;

        [ComponentName(Name = "key_projection")]
        private readonly ProjectionMlp _keyProjection;

        private readonly RandomStreams _streams;
        private readonly ImageView _first;
        private readonly ImageView _second;
        private readonly Options _options;

        public Method(ImageEncoder encoder, ImageEncoder keyEncoder, RandomStreams streams, Options options) : base("MoCoV3", encoder)
        {
            _options = options;
            (_encoder, _keyEncoder, _streams) = (encoder, keyEncoder, streams);
            _first = Own(options.View);
            _second = options.SecondView is null ? _first : Own(options.SecondView);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension, streams,
                normalizesOutput: true);
            _keyProjection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension, streams,
                normalizesOutput: true);
            _prediction = new ProjectionMlp(options.ProjectionDimension, options.HiddenDimension, options.ProjectionDimension, streams,
                normalizesOutput: true);
            MovingAverage.Begin(_keyEncoder, _encoder);
            MovingAverage.Begin(_keyProjection, _projection);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            return GradientCache.Compute(images.Count, _options.EncoderBatchSize ?? images.Count, _streams,
                (first, count, again) => WithKeys(_encoder, _keyEncoder, ImageViews.Each([_first, _second], images.Part(first, count), _streams.Views), again), Compare);

            StepLoss Compare(Tensor[] embeddings)
            {
                var queries = _prediction.call(_projection.call(cat(embeddings[..2]))).chunk(2);        // [N, P] twice
                Tensor[] keys;
                using (no_grad())
                    keys = _keyProjection.call(cat(embeddings[2..])).chunk(2);                          // [N, P] twice
                var forth = Contrast(queries[0], keys[1]);
                var back = Contrast(queries[1], keys[0]);
                // The factor keeps the gradient's size when the temperature changes; the paper has twice as much.
                return Step(forth.add(back, One) * Number(_options.Temperature), [], embeddings[0], images.Count);
            }
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            double momentum = MovingAverage.Rising(_options.Momentum, progress);
            MovingAverage.Follow(_keyEncoder, _encoder, momentum);
            MovingAverage.Follow(_keyProjection, _projection, momentum);
        }

        // One direction: each query among all keys.
        private Tensor Contrast(Tensor queries, Tensor keys)
        {
            var logits = InfoNceLoss.Logits(queries, keys, _options.Temperature);                               // [N, N]
            return (logits.logsumexp(1) - logits.diagonal(0, 0, 1)).mean();
        }
    }
}
