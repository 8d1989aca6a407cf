using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with Barlow Twins: two views agree in every dimension, and no two dimensions say the same.
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
/// Zbontar et al., "Barlow Twins", 2021 (arXiv:2103.03230): the correlation matrix of the two views' projections shall be the identity.
/// Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="VicRegTrainer"/>
public sealed class BarlowTwinsTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal BarlowTwinsTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(BarlowTwinsTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const int ProjectionDimension = 1024;
        public const float OffDiagonalWeight = 0.0051f;
    }

    /// <summary>Settings of <see cref="BarlowTwinsTrainer"/>.</summary>
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

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 1,024.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>Weight of the correlations between different dimensions. At least 0.</summary>
        /// <value>The default value is 0.0051.</value>
        public float OffDiagonalWeight { get; set; } = Defaults.OffDiagonalWeight;

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, a projection of 2,048, a weight decay of 1e-4. The optimizer is AdamW with this trainer's
        /// learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, ProjectionDimension = 2048,
            WeightDecay = 1e-4,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.AtLeast(ProjectionDimension, 1);
            faults.NotNegative(OffDiagonalWeight);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new BarlowTwins(encoder, streams, _options.View, _options.ProjectionDimension, _options.OffDiagonalWeight);
}
