using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// The hybrid: a contrastive term shapes the embedding, a masked-token term shapes the token vectors, in one step.
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
/// Weighted sum of the SimCSE loss (arXiv:2104.08821) and the masked-language-model loss (arXiv:1810.04805) on one encoder, each reported
/// as its own term.
/// ]]></format>
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class ContrastiveMaskedTrainer : TextPretrainingTrainer
{
    private readonly Options _options;

    internal ContrastiveMaskedTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(ContrastiveMaskedTrainer), options, TextEncoders.Transformer())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 64;
        public const int NumberOfEpochs = 5;
        public const double LearningRate = 1e-3;
        public const float Temperature = 0.05f;
        public const float TokenDeletion = 0.3f;
        public const float MaskRatio = 0.15f;
        public const float ContrastiveWeight = 1;
        public const float MaskedWeight = 1;
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedTrainer"/>.</summary>
    public sealed class Options : ContrastiveTextOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options() : base(Defaults.Temperature, Defaults.TokenDeletion)
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

        /// <summary>Weight of the contrastive term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        public float ContrastiveWeight { get; set; } = Defaults.ContrastiveWeight;

        /// <summary>Weight of the masked-token term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        public float MaskedWeight { get; set; } = Defaults.MaskedWeight;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Between(MaskRatio, 0, 1);
            faults.NotNegative(ContrastiveWeight);
            faults.NotNegative(MaskedWeight);
            if (ContrastiveWeight == 0 && MaskedWeight == 0)
                faults.Add(nameof(MaskedWeight), "ContrastiveWeight and MaskedWeight must not both be 0: nothing would be learnt.");
        }
    }

    private protected override PretrainingMethod CreateMethod(TextEncoder encoder, WordPieceTokenizer tokenizer, RandomStreams streams)
        => new ContrastiveMasked(
            encoder, tokenizer.Vocabulary, streams, _options.CreateView(tokenizer), _options.Temperature, _options.MaskRatio,
            _options.ContrastiveWeight, _options.MaskedWeight);
}
