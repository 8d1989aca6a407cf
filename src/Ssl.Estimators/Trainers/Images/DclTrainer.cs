using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with the decoupled contrastive loss: SimCLR for small batches.
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
/// Yeh et al., "Decoupled Contrastive Learning", 2022 (arXiv:2110.06848): SimCLR's loss without the positive pair in the denominator, so that
/// small batches learn too. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimClrTrainer"/>
public sealed class DclTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal DclTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(DclTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 128;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const float Temperature = 0.1f;
        public const int ProjectionDimension = 128;
    }

    /// <summary>Settings of <see cref="DclTrainer"/>.</summary>
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
        /// <value>The default value is 0.1.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>Weighs hard positive pairs more (DCLW; the paper's value is 0.5); null weighs all alike. Greater than 0.</summary>
        /// <value>The default value is null.</value>
        public float? Sigma { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the benchmark of the library lightly has them for CIFAR-10: batches of 512, 200 epochs, a
        /// temperature of 0.1. The optimizer is AdamW with this trainer's learning rate, where it has SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new() { BatchSize = 512, NumberOfEpochs = 200, Temperature = 0.1f };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.AtLeast(ProjectionDimension, 1);
            faults.Positive(Sigma ?? 1, nameof(Sigma));
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Dcl(encoder, streams, _options.View, _options.Temperature, _options.ProjectionDimension, _options.Sigma);
}
