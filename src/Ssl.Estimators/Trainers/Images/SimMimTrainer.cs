using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a vision transformer with SimMIM: hidden patches are replaced by a learned vector and rebuilt by one linear layer.
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
/// Xie et al., "SimMIM: A Simple Framework for Masked Image Modeling", 2022 (arXiv:2111.09886): hidden patches are replaced by a learned vector, one
/// linear layer rebuilds their pixels. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="MaskedAutoencoderTrainer"/>
public sealed class SimMimTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal SimMimTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(SimMimTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 20;
        public const double LearningRate = 1e-3;
        public const double WeightDecay = 0.05;
        public const float MaskRatio = 0.6f;
    }

    /// <summary>Settings of <see cref="SimMimTrainer"/>.</summary>
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

        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.6.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
        }

        internal override int MinimumBatchSize => 1;
    }

    private protected override bool RequiresPatches => true;

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new SimMim(encoder, streams, _options.View, _options.MaskRatio);
}
