using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a text encoder as BERT does: some tokens are hidden, the encoder predicts them from the others.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | Text | the text to learn from and, later, to embed |
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
/// Devlin et al., "BERT", 2019 (arXiv:1810.04805): 15 % of
/// the tokens are chosen anew in every step, 80 % of them masked, 10 % replaced by a random token, 10 % kept; the loss counts the chosen
/// ones only; output weights are tied to the token embeddings. No next-sentence task. Mean-pooled embeddings of a short training are
/// poor sentence vectors: fine-tune, or use SimCSE or pairs when you need embeddings.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class MaskedLanguageModelTrainer : TextPretrainingTrainer
{
    private readonly Options _options;

    internal MaskedLanguageModelTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(MaskedLanguageModelTrainer), options, TextEncoders.Transformer())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 128;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 1e-3;
        public const float MaskRatio = 0.15f;
    }

    /// <summary>Settings of <see cref="MaskedLanguageModelTrainer"/>.</summary>
    public sealed class Options : TextPretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }

        /// <summary>
        /// Share of the tokens that are chosen for prediction; of these 80 % are masked, 10 % replaced, 10 % kept. In (0, 1).
        /// </summary>
        /// <value>The default value is 0.15.</value>
        public float MaskRatio { get; set; } = Defaults.MaskRatio;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
        }
    }

    private protected override bool GroupByLength => true;

    private protected override PretrainingMethod CreateMethod(TextEncoder encoder, WordPieceTokenizer tokenizer, RandomStreams streams)
        => new MaskedLanguageModel(encoder, tokenizer.Vocabulary, streams, _options.MaskRatio);
}
