using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a vision transformer as a masked autoencoder: most patches are hidden and rebuilt from the others.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | image of any size, or vector of Byte or Single, [channels, height, width] | the image to learn from and, later, to embed |
/// | output | known-size vector of Single | the embedding |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No: mean and deviation of the pixels are measured |
/// | Benefits from caching | No: pixels are kept in memory as bytes when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022 (arXiv:2111.06377): the encoder sees the visible patches only, a small
/// decoder rebuilds the hidden ones. Judge it by fine-tuning: its nearest neighbours are poor by nature. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimMimTrainer"/>
public sealed class MaskedAutoencoderTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal MaskedAutoencoderTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(MaskedAutoencoderTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 20;
        public const double LearningRate = 1e-3;
        public const double WeightDecay = 0.05;
        public const float MaskRatio = 0.75f;
        public const int DecoderDimension = 64;
        public const int DecoderLayers = 1;
        public const int DecoderHeads = 4;
        public const bool NormalizesPatches = true;
    }

    /// <summary>Settings of <see cref="MaskedAutoencoderTrainer"/>.</summary>
    public sealed class Options : ImagePretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
            WeightDecay = Defaults.WeightDecay;
        }

        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.75.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        /// <summary>Length of a patch's vector in the decoder; a multiple of 4 and of <see cref="DecoderHeads"/>.</summary>
        /// <value>The default value is 64.</value>
        public int DecoderDimension { get; set; } = Defaults.DecoderDimension;

        /// <summary>Blocks of the decoder. At least 1.</summary>
        /// <value>The default value is 1.</value>
        public int DecoderLayers { get; set; } = Defaults.DecoderLayers;

        /// <summary>Attention heads of the decoder. At least 1.</summary>
        /// <value>The default value is 4.</value>
        public int DecoderHeads { get; set; } = Defaults.DecoderHeads;

        /// <summary>Whether each patch's own mean and deviation are taken out of what is to be rebuilt.</summary>
        /// <value>The default value is true.</value>
        public bool NormalizesPatches { get; set; } = Defaults.NormalizesPatches;

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

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
            faults.Require(DecoderDimension >= 4 && DecoderDimension % 4 == 0 && DecoderDimension % Math.Max(1, DecoderHeads) == 0,
                nameof(DecoderDimension), $"must be a multiple of 4 and of DecoderHeads {DecoderHeads}", DecoderDimension);
            faults.AtLeast(DecoderLayers, 1);
            faults.AtLeast(DecoderHeads, 1);
        }

        internal override int MinimumBatchSize => 1;
    }

    private protected override bool RequiresPatches => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new MaskedAutoencoder(encoder, streams, _options.View, _options.MaskRatio, _options.DecoderDimension, _options.DecoderLayers,
            _options.DecoderHeads, _options.NormalizesPatches);
}
