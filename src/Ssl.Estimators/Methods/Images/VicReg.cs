using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder with VICReg: near views, dimensions that vary, and that do so independently.
/// </summary>
/// <remarks>
/// Bardes, Ponce, LeCun, "VICReg", 2022 (arXiv:2105.04906): distance of the views, a hinge on every dimension's deviation, covariances;
/// each term is reported. Deviations: AdamW instead of LARS; projections of 1,024 numbers instead of 8,192. N images, D the embedding
/// dimension, P the projection dimension.
/// </remarks>
/// <seealso cref="BarlowTwinsTrainer"/>
public sealed class VicRegTrainer : ImagePretrainingTrainer
{
    internal VicRegTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="VicRegTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 1,024.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 1024;

        /// <summary>Weight of the distance between the views. At least 0.</summary>
        /// <value>The default value is 25.</value>
        [OptionRange(Minimum = 0)]
        public float InvarianceWeight { get; set; } = 25;

        /// <summary>Weight of the hinge on every dimension's deviation. At least 0.</summary>
        /// <value>The default value is 25.</value>
        [OptionRange(Minimum = 0)]
        public float VarianceWeight { get; set; } = 25;

        /// <summary>Weight of the covariances. At least 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float CovarianceWeight { get; set; } = 1;

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, a projection of 2,048, weights of 25, 25 and 1, a weight decay of 1e-4. The optimizer is AdamW
        /// with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, ProjectionDimension = 2048,
            WeightDecay = 1e-4,
        };
    }

    /// <inheritdoc/>
    protected override bool LearnsViews => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Two views are near each other, while every dimension of the projections varies and no two vary together.
    internal sealed class Method : TwoViewMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("VicReg", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = Own(options.View);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.ProjectionDimension, options.ProjectionDimension, streams,
                layers: 3);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var views = ImageViews.Repeat(_view, 2, images, _streams.Views);                            // [2N, C, H, W]
            var embeddings = _encoder.call(views);                                                      // [2N, D]
            var halves = _projection.call(embeddings).chunk(2);                                         // [N, P] twice
            var (invariance, variance, covariance) = VicRegLoss.Compute(halves[0], halves[1]);
            var loss = (invariance * Number(_options.InvarianceWeight)).add(variance * Number(_options.VarianceWeight), One)
                .add(covariance * Number(_options.CovarianceWeight), One);
            return Step(loss,
                [("invariance", invariance.detach()), ("variance", variance.detach()), ("covariance", covariance.detach())],
                embeddings, images.Count);
        }
    }
}
