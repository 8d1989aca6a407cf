using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a text encoder on pairs: the two texts of a row attract each other, all other rows of the batch repel.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | Text | one side of the pair; the side that is embedded later |
/// | pair | Text | the other side: an answer, a title, a description; read in training only |
/// | negative | Text | optional: what is like the other side and is not; read in training only |
/// | output | known-size vector of Single | the embedding |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No |
/// | Benefits from caching | No: tokens are kept in memory when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// One encoder embeds both sides; symmetric InfoNCE over the batch, as in van den Oord et al., "Representation Learning with
/// Contrastive Predictive Coding" (arXiv:1807.03748) and Radford et al., "Learning Transferable Visual Models From Natural
/// Language Supervision" (arXiv:2103.00020), with a fixed temperature. A share of the tokens of both sides is deleted at random.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class PairedContrastiveTrainer : TextPretrainingTrainer
{
    private readonly Options _options;

    internal PairedContrastiveTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(PairedContrastiveTrainer), options, TextEncoders.Bag())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const string PairColumnName = "Pair";
        public const int BatchSize = 1024;
        public const int NumberOfEpochs = 16;
        public const double LearningRate = 5e-3;
        public const float Temperature = 0.05f;
        public const float TokenDeletion = 0.2f;
    }

    /// <summary>Settings of <see cref="PairedContrastiveTrainer"/>.</summary>
    public sealed class Options : ContrastiveTextOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options() : base(Defaults.Temperature, Defaults.TokenDeletion)
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }

        /// <summary>Name of the text column with the other side of the pair. Its type is <c>Text</c>.</summary>
        /// <value>The default value is "Pair".</value>
        public string PairColumnName { get; set; } = Defaults.PairColumnName;

        /// <summary>
        /// Name of a text column with a hard negative for each row, as <c>ssl.MineHardNegatives</c> finds them: each row is repelled by its
        /// own one beside the others of the batch. Rows where it is empty are left out. Null for none.
        /// </summary>
        /// <value>The default value is null.</value>
        public string? NegativeColumnName { get; set; }

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.NotEmpty(PairColumnName);
            if (NegativeColumnName is not null)
                faults.NotEmpty(NegativeColumnName);
        }
    }

    private protected override IReadOnlyList<string> TrainingColumns => _options.NegativeColumnName is { } negative
        ? [_options.InputColumnName, _options.PairColumnName, negative] : [_options.InputColumnName, _options.PairColumnName];

    private protected override PretrainingMethod CreateMethod(TextEncoder encoder, WordPieceTokenizer tokenizer, RandomStreams streams)
        => new PairedContrastive(encoder, streams, _options.CreateView(tokenizer), _options.Temperature,
            hardNegatives: _options.NegativeColumnName is not null);
}
