using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on table rows with masked cells: some cells are hidden and told from the others.
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
/// BERT's objective on the columns of a table: squared error of a hidden number (scaled), cross entropy of a hidden category. With a column
/// transformer (arXiv:2106.11959) each cell is told from its own vector, with other encoders from the row's.
/// ]]></format>
/// </remarks>
/// <seealso cref="ContrastiveMaskedCellsTrainer"/>
public sealed class MaskedCellsTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal MaskedCellsTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(MaskedCellsTrainer), options, TabularEncoders.ColumnTransformer())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const float MaskRatio = 0.3f;
    }

    /// <summary>Settings of <see cref="MaskedCellsTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new MaskedCells(encoder, streams, _options.MaskRatio);
}
