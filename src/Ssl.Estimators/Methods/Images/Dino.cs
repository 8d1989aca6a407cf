using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder with DINO: a student learns from a slowly following teacher that sees other crops.
/// </summary>
/// <remarks>
/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021 (arXiv:2104.14294): a student learns what a slowly
/// following teacher, sharpened and centered, says of other crops. Deviations: the teacher's temperature is constant; constant weight
/// decay; the last layer learns from the first step; 1,024 outputs instead of 65,536. N images, D the embedding dimension, K outputs.
/// </remarks>
/// <seealso cref="SwavTrainer"/>
public sealed class DinoTrainer : ImagePretrainingTrainer
{
    internal DinoTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="DinoTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides the student's outputs. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <summary>Divides the teacher's outputs: lower is sharper. Greater than 0.</summary>
        /// <value>The default value is 0.04.</value>
        [OptionRange(Above = 0)]
        public float TeacherTemperature { get; set; } = 0.04f;

        /// <summary>Outputs of the head. At least 2.</summary>
        /// <value>The default value is 1,024.</value>
        [OptionRange(Minimum = 2)]
        public int NumberOfPrototypes { get; set; } = 1024;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 512.</value>
        [OptionRange(Minimum = 1)]
        public int HiddenDimension { get; set; } = 512;

        /// <summary>Share of the teacher that stays at the first step; rises to 1. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float Momentum { get; set; } = 0.99f;

        /// <summary>
        /// The views of an image: large and, for encoders that take any size, small ones; null takes two of
        /// <see cref="ImagePretrainingOptions.View"/>.
        /// </summary>
        public MultiCrop? Crops { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, 4,096 prototypes, a head of width 2,048, a momentum from 0.9995 to 1, a weight decay of 1e-6.
        /// The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, NumberOfPrototypes = 4096, HiddenDimension = 2048,
            Momentum = 0.9995f, WeightDecay = 1e-6,
        };
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, factory.Create(streams), streams, (Options)Settings);

    // Self-distillation without labels: the student's view of any crop shall be what a slowly following teacher says of another, large
    // one. Sharpening and centering of the teacher keep it from collapsing.
    internal sealed class Method : PretrainingMethod
    {
        private const double CenterMomentum = 0.9;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "head")]
        private readonly PrototypeHead _head;

        [ComponentName(Name = "teacher_encoder")]
        private readonly ImageEncoder _teacherEncoder;

        [ComponentName(Name = "teacher_head")]
        private readonly PrototypeHead _teacherHead;

        [ComponentName(Name = "center")]
        private readonly Tensor _center;

        private readonly RandomStreams _streams;
        private readonly MultiCrop _crops;
        private readonly Options _options;

        public Method(ImageEncoder encoder, ImageEncoder teacherEncoder, RandomStreams streams, Options options) : base("Dino", encoder)
        {
            _options = options;
            (_encoder, _teacherEncoder, _streams) = (encoder, teacherEncoder, streams);
            _crops = options.Crops ?? new MultiCrop(options.View ?? ImageViews.For(encoder.Shape));
            _head = new PrototypeHead(encoder.EmbeddingDimension, options.HiddenDimension, options.NumberOfPrototypes, streams);
            _teacherHead = new PrototypeHead(encoder.EmbeddingDimension, options.HiddenDimension, options.NumberOfPrototypes, streams);
            MovingAverage.Begin(_teacherEncoder, _encoder);
            MovingAverage.Begin(_teacherHead, _head);
            _center = zeros(1, options.NumberOfPrototypes, dtype: ScalarType.Float32).DetachFromDisposeScope();
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var (global, local) = _crops.Apply(images, _streams.Views);
            Tensor[] targets;
            using (no_grad())
            {
                var outputs = _teacherHead.call(_teacherEncoder.call(global));                          // [globals x N, K]
                targets = outputs.sub(_center).div(Number(_options.TeacherTemperature)).softmax(1).chunk(_crops.Globals);
                // The center of this step serves the next one.
                _center.mul_(Number(CenterMomentum)).add_(Ranks.AverageOfRows(outputs.mean([0L], keepdim: true)), Number(1 - CenterMomentum));
            }
            var embeddings = _encoder.call(global);                                                     // [globals x N, D]
            List<Tensor> scores = [.. _head.call(embeddings).chunk(_crops.Globals)];                    // [N, K] for each view
            if (local is not null)
                scores.AddRange(_head.call(_encoder.call(local)).chunk(_crops.Locals));
            var loss = SoftTargetLoss.OverOtherViews(targets, scores, _options.Temperature);
            return new StepLoss(loss, [], embeddings.detach().narrow(0, 0, images.Count));
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            double momentum = MovingAverage.Rising(_options.Momentum, progress);
            MovingAverage.Follow(_teacherEncoder, _encoder, momentum);
            MovingAverage.Follow(_teacherHead, _head, momentum);
        }
    }
}
