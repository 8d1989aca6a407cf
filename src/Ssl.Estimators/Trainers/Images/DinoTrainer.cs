using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with DINO: a student learns from a slowly following teacher that sees other crops.
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
/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021 (arXiv:2104.14294): a student learns what a slowly following teacher,
/// sharpened and centred, says of other crops. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="SwavTrainer"/>
public sealed class DinoTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal DinoTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(DinoTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const float Temperature = 0.1f;
        public const float TeacherTemperature = 0.04f;
        public const int NumberOfPrototypes = 1024;
        public const int HiddenDimension = 512;
        public const float Momentum = 0.99f;
    }

    /// <summary>Settings of <see cref="DinoTrainer"/>.</summary>
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

        /// <summary>Divides the student's outputs. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Divides the teacher's outputs: lower is sharper. Greater than 0.</summary>
        /// <value>The default value is 0.04.</value>
        public float TeacherTemperature { get; set; } = Defaults.TeacherTemperature;

        /// <summary>Outputs of the head. At least 2.</summary>
        /// <value>The default value is 1,024.</value>
        public int NumberOfPrototypes { get; set; } = Defaults.NumberOfPrototypes;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 512.</value>
        public int HiddenDimension { get; set; } = Defaults.HiddenDimension;

        /// <summary>Share of the teacher that stays at the first step; rises to 1. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        public float Momentum { get; set; } = Defaults.Momentum;

        /// <summary>
        /// The views of an image: large and, for encoders that take any size, small ones; null takes two of
        /// <see cref="ImagePretrainingOptions.View"/>.
        /// </summary>
        public MultiCrop? Crops { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, 4,096 prototypes, a head of width 2,048, a momentum from 0.9995 to 1, a weight decay of 1e-6.
        /// The optimizer is AdamW with this trainer's learning rate, where it has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, NumberOfPrototypes = 4096, HiddenDimension = 2048,
            Momentum = 0.9995f, WeightDecay = 1e-6,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.Positive(TeacherTemperature);
            faults.AtLeast(NumberOfPrototypes, 2);
            faults.AtLeast(HiddenDimension, 1);
            faults.InHalfOpenRange(Momentum, 0, 1);
        }
    }

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Dino(encoder, factory.Create(streams), streams, _options.Crops ?? (_options.View is { } view ? new MultiCrop(view) : null),
            _options.Temperature, _options.TeacherTemperature, _options.NumberOfPrototypes, _options.HiddenDimension, _options.Momentum);
}
