using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a denoising autoencoder on table rows: some cells are replaced by those of other rows, and the clean row is told.
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
/// Vincent et al., 2008, with swap noise (Jahrer, 2017): squared error of scaled numbers, cross entropy of categories, over all cells.
/// ]]></format>
/// </remarks>
/// <seealso cref="MaskedCellsTrainer"/>
public sealed class DenoisingAutoencoderTrainer : TabularPretrainingTrainer
{
    private readonly Options _options;

    internal DenoisingAutoencoderTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(DenoisingAutoencoderTrainer), options, TabularEncoders.Mlp())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/>.</summary>
    internal static class Defaults
    {
        public const float SwapRate = 0.2f;
    }

    /// <summary>Settings of <see cref="DenoisingAutoencoderTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced. In (0, 1).</summary>
        /// <value>The default value is 0.2.</value>
        public float SwapRate { get; set; } = Defaults.SwapRate;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(SwapRate, 0, 1);
        }
    }

    private protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new DenoisingAutoencoder(encoder, streams, _options.SwapRate);
}
