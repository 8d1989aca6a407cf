using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains a sentence encoder with SimCSE: one text through two draws of dropout (and of token deletion) attracts itself and
/// repels the others of its batch.
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
/// Gao, Yao, Chen, "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021 (arXiv:2104.08821): InfoNCE between two passes
/// with independent dropout, a projection that is thrown away after training. Deviation: a share of the tokens can be deleted
/// from each view, which an encoder that starts from random weights needs (`docs/numerics.md`).
/// ]]></format>
/// </remarks>
/// <seealso cref="PairedContrastiveTrainer"/>
public sealed class SimCseTrainer : TextPretrainingTrainer
{
    private readonly Options _options;

    internal SimCseTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(SimCseTrainer), options, TextEncoders.Transformer())
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 64;
        public const int NumberOfEpochs = 3;
        public const double LearningRate = 1e-3;
        public const float Temperature = 0.05f;
        public const float TokenDeletion = 0.3f;
    }

    /// <summary>Settings of <see cref="SimCseTrainer"/>.</summary>
    public sealed class Options : ContrastiveTextOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options() : base(Defaults.Temperature, Defaults.TokenDeletion)
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }
    }

    private protected override PretrainingMethod CreateMethod(TextEncoder encoder, WordPieceTokenizer tokenizer, RandomStreams streams)
        => new SimCse(encoder, streams, _options.CreateView(tokenizer), _options.Temperature);
}
