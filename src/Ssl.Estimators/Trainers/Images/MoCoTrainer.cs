using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder with MoCo v2: negatives come from a queue, so that small batches have many of them.
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
/// He et al., "Momentum Contrast", 2020 (arXiv:1911.05722), with the head and views of v2 (arXiv:2003.04297): negatives from a queue of keys that a
/// slowly following network made. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="MoCoV3Trainer"/>
public sealed class MoCoTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal MoCoTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(MoCoTrainer), options)
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
        public const int QueueSize = 4096;
        public const float Momentum = 0.99f;
    }

    /// <summary>Settings of <see cref="MoCoTrainer"/>.</summary>
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

        /// <summary>Earlier keys that serve as negatives; need not be a multiple of the batch. At least 1.</summary>
        /// <value>The default value is 4,096.</value>
        public int QueueSize { get; set; } = Defaults.QueueSize;

        /// <summary>Share of the following network that stays at each step. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        public float Momentum { get; set; } = Defaults.Momentum;

        /// <summary>
        /// The authors' settings for images of about 32 pixels (their CIFAR-10 notebook): batches of 512, a queue of 4,096, a momentum of
        /// 0.99, a temperature of 0.1, 200 epochs, a weight decay of 5e-4. The optimizer is AdamW with this trainer's learning rate, where
        /// they have SGD.
        /// </summary>
        /// <returns>New settings; change them as you like.</returns>
        public static Options ForSmallImages() => new()
        {
            BatchSize = 512, NumberOfEpochs = 200, QueueSize = 4096, Momentum = 0.99f, Temperature = 0.1f, WeightDecay = 5e-4,
        };

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.AtLeast(ProjectionDimension, 1);
            faults.AtLeast(QueueSize, 1);
            faults.InHalfOpenRange(Momentum, 0, 1);
        }
    }

    private protected override bool LearnsViews => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new MoCo(encoder, factory.Create(streams), streams, _options.View, _options.Temperature, _options.ProjectionDimension,
            _options.QueueSize,
            _options.Momentum);
}
