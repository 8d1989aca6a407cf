using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on time series with masked patches: some stretches of a series are hidden, a transformer rebuilds them from the others.
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
/// Nie et al., "A Time Series is Worth 64 Words" (PatchTST), 2023 (arXiv:2211.14730), its self-supervised form: patches that do not overlap,
/// mean squared error of the hidden values. Deviations: `docs/numerics.md`. Judge it by fine-tuning rather than by its frozen embedding.
/// ]]></format>
/// </remarks>
/// <seealso cref="Ts2VecTrainer"/>
public sealed class MaskedPatchesTrainer : TimeSeriesPretrainingTrainer
{
    private readonly Options _options;

    internal MaskedPatchesTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(MaskedPatchesTrainer), options, TimeSeriesEncoders.PatchTransformer(), needsPatches: true)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 32;
        public const int NumberOfEpochs = 50;
        public const double LearningRate = 1e-3;
        public const float MaskRatio = 0.4f;
    }

    /// <summary>Settings of <see cref="MaskedPatchesTrainer"/>.</summary>
    public sealed class Options : TimeSeriesPretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }

        /// <summary>Share of a series' patches that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.4.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
        }
    }

    private protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new MaskedPatches(encoder, streams, _options.MaskRatio);
}
