using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with SimCLR: two views of an image attract each other and repel the views of all others of the batch.
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
/// Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020 (arXiv:2002.05709): NT-Xent between two views,
/// a projection that is thrown away after training. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="DclTrainer"/>
public sealed class SimClrTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal SimClrTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(SimClrTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const float Temperature = 0.5f;
        public const int ProjectionDimension = 128;
    }

    /// <summary>Settings of <see cref="SimClrTrainer"/>.</summary>
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
        /// <value>The default value is 0.5.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        /// <summary>
        /// The paper's settings for images of about 32 pixels (CIFAR-10, its appendix B.9): batches of 512, a temperature of 0.5, 1,000
        /// epochs, a weight decay of 1e-4; the default view has the paper's weak colour jitter (strength 0.5) and no blur at that size. The
        /// optimizer is AdamW with this trainer's learning rate, where the paper has LARS.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new() { BatchSize = 512, NumberOfEpochs = 1000, Temperature = 0.5f, WeightDecay = 1e-4 };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.AtLeast(ProjectionDimension, 1);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new SimClr(encoder, streams, _options.View, _options.Temperature, _options.ProjectionDimension);
}
