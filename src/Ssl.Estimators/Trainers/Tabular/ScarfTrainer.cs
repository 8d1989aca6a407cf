using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on table rows with SCARF: a row and its copy with most cells replaced attract each other, all other rows of the batch repel.
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
/// Bahri et al., "SCARF", 2022 (arXiv:2106.15147): InfoNCE between a row and a copy in which a share of the cells is drawn from the columns'
/// marginals, through a head that is thrown away after training. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="ContrastiveMaskedCellsTrainer"/>
public sealed class ScarfTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal ScarfTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(ScarfTrainer), options, TabularEncoders.Mlp())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const float CorruptionRate = 0.6f;
        public const float Temperature = 0.2f;
    }

    /// <summary>Settings of <see cref="ScarfTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced by draws from their columns' marginals. In (0, 1].</summary>
        /// <value>The default value is 0.6.</value>
        public float CorruptionRate { get; set; } = Defaults.CorruptionRate;

        /// <summary>
        /// Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0. SCARF's paper has 1, which suits tables
        /// with columns of categories.
        /// </summary>
        /// <value>The default value is 0.2.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        internal override int MinimumBatchSize => 2;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Require(CorruptionRate > 0 && CorruptionRate <= 1, nameof(CorruptionRate), "must be greater than 0 and at most 1",
                CorruptionRate);
            faults.Positive(Temperature);
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Scarf(encoder, streams, _options.CorruptionRate, _options.Temperature);
}
