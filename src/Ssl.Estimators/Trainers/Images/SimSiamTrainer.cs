using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with SimSiam: one view predicts the other's projection, which is held fixed.
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
/// Chen and He, "Exploring Simple Siamese Representation Learning", 2021 (arXiv:2011.10566): one view predicts the other's projection, which gets
/// no gradient; no negatives, no second network. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="ByolTrainer"/>
public sealed class SimSiamTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal SimSiamTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(SimSiamTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const int ProjectionDimension = 512;
    }

    /// <summary>Settings of <see cref="SimSiamTrainer"/>.</summary>
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

        /// <summary>Length of the vectors that the loss compares. At least 4.</summary>
        /// <value>The default value is 512.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>
        /// The paper's settings for images of about 32 pixels (CIFAR-10, its appendix D): batches of 512, 800 epochs, a projection of
        /// 2,048, a weight decay of 5e-4; the default view has no blur at that size, as there. The optimizer is AdamW with this trainer's
        /// learning rate, where the paper has SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages()
            => new() { BatchSize = 512, NumberOfEpochs = 800, ProjectionDimension = 2048, WeightDecay = 5e-4 };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.AtLeast(ProjectionDimension, 4);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new SimSiam(encoder, streams, _options.View, _options.ProjectionDimension);
}
