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
/// Pretrains an image encoder with MoCo v2: negatives come from a queue, so that small batches have many of them.
/// </summary>
/// <remarks>
/// He et al., "Momentum Contrast", 2020 (arXiv:1911.05722), with the head and views of v2 (arXiv:2003.04297): negatives from a queue of
/// keys that a slowly following network made. Deviations: both directions of the loss are averaged; no shuffling of batch
/// normalization, which needs several devices. N images, D the embedding dimension, P the projection dimension, K the queue's length.
/// </remarks>
/// <seealso cref="MoCoV3Trainer"/>
public sealed class MoCoTrainer : ImagePretrainingTrainer
{
    internal MoCoTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="MoCoTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <summary>Earlier keys that serve as negatives; need not be a multiple of the batch. At least 1.</summary>
        /// <value>The default value is 4,096.</value>
        [OptionRange(Minimum = 1)]
        public int QueueSize { get; set; } = 4096;

        /// <summary>Share of the following network that stays at each step. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float Momentum { get; set; } = 0.99f;

        /// <inheritdoc cref="SimClrTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>
        /// The authors' settings for images of about 32 pixels (their CIFAR-10 notebook): batches of 512, a queue of 4,096, a momentum of
        /// 0.99, a temperature of 0.1, 200 epochs, a weight decay of 5e-4. The optimizer is AdamW with this trainer's learning rate, where
        /// they have SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 512, NumberOfEpochs = 200, QueueSize = 4096, Momentum = 0.99f, Temperature = 0.1f, WeightDecay = 5e-4,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, factory.Create(streams), streams, (Options)Settings);

    // Momentum contrast: the negatives come from a queue of earlier keys, made by a slowly following copy of the encoder, so that small
    // batches have many of them.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "key_encoder")]
        private readonly ImageEncoder _keyEncoder;

        [ComponentName(Name = "key_projection")]
        private readonly ProjectionMlp _keyProjection;

        [ComponentName(Name = "queue")]
        private readonly VectorQueue _queue;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, ImageEncoder keyEncoder, RandomStreams streams, Options options) : base("MoCo", encoder)
        {
            _options = options;
            (_encoder, _keyEncoder, _streams) = (encoder, keyEncoder, streams);
            _view = Own(options.View);
            int dimension = encoder.EmbeddingDimension;
            _projection = new ProjectionMlp(dimension, dimension, options.ProjectionDimension, streams);
            _keyProjection = new ProjectionMlp(dimension, dimension, options.ProjectionDimension, streams);
            MovingAverage.Begin(_keyEncoder, _encoder);
            MovingAverage.Begin(_keyProjection, _projection);
            _queue = new VectorQueue(options.QueueSize, options.ProjectionDimension, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            return GradientCache.Compute(images.Count, _options.EncoderBatchSize ?? images.Count, _streams,
                (first, count, again) => WithKeys(_encoder, _keyEncoder, ImageViews.Repeat(_view, 2, images.Part(first, count), _streams.Views), again), Compare);

            StepLoss Compare(Tensor[] embeddings)
            {
                var queries = _projection.call(cat(embeddings[..2])).chunk(2);                          // [N, P] twice
                Tensor[] keys;
                using (no_grad())
                    keys = _keyProjection.call(cat(embeddings[2..])).chunk(2);                          // [N, P] twice
                // The keys enter the queue after the loss: nothing is its own negative.
                var loss = (QueueContrastiveLoss.Compute(queries[0], keys[1], _queue.Vectors, _options.Temperature)
                    .add(QueueContrastiveLoss.Compute(queries[1], keys[0], _queue.Vectors, _options.Temperature), One)).div(Number(2));
                _queue.Next(keys[0]);
                return Step(loss, [], embeddings[0], images.Count);
            }
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            MovingAverage.Follow(_keyEncoder, _encoder, _options.Momentum);
            MovingAverage.Follow(_keyProjection, _projection, _options.Momentum);
            _queue.Enqueue();
        }
    }
}
