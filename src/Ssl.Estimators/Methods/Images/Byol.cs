using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder with BYOL: one view predicts how a slowly following copy of the network sees the other view.
/// </summary>
/// <remarks>
/// Grill et al., "Bootstrap Your Own Latent", 2020 (arXiv:2006.07733): one view predicts how a slowly following network sees the other;
/// no negatives. Deviations: AdamW instead of LARS; heads of width 1,024 instead of 4,096; a faster
/// predictor. N images, D the embedding dimension, P the
/// projection dimension.
/// </remarks>
/// <seealso cref="SimSiamTrainer"/>
public sealed class ByolTrainer : ImagePretrainingTrainer
{
    internal ByolTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="ByolTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
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

        /// <summary>
        /// How much faster the predictor learns than the rest, so that it keeps up with the encoder. Greater than 0; 1 as in the paper,
        /// which has a factor in its appendix on networks without a target.
        /// </summary>
        /// <value>The default value is 10.</value>
        [OptionRange(Above = 0)]
        public double PredictorLearningRateMultiplier { get; set; } = 10;

        /// <summary>The view that the other of the two goes through; null takes <see cref="ImagePretrainingOptions.View"/> again.</summary>
        public ImageView? SecondView { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, heads of width 4,096 to 256, a momentum from 0.99 to 1, a weight decay of 1e-5, one learning rate
        /// for all. The optimizer is AdamW with this trainer's learning rate, where it has LARS. The views are
        /// <see cref="ImageViews.Asymmetric"/> of your image size; set them as View and SecondView.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, HiddenDimension = 4096, ProjectionDimension = 256,
            Momentum = 0.99f, WeightDecay = 1e-5, PredictorLearningRateMultiplier = 1,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, factory.Create(streams), streams, (Options)Settings);

    // Predicts from one view how a slowly following copy of the encoder sees the other view: no negatives.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prediction")]
        private readonly ProjectionMlp _prediction;

        [ComponentName(Name = "target_encoder")]
        private readonly ImageEncoder _targetEncoder;

        [ComponentName(Name = "target_projection")]
        private readonly ProjectionMlp _targetProjection;

        private readonly RandomStreams _streams;
        private readonly ImageView _first;
        private readonly ImageView _second;
        private readonly Options _options;

        public Method(ImageEncoder encoder, ImageEncoder targetEncoder, RandomStreams streams, Options options) : base("Byol", encoder)
        {
            _options = options;
            (_encoder, _targetEncoder, _streams) = (encoder, targetEncoder, streams);
            _first = Own(options.View);
            _second = options.SecondView is null ? _first : Own(options.SecondView);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            _targetProjection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension,
                streams);
            _prediction = new ProjectionMlp(options.ProjectionDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            MovingAverage.Begin(_targetEncoder, _encoder);
            MovingAverage.Begin(_targetProjection, _projection);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var views = ImageViews.Each([_first, _second], images, _streams.Views);                     // [2N, C, H, W]
            var embeddings = _encoder.call(views);                                                      // [2N, D]
            var predictions = _prediction.call(_projection.call(embeddings)).chunk(2);                  // [N, P] twice
            Tensor[] targets;
            using (no_grad())
                targets = _targetProjection.call(_targetEncoder.call(views)).chunk(2);                  // [N, P] twice
            // Squared distance of unit vectors, both directions added: from 0 to 8.
            var loss = CosineLoss.Compute(predictions[0], targets[1])
                .add(CosineLoss.Compute(predictions[1], targets[0]), One).mul(Number(2)).add(Number(4), One);
            return Step(loss, [], embeddings, images.Count);
        }

        internal override ParameterRate RateOf(string parameterName)
            => parameterName.StartsWith("prediction.", StringComparison.Ordinal)
                ? new(_options.PredictorLearningRateMultiplier) : base.RateOf(parameterName);

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            double momentum = MovingAverage.Rising(_options.Momentum, progress);
            MovingAverage.Follow(_targetEncoder, _encoder, momentum);
            MovingAverage.Follow(_targetProjection, _projection, momentum);
        }
    }
}
