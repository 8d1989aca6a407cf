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
/// Pretrains an image encoder with SwAV: views predict each other's cluster.
/// </summary>
/// <remarks>
/// Caron et al., "SwAV", 2020 (arXiv:2006.09882): each view predicts the assignment of the others to prototypes, which the
/// Sinkhorn-Knopp algorithm keeps even. Deviations: AdamW instead of LARS; 300 prototypes; no queue of earlier
/// vectors, which batches smaller than the number of prototypes would want. N images, D the embedding dimension, P the
/// projection dimension, K prototypes.
/// </remarks>
/// <seealso cref="DinoTrainer"/>
public sealed class SwavTrainer : ImagePretrainingTrainer
{
    internal SwavTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="SwavTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Divides the similarities to the prototypes. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <summary>Prototypes that views are assigned to. At least 2.</summary>
        /// <value>The default value is 300.</value>
        [OptionRange(Minimum = 2)]
        public int NumberOfPrototypes { get; set; } = 300;

        /// <summary>
        /// Share of the training at whose beginning the prototypes stay as they were drawn: the embeddings first spread over even ones. In
        /// [0, 1]; 0 lets them learn from the first step.
        /// </summary>
        /// <value>The default value is 0.1: of ten epochs the first, as long as the paper freezes them.</value>
        [OptionRange(Minimum = 0, Maximum = 1)]
        public double FrozenPrototypesFraction { get; set; } = 0.1;

        /// <summary>
        /// The views of an image: large and, for encoders that take any size, small ones; null takes two of
        /// <see cref="ImagePretrainingOptions.View"/>.
        /// </summary>
        public MultiCrop? Crops { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, projections of 128, 3,000 prototypes that are frozen in the first epoch, a temperature of 0.1, a
        /// weight decay of 1e-6; its queue of earlier vectors is not there. The optimizer is AdamW with this trainer's learning rate, where
        /// it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, ProjectionDimension = 128, NumberOfPrototypes = 3000,
            FrozenPrototypesFraction = 0.001, Temperature = 0.1f, WeightDecay = 1e-6,
        };
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Each view predicts to which prototypes the other views of its image were assigned; assignments are kept even over a batch.
    internal sealed class Method : PretrainingMethod
    {
        private const double Epsilon = 0.05;

        [ComponentName(Name = "encoder")]
        private readonly ImageEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prototypes")]
        private readonly LinearLayer _prototypes;

        private readonly RandomStreams _streams;
        private readonly MultiCrop _crops;
        private readonly Options _options;
        private bool _areFrozen;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("Swav", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _crops = options.Crops ?? new MultiCrop(options.View ?? ImageViews.For(encoder.Shape));
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.ProjectionDimension, streams);
            _prototypes = Initialization.Linear(options.ProjectionDimension, options.NumberOfPrototypes, streams.Weights, hasBias: false);
            RegisterComponents();
            NormalizePrototypes();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = Column<ImageBatch>(columns);
            var (global, local) = _crops.Apply(images, _streams.Views);
            var embeddings = _encoder.call(global);                                                     // [2N, D]
            List<Tensor> scores = [.. Scores(embeddings).chunk(_crops.Globals)];                        // [N, K] for each view
            var targets = scores.Select(s => SinkhornAssignment.Compute(s, Epsilon)).ToArray();
            if (local is not null)
                scores.AddRange(Scores(_encoder.call(local)).chunk(_crops.Locals));
            var loss = SoftTargetLoss.OverOtherViews(targets, scores, _options.Temperature);
            return new StepLoss(loss, [], embeddings.detach().narrow(0, 0, images.Count));
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            if (!_areFrozen)
                NormalizePrototypes();
        }

        internal override void OnStepStarting(double progress) => _areFrozen = progress < _options.FrozenPrototypesFraction;

        // Frozen prototypes get no gradient: the optimizer leaves them, and what it remembers of them, alone.
        private Tensor Scores(Tensor embeddings) => nn.functional.linear(Contrastive.Normalize(_projection.call(embeddings)),
            _areFrozen ? _prototypes.Weight.detach() : _prototypes.Weight);

        private void NormalizePrototypes()
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            _prototypes.Weight.copy_(Contrastive.Normalize(_prototypes.Weight));
        }
    }
}
