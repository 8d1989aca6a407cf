using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with BYOL: one view predicts how a slowly following copy of the network sees the other view.
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
/// Grill et al., "Bootstrap Your Own Latent", 2020 (arXiv:2006.07733): one view predicts how a slowly following network sees the other; no
/// negatives. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimSiamTrainer"/>
public sealed class ByolTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal ByolTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(ByolTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const int ProjectionDimension = 256;
        public const int HiddenDimension = 1024;
        public const float Momentum = 0.99f;
    }

    /// <summary>Settings of <see cref="ByolTrainer"/>.</summary>
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
        /// <value>The default value is 256.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 1,024.</value>
        public int HiddenDimension { get; set; } = Defaults.HiddenDimension;

        /// <summary>Share of the following network that stays at the first step; rises to 1. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        public float Momentum { get; set; } = Defaults.Momentum;

        /// <summary>The view that the other of the two goes through; null takes <see cref="ImagePretrainingOptions.View"/> again.</summary>
        public ImageView? SecondView { get; set; }

        /// <summary>
        /// Settings for images of about 32 pixels, as the library solo-learn (da Costa et al., 2022, JMLR 23) has them for CIFAR-10:
        /// batches of 256, 1,000 epochs, heads of width 4,096 to 256, a momentum from 0.99 to 1, a weight decay of 1e-5. The optimizer is
        /// AdamW with this trainer's learning rate, where it has LARS. The views are <see cref="ImageViews.Asymmetric"/> of your image
        /// size; set them as View and SecondView.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 256, NumberOfEpochs = 1000, HiddenDimension = 4096, ProjectionDimension = 256,
            Momentum = 0.99f, WeightDecay = 1e-5,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.AtLeast(ProjectionDimension, 1);
            faults.AtLeast(HiddenDimension, 1);
            faults.InHalfOpenRange(Momentum, 0, 1);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Byol(encoder, factory.Create(streams), streams, _options.View, _options.SecondView, _options.ProjectionDimension,
            _options.HiddenDimension, _options.Momentum);
}
