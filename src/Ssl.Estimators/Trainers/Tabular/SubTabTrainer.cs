using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on table rows with SubTab: a row is seen through overlapping subsets of its columns, from each of which the whole row is told.
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
/// Ucar et al., "SubTab", 2021 (arXiv:2110.04361): reconstruction, contrast and distance between the subsets' projections, with swap noise.
/// Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="ScarfTrainer"/>
public sealed class SubTabTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal SubTabTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(SubTabTrainer), options, TabularEncoders.Mlp())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const int NumberOfSubsets = 4;
        public const float Overlap = 0.75f;
        public const float SwapRate = 0.15f;
        public const float Temperature = 0.1f;
    }

    /// <summary>Settings of <see cref="SubTabTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Subsets of the columns. At least 2.</summary>
        /// <value>The default value is 4.</value>
        public int NumberOfSubsets { get; set; } = Defaults.NumberOfSubsets;

        /// <summary>Share of a subset's own columns that it has from the next one as well. In [0, 1].</summary>
        /// <value>The default value is 0.75.</value>
        public float Overlap { get; set; } = Defaults.Overlap;

        /// <summary>Share of the cells that are replaced by those of other rows. In [0, 1).</summary>
        /// <value>The default value is 0.15.</value>
        public float SwapRate { get; set; } = Defaults.SwapRate;

        /// <summary>Divides cosine similarities. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        internal override int MinimumBatchSize => 2;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.AtLeast(NumberOfSubsets, 2);
            faults.InRange(Overlap, 0, 1);
            faults.InHalfOpenRange(SwapRate, 0, 1);
            faults.Positive(Temperature);
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new SubTab(encoder, streams, _options.NumberOfSubsets, _options.Overlap, _options.SwapRate, _options.Temperature);
}
