using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on time series with TS2Vec: two overlapping stretches of a series are encoded alike where they overlap, on every scale.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | vector of Single, of one length or of differing lengths | a series, channel by channel; NaN where a value is missing |
/// | output | known-size vector of Single | the embedding of the series, or one vector a step (`PerTimestamp`) |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No: channels are standardised inside |
/// | Benefits from caching | No: values are kept in memory when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes, with the scale of the channels |
///
/// ### Algorithm
/// Yue et al., "TS2Vec: Towards Universal Representation of Time Series", 2022 (arXiv:2106.10466): hierarchical contrast between series and
/// between timestamps, with hidden timestamps and random crops as the views. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="TemporalContextualContrastTrainer"/>
public sealed class Ts2VecTrainer : TimeSeriesPretrainingTrainer
{
    private readonly Options _options;

    internal Ts2VecTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(Ts2VecTrainer), options, TimeSeriesEncoders.DilatedConvolution(), needsPatches: false)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 8;
        public const int NumberOfEpochs = 20;
        public const double LearningRate = 1e-3;
        public const float MaskRatio = 0.5f;
        public const float InstanceWeight = 0.5f;
        public const int MaximumCropLength = 512;
    }

    /// <summary>Settings of <see cref="Ts2VecTrainer"/>.</summary>
    public sealed class Options : TimeSeriesPretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }

        /// <summary>Share of the timestamps hidden from the encoder in training. In [0, 1).</summary>
        /// <value>The default value is 0.5.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        /// <summary>Weight of the comparison with other series; the rest is that with other timestamps. In [0, 1].</summary>
        /// <value>The default value is 0.5.</value>
        public float InstanceWeight { get; set; } = Defaults.InstanceWeight;

        /// <summary>
        /// Timestamps of a series that a training step looks at, at most: bounds memory, which grows with its square. At least 2.
        /// </summary>
        /// <value>The default value is 512.</value>
        public int MaximumCropLength { get; set; } = Defaults.MaximumCropLength;

        internal override int MinimumBatchSize => 2;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.InHalfOpenRange(MaskRatio, 0, 1);
            faults.InRange(InstanceWeight, 0, 1);
            faults.AtLeast(MaximumCropLength, 2);
        }
    }

    private protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new Ts2Vec(encoder, streams, _options.MaskRatio, _options.InstanceWeight, _options.MaximumCropLength);
}
