using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with SwAV: views predict each other's cluster.
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
/// Caron et al., "SwAV", 2020 (arXiv:2006.09882): each view predicts the assignment of the others to prototypes, which the Sinkhorn-Knopp algorithm keeps
/// even. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="DinoTrainer"/>
public sealed class SwavTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal SwavTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(SwavTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const float Temperature = 0.1f;
        public const int ProjectionDimension = 128;
        public const int NumberOfPrototypes = 300;
    }

    /// <summary>Settings of <see cref="SwavTrainer"/>.</summary>
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

        /// <summary>Divides the similarities to the prototypes. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>Prototypes that views are assigned to. At least 2.</summary>
        /// <value>The default value is 300.</value>
        public int NumberOfPrototypes { get; set; } = Defaults.NumberOfPrototypes;

        /// <summary>
        /// The views of an image: large and, for encoders that take any size, small ones; null takes two of
        /// <see cref="ImagePretrainingOptions.View"/>.
        /// </summary>
        public MultiCrop? Crops { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, projections of 128, 3,000 prototypes, a temperature of 0.1, a weight decay of 1e-6; its queue of
        /// earlier vectors is not there. The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, ProjectionDimension = 128, NumberOfPrototypes = 3000,
            Temperature = 0.1f, WeightDecay = 1e-6,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.AtLeast(ProjectionDimension, 1);
            faults.AtLeast(NumberOfPrototypes, 2);
        }
    }

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Swav(encoder, streams, _options.Crops ?? (_options.View is { } view ? new MultiCrop(view) : null), _options.Temperature,
            _options.ProjectionDimension, _options.NumberOfPrototypes);
}
