using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with VICReg: near views, dimensions that vary, and that do so independently.
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
/// Bardes, Ponce, LeCun, "VICReg", 2022 (arXiv:2105.04906): distance of the views, a hinge on every dimension's deviation, covariances; each term is
/// reported. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="BarlowTwinsTrainer"/>
public sealed class VicRegTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal VicRegTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(VicRegTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const int ProjectionDimension = 1024;
        public const float InvarianceWeight = 25;
        public const float VarianceWeight = 25;
        public const float CovarianceWeight = 1;
    }

    /// <summary>Settings of <see cref="VicRegTrainer"/>.</summary>
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

        /// <summary>Weight of the distance between the views. At least 0.</summary>
        /// <value>The default value is 25.</value>
        public float InvarianceWeight { get; set; } = Defaults.InvarianceWeight;

        /// <summary>Weight of the hinge on every dimension's deviation. At least 0.</summary>
        /// <value>The default value is 25.</value>
        public float VarianceWeight { get; set; } = Defaults.VarianceWeight;

        /// <summary>Weight of the covariances. At least 0.</summary>
        /// <value>The default value is 1.</value>
        public float CovarianceWeight { get; set; } = Defaults.CovarianceWeight;

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

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.AtLeast(ProjectionDimension, 1);
            faults.NotNegative(InvarianceWeight);
            faults.NotNegative(VarianceWeight);
            faults.NotNegative(CovarianceWeight);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new VicReg(encoder, streams, _options.View, _options.ProjectionDimension, _options.InvarianceWeight, _options.VarianceWeight,
            _options.CovarianceWeight);
}
