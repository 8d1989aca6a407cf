using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with NNCLR: contrast with the nearest neighbour of a view among earlier images.
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
/// Dwibedi et al., "With a Little Help from My Friends", 2021 (arXiv:2104.14548): the nearest earlier projection stands for a view, so that positives
/// are other images too. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimClrTrainer"/>
public sealed class NnclrTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal NnclrTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(NnclrTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const float Temperature = 0.2f;
        public const int ProjectionDimension = 128;
        public const int HiddenDimension = 512;
        public const int SupportSize = 4096;
    }

    /// <summary>Settings of <see cref="NnclrTrainer"/>.</summary>
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

        /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 512.</value>
        public int HiddenDimension { get; set; } = Defaults.HiddenDimension;

        /// <summary>Earlier projections among which neighbours are looked for. At least 1.</summary>
        /// <value>The default value is 4,096.</value>
        public int SupportSize { get; set; } = Defaults.SupportSize;

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, a temperature of 0.2, projections of 256, a predictor of width 4,096, a queue of 65,536, a
        /// weight decay of 1e-5. The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, Temperature = 0.2f, ProjectionDimension = 256,
            HiddenDimension = 4096, SupportSize = 65_536, WeightDecay = 1e-5,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.AtLeast(ProjectionDimension, 1);
            faults.AtLeast(HiddenDimension, 1);
            faults.AtLeast(SupportSize, 1);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Nnclr(encoder, streams, _options.View, _options.Temperature, _options.ProjectionDimension, _options.HiddenDimension,
            _options.SupportSize);
}
