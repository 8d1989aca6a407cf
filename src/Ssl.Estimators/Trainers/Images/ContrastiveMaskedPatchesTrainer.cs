using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// The hybrid: a contrastive term shapes the image's embedding, a masked term the vectors of its patches, in one step.
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
/// Weighted sum of the SimCLR loss (arXiv:2002.05709) and the masked-autoencoder loss (arXiv:2111.06377) on one encoder, each reported as its own term.
/// ]]></format>
/// </remarks>
/// <seealso cref="MaskedAutoencoderTrainer"/>
public sealed class ContrastiveMaskedPatchesTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal ContrastiveMaskedPatchesTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(ContrastiveMaskedPatchesTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 20;
        public const double LearningRate = 1e-3;
        public const double WeightDecay = 0.05;
        public const float Temperature = 0.2f;
        public const float MaskRatio = 0.75f;
        public const float ContrastiveWeight = 1;
        public const float MaskedWeight = 1;
        public const int ProjectionDimension = 128;
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedPatchesTrainer"/>.</summary>
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

        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.75.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        /// <summary>Weight of the contrastive term. At least 0; not both 0.</summary>
        /// <value>The default value is 1.</value>
        public float ContrastiveWeight { get; set; } = Defaults.ContrastiveWeight;

        /// <summary>Weight of the masked term. At least 0; not both 0.</summary>
        /// <value>The default value is 1.</value>
        public float MaskedWeight { get; set; } = Defaults.MaskedWeight;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        public int ProjectionDimension { get; set; } = Defaults.ProjectionDimension;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.Between(MaskRatio, 0, 1);
            faults.NotNegative(ContrastiveWeight);
            faults.NotNegative(MaskedWeight);
            faults.Require(ContrastiveWeight != 0 || MaskedWeight != 0, nameof(MaskedWeight),
                "must not be 0 together with ContrastiveWeight", MaskedWeight);
            faults.AtLeast(ProjectionDimension, 1);
        }
    }

    private protected override bool RequiresPatches => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new ContrastiveMaskedPatches(encoder, streams, _options.View, _options.Temperature, _options.MaskRatio,
            _options.ContrastiveWeight,
            _options.MaskedWeight, _options.ProjectionDimension);
}
