using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.MLNet;
using TorchSharp.Utils;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>
/// Pretrains an image encoder by alignment and uniformity: two views of an image lie near each other, all images spread over the sphere.
/// </summary>
/// <remarks>
/// Wang and Isola on contrastive learning by alignment and uniformity on the hypersphere, 2020
/// (arXiv:2005.10242). N images, D the embedding dimension, P the projection dimension.
/// </remarks>
public sealed class AlignmentUniformityTrainer : ImagePretrainingTrainer
{
    /// <summary>The estimator with its settings.</summary>
    public AlignmentUniformityTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="AlignmentUniformityTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 128, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Sharpness of the Gaussian that measures how even the images lie. Greater than 0; the paper has 2.</summary>
        [OptionRange(Above = 0)]
        public float Sharpness { get; set; } = 2;

        /// <summary>Weight of the uniformity; that of the alignment is 1. At least 0.</summary>
        [OptionRange(Minimum = 0)]
        public float UniformityWeight { get; set; } = 1;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 64;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    private sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("AlignmentUniformity", encoder)
        {
            (_encoder, _streams, _options) = (encoder, streams, options);
            _view = options.View ?? ImageViews.For(encoder.Shape);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.ProjectionDimension, streams);
            RegisterComponents();
        }

        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var embeddings = _encoder.call(ImageViews.Repeat(_view, 2, images, _streams.Views));    // [2N, D]
            var unit = nn.functional.normalize(_projection.call(embeddings), dim: 1);               // [2N, P]
            var halves = unit.chunk(2);                                                             // [N, P] twice
            var alignment = (halves[0] - halves[1]).pow(Number(2)).sum(1).mean();
            var uniformity = Uniformity(halves[0]).add(Uniformity(halves[1]), One).div(Number(2));
            return new StepLoss(alignment.add(uniformity * Number(_options.UniformityWeight), One),
                [("alignment", alignment.detach()), ("uniformity", uniformity.detach())],
                embeddings.detach().narrow(0, 0, images.Count));
        }

        // The logarithm of the mean of exp(-t d²) over all pairs of different images: the lower, the more even.
        private Tensor Uniformity(Tensor unit)
        {
            unit = Ranks.Gather(unit);      // those of all processes, where several train
            var squares = unit.mm(unit.t()).mul(Number(-2)).add(Number(2), One);                    // [N, N]
            var count = unit.shape[0];
            return squares.mul(Number(-_options.Sharpness)).exp().sum().sub(Number((double)count))
                .div(Number((double)count * (count - 1))).log();
        }
    }
}

/// <summary>The entry in the catalog.</summary>
public static class AlignmentUniformityCatalog
{
    /// <summary>Pretrains an image encoder by alignment and uniformity.</summary>
    /// <param name="images">The catalog: <c>mlContext.SelfSupervised().Images</c>.</param>
    /// <param name="options">Settings; none takes the defaults.</param>
    public static AlignmentUniformityTrainer AlignmentUniformity(this SelfSupervisedCatalog.ImageMethods images,
        AlignmentUniformityTrainer.Options? options = null) => new(images.Context, options ?? new AlignmentUniformityTrainer.Options());
}
