using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on table rows with VIME: some cells are replaced, and the encoder learns which ones were and what they had been.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | inputs | numbers, Boolean, Text, Key, known-size vectors of them | the cells to learn from and, later, to embed |
/// | output | known-size vector of Single | the embedding |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No: numbers are scaled, categories looked up, missing values indicated inside |
/// | Benefits from caching | No: cells are kept in memory when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes, with what was learnt of the columns |
///
/// ### Algorithm
/// Yoon et al., "VIME", 2020: binary cross entropy of which cells were changed, plus the reconstruction of all cells. Deviations:
/// `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="DenoisingAutoencoderTrainer"/>
public sealed class VimeTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal VimeTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(VimeTrainer), options, TabularEncoders.Mlp())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const float CorruptionRate = 0.3f;
        public const float FeatureWeight = 2;
    }

    /// <summary>Settings of <see cref="VimeTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        public float CorruptionRate { get; set; } = Defaults.CorruptionRate;

        /// <summary>Weight of the reconstruction; that of telling the changed cells is 1. At least 0.</summary>
        /// <value>The default value is 2.</value>
        public float FeatureWeight { get; set; } = Defaults.FeatureWeight;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(CorruptionRate, 0, 1);
            faults.NotNegative(FeatureWeight);
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Vime(encoder, streams, _options.CorruptionRate, _options.FeatureWeight);
}
