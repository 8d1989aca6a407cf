using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// The hybrid: SCARF's contrast shapes the embedding, masked cells make it carry the row, in one step.
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
/// Weighted sum of SCARF's loss (arXiv:2106.15147) and that of masked cells on one encoder, each reported as its own term.
/// ]]></format>
/// </remarks>
/// <seealso cref="MaskedCellsTrainer"/>
public sealed class ContrastiveMaskedCellsTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal ContrastiveMaskedCellsTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(ContrastiveMaskedCellsTrainer), options, TabularEncoders.Mlp())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const float CorruptionRate = 0.6f;
        public const float Temperature = 0.2f;
        public const float MaskRatio = 0.3f;
        public const float ContrastiveWeight = 1;
        public const float MaskedWeight = 1;
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedCellsTrainer"/>.</summary>
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

        /// <summary>Share of the cells that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        /// <summary>Weight of the contrastive term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        public float ContrastiveWeight { get; set; } = Defaults.ContrastiveWeight;

        /// <summary>Weight of the masked-cell term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        public float MaskedWeight { get; set; } = Defaults.MaskedWeight;

        internal override int MinimumBatchSize => 2;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Require(CorruptionRate > 0 && CorruptionRate <= 1, nameof(CorruptionRate), "must be greater than 0 and at most 1",
                CorruptionRate);
            faults.Positive(Temperature);
            faults.Between(MaskRatio, 0, 1);
            faults.NotNegative(ContrastiveWeight);
            faults.NotNegative(MaskedWeight);
            if (ContrastiveWeight == 0 && MaskedWeight == 0)
                faults.Add(nameof(MaskedWeight), "ContrastiveWeight and MaskedWeight must not both be 0: nothing would be learnt.");
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new ContrastiveMaskedCells(encoder, streams, _options.CorruptionRate, _options.Temperature, _options.MaskRatio,
            _options.ContrastiveWeight, _options.MaskedWeight);
}
