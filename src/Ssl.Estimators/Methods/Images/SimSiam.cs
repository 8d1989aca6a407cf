using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using TorchSharp.Utils;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder with SimSiam: one view predicts the other's projection, which is held fixed.
/// </summary>
/// <remarks>
/// Chen and He, "Exploring Simple Siamese Representation Learning", 2021 (arXiv:2011.10566): one view predicts the other's projection,
/// which gets no gradient; no negatives, no second network. Deviations: AdamW; a faster predictor, whose learning rate falls with the
/// others'; heads of width 512 instead of 2,048. N images, D the embedding dimension, P the projection dimension.
/// </remarks>
/// <seealso cref="ByolTrainer"/>
public sealed class SimSiamTrainer : ImagePretrainingTrainer
{
    internal SimSiamTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="SimSiamTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Length of the vectors that the loss compares. At least 4.</summary>
        /// <value>The default value is 512.</value>
        [OptionRange(Minimum = 4)]
        public int ProjectionDimension { get; set; } = 512;

        /// <summary>How much faster the predictor learns than the rest, so that it keeps up with the encoder. Greater than 0.</summary>
        /// <value>The default value is 10.</value>
        [OptionRange(Above = 0)]
        public double PredictorLearningRateMultiplier { get; set; } = 10;

        /// <summary>
        /// Whether the predictor's learning rate stays at its peak from the first step to the last, as in the paper; false lets it rise
        /// and fall with the others'.
        /// </summary>
        /// <value>The default value is false.</value>
        public bool ConstantPredictorLearningRate { get; set; }

        /// <summary>
        /// The paper's settings for images of about 32 pixels (CIFAR-10, its appendix D): batches of 512, 800 epochs, a projection of
        /// 2,048, a weight decay of 5e-4, a predictor whose learning rate is constant; the default view has no blur at that size, as there.
        /// The optimizer is AdamW with this trainer's learning rate, where the paper has SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 512, NumberOfEpochs = 800, ProjectionDimension = 2048, WeightDecay = 5e-4,
            PredictorLearningRateMultiplier = 1, ConstantPredictorLearningRate = true,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Predicts one view's projection from the other's; the predicted side gets no gradient, which alone keeps it from collapsing.
    internal sealed class Method : TwoViewMethod
    {
        private const int Bottleneck = 4;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prediction")]
        private readonly ProjectionMlp _prediction;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        // Without the stop it collapses: for the test of the collapse watch.
        internal bool StopsGradient { get; init; } = true;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("SimSiam", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = Own(options.View);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.ProjectionDimension, options.ProjectionDimension, streams,
                layers: 3,
                normalizesOutput: true);
            _prediction = new ProjectionMlp(options.ProjectionDimension, options.ProjectionDimension / Bottleneck,
                options.ProjectionDimension, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
            var embeddings = _encoder.call(views);                                                      // [2N, D]
            var projected = _projection.call(embeddings);                                               // [2N, P]
            var predictions = _prediction.call(projected).chunk(2);                                     // [N, P] twice
            var targets = (StopsGradient ? projected.detach() : projected).chunk(2);                   // [N, P] twice
            var loss = CosineLoss.Compute(predictions[0], targets[1])
                .add(CosineLoss.Compute(predictions[1], targets[0]), One).div(Number(2));
            return Step(loss, [], projected, images.Count);
        }

        internal override ParameterRate RateOf(string parameterName)
            => parameterName.StartsWith("prediction.", StringComparison.Ordinal)
                ? new(_options.PredictorLearningRateMultiplier, _options.ConstantPredictorLearningRate) : base.RateOf(parameterName);
    }
}
