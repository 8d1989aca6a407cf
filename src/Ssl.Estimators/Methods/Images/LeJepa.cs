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
/// Pretrains an image encoder with LeJEPA: all views of an image meet, and the embeddings are kept normally distributed.
/// </summary>
/// <remarks>
/// Balestriero and LeCun, "LeJEPA: Provable and Scalable Self-Supervised Learning Without the Heuristics", 2025 (arXiv:2511.08544): every
/// view predicts the mean of the large ones; <see cref="SigReg"/> along random directions keeps the embeddings of each view apart. No
/// negatives, no second network, no gradient that is stopped; both terms are reported. Deviations: two large views unless
/// <see cref="Options.Crops"/> says more; 256 directions, as in the authors' short program, instead of 1,024; a narrower head. N images, V
/// views, D the embedding dimension, P the projection dimension.
/// </remarks>
/// <seealso cref="VicRegTrainer"/>
public sealed class LeJepaTrainer : ImagePretrainingTrainer
{
    internal LeJepaTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="LeJepaTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 64.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 64;

        /// <summary>Width of the hidden layers of the head. At least 1.</summary>
        /// <value>The default value is 512.</value>
        [OptionRange(Minimum = 1)]
        public int HiddenDimension { get; set; } = 512;

        /// <summary>Lambda: share of the regularization in the loss; the distance of the views has the rest. In [0, 1].</summary>
        /// <value>The default value is 0.05.</value>
        [OptionRange(Minimum = 0, Maximum = 1)]
        public double RegularizationWeight { get; set; } = 0.05;

        /// <summary>Random directions along which a step looks at the embeddings, drawn anew each time. At least 1.</summary>
        /// <value>The default value is 256.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfDirections { get; set; } = 256;

        /// <summary>
        /// The views of an image: large and, for encoders that take any size, small ones; null takes two of
        /// <see cref="ImagePretrainingOptions.View"/>.
        /// </summary>
        public MultiCrop? Crops { get; set; }
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // The views of an image meet in their mean; what keeps all images from meeting there is that each view's embeddings look normal.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly MultiCrop _crops;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("LeJepa", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _crops = options.Crops ?? new MultiCrop(options.View ?? ImageViews.For(encoder.Shape));
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, options.HiddenDimension, options.ProjectionDimension, streams,
                layers: 3);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var (global, local) = _crops.Apply(images, _streams.Views);
            var embeddings = _encoder.call(global);                                                     // [globals x N, D]
            List<Tensor> views = [.. _projection.call(embeddings).chunk(_crops.Globals)];               // [N, P] for each view
            var center = stack(views).mean([0L]);                                                       // [N, P]
            if (local is not null)
                views.AddRange(_projection.call(_encoder.call(local)).chunk(_crops.Locals));
            // Directions are no part of the views: a stream of their own leaves those as they are.
            var directions = Draws.CommonNormal([_options.ProjectionDimension, _options.NumberOfDirections], center.device, _streams.Masks);
            var prediction = Ranks.Mean((stack(views) - center).pow(Number(2)));
            var regularization = stack(views.Select(view => SigReg.Compute(view, directions))).mean();
            var loss = prediction.mul(Number(1 - _options.RegularizationWeight))
                .add(regularization, Number(_options.RegularizationWeight));
            return new StepLoss(loss, [("prediction", prediction.detach()), ("regularization", regularization.detach())],
                embeddings.detach().narrow(0, 0, images.Count));
        }
    }
}
