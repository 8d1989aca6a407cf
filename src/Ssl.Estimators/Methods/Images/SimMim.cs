using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a vision transformer with SimMIM: hidden patches are replaced by a learned vector and rebuilt by one linear layer.
/// </summary>
/// <remarks>
/// Xie et al., "SimMIM: A Simple Framework for Masked Image Modeling", 2022 (arXiv:2111.09886): hidden patches are replaced by a
/// learned vector, one linear layer rebuilds their pixels. A hidden unit is one patch of the encoder. N images, P patches, M of them
/// hidden, D the dimension, L numbers a patch.
/// </remarks>
/// <seealso cref="MaskedAutoencoderTrainer"/>
public sealed class SimMimTrainer : ImagePretrainingTrainer
{
    internal SimMimTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="SimMimTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 20, learningRate: 1e-3, weightDecay: 0.05)
    {
        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.6.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.6f;

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 1;
    }

    /// <inheritdoc/>
    protected override bool RequiresPatches => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Some patches are replaced by a learned vector; the encoder sees all places, and one linear layer rebuilds the pixels.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PatchEncoder _encoder;

        [ComponentName(Name = "mask_token")]
        private readonly Parameter _maskToken;

        [ComponentName(Name = "output")]
        private readonly LinearLayer _output;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("SimMim", encoder)
        {
            _options = options;
            _encoder = MaskedAutoencoderTrainer.Method.RequirePatches(encoder);
            _streams = streams;
            _view = ImageViews.RequireFixed(options.View ?? ImageViews.CropAndFlip(encoder.Shape), "SimMim");
            _maskToken = nn.Parameter(zeros(_encoder.TokenDimension, dtype: ScalarType.Float32));
            Initialization.Normal(_maskToken, 0.02, streams.Weights);
            _output = Initialization.NormalLinear(_encoder.TokenDimension, _encoder.PatchLength, streams.Weights);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = _view.Apply(Column<ImageBatch>(columns), _streams.Views);
            var patches = _encoder.Patchify(_encoder.Standardize(images));                              // [N, P, L]
            var mask = PatchMask.Draw(images.Count, _encoder.NumberOfPatches, _options.MaskRatio, _streams.Masks, patches.device);
            var tokens = mask.Replace(_encoder.EmbedPatches(patches), _maskToken.add(_encoder.Positions, One));    // [N, P, D]
            var encoded = PatchMask.Take(_encoder.EncodePatches(tokens), mask.Hidden);                  // [N, M, D]
            var loss = PatchReconstructionLoss.Absolute(_output.Exact(encoded), PatchMask.Take(patches, mask.Hidden));
            return new StepLoss(loss, []);
        }
    }
}
