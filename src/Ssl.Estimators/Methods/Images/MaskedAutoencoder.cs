using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a vision transformer as a masked autoencoder: most patches are hidden and rebuilt from the others.
/// </summary>
/// <remarks>
/// He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022 (arXiv:2111.06377): the encoder sees the visible patches only, a
/// small decoder rebuilds the hidden ones. Judge it by fine-tuning: its nearest neighbors are poor by nature. Deviation: learned
/// positions (see <see cref="ImageEncoders.VisionTransformer"/>). N images, P patches, V of them visible and M hidden, D the encoder's
/// and E the decoder's dimension, L numbers a patch.
/// </remarks>
/// <seealso cref="SimMimTrainer"/>
public sealed class MaskedAutoencoderTrainer : ImagePretrainingTrainer
{
    internal MaskedAutoencoderTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="MaskedAutoencoderTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 256, numberOfEpochs: 20, learningRate: 1e-3, weightDecay: 0.05)
    {
        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.75.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.75f;

        /// <summary>Length of a patch's vector in the decoder; a multiple of 4 and of <see cref="DecoderHeads"/>.</summary>
        /// <value>The default value is 64.</value>
        public int DecoderDimension { get; set; } = 64;

        /// <summary>Blocks of the decoder. At least 1.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 1)]
        public int DecoderLayers { get; set; } = 1;

        /// <summary>Attention heads of the decoder. At least 1.</summary>
        /// <value>The default value is 4.</value>
        [OptionRange(Minimum = 1)]
        public int DecoderHeads { get; set; } = 4;

        /// <summary>Whether each patch's own mean and deviation are taken out of what is to be rebuilt.</summary>
        /// <value>The default value is true.</value>
        public bool NormalizesPatches { get; set; } = true;

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10: a
        /// ViT of patch 4, batches of 256, 1,000 epochs, a learning rate of 2e-4, 75 % of the patches hidden, a decoder of 8 layers of
        /// width 512 with 16 heads, a weight decay of 0.05.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, LearningRate = 2e-4, MaskRatio = 0.75f, DecoderDimension = 512,
            DecoderLayers = 8, DecoderHeads = 16, WeightDecay = 0.05,
        };

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            faults.Require(DecoderDimension >= 4 && DecoderDimension % 4 == 0 && DecoderDimension % Math.Max(1, DecoderHeads) == 0,
                nameof(DecoderDimension), $"must be a multiple of 4 and of DecoderHeads {DecoderHeads}", DecoderDimension);
        }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 1;
    }

    /// <inheritdoc/>
    protected override bool RequiresPatches => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Most patches of an image are hidden; the encoder sees the others only, and a small decoder rebuilds the hidden ones.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PatchEncoder _encoder;

        [ComponentName(Name = "decoder")]
        private readonly PatchDecoder _decoder;

        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("MaskedAutoencoder", encoder)
        {
            _options = options;
            _encoder = RequirePatches(encoder);
            _streams = streams;
            _view = ImageViews.RequireFixed(options.View ?? ImageViews.CropAndFlip(encoder.Shape), "MaskedAutoencoder");
            _decoder = new PatchDecoder(_encoder, options.DecoderDimension, options.DecoderLayers, options.DecoderHeads, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var images = _view.Apply(Column<ImageBatch>(columns), _streams.Views);
            var mask = PatchMask.Draw(images.Count, _encoder.NumberOfPatches, _options.MaskRatio, _streams.Masks, images.Pixels.device);
            return new StepLoss(Reconstruction(_encoder, _decoder, images, mask, _options.NormalizesPatches), []);
        }

        /// <summary>The error of the hidden patches.</summary>
        internal static Tensor Reconstruction(PatchEncoder encoder, PatchDecoder decoder, ImageBatch images, PatchMask mask, bool normalizesPatches)
        {
            var patches = encoder.Patchify(encoder.Standardize(images));                                // [N, P, L]
            var visible = encoder.EmbedPatches(PatchMask.Take(patches, mask.Visible), mask.Visible);    // [N, V, D]
            var rebuilt = decoder.call(encoder.EncodePatches(visible), mask.Visible, mask.Hidden);      // [N, M, L]
            return PatchReconstructionLoss.Squared(rebuilt, PatchMask.Take(patches, mask.Hidden), normalizesPatches);
        }

        internal static PatchEncoder RequirePatches(ImageEncoder encoder) => encoder as PatchEncoder
            ?? throw new ArgumentOutOfRangeException(nameof(encoder),
                $"Masked images need an encoder of patches, and {encoder?.GetName()} sees images whole. "
                + $"Take {nameof(ImageEncoders)}.{nameof(ImageEncoders.VisionTransformer)} or one of its presets.");
    }
}
