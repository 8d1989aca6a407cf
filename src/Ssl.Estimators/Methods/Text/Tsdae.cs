using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a sentence encoder with TSDAE: most tokens of a text are deleted, and from the embedding of the rest a decoder says the whole
/// text again.
/// </summary>
/// <remarks>
/// Wang, Reimers, Gurevych, "TSDAE: Using Transformer-based Sequential Denoising Auto-Encoder for Unsupervised Sentence Embedding Learning",
/// 2021 (arXiv:2104.06979): 60 % of the tokens deleted, the sentence's vector the only bridge between encoder and decoder. Deviations: the
/// decoder is one small block, tied to the encoder by its table of words only, so that it fits encoders of every kind; the vector is added
/// at every place, which is what attention to it alone amounts to. The mean over the tokens told again, of -log p.
/// </remarks>
/// <seealso cref="SentencePermutationTrainer"/>
/// <seealso cref="SimCseTrainer"/>
public sealed class TsdaeTrainer : TextPretrainingTrainer
{
    internal TsdaeTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Transformer())
    {
    }

    /// <summary>Settings of <see cref="TsdaeTrainer"/>.</summary>
    public sealed class Options() : TextReconstructionOptions(batchSize: 64, numberOfEpochs: 5, learningRate: 1e-3)
    {
        /// <summary>Share of the tokens deleted from what the encoder sees; one of a text always stays. In [0, 1).</summary>
        /// <value>The default value is 0.6.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float TokenDeletion { get; set; } = 0.6f;
    }

    /// <inheritdoc/>
    protected override bool GroupByLength => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, tokenizer.Vocabulary, streams, (Options)Settings);

    // The text without most of its tokens is embedded; from that vector a decoder says the whole text again.
    internal sealed class Method(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, Options options)
        : TextReconstructionMethod("Tsdae", encoder, streams, options,
            options.TokenDeletion == 0 ? null : new TokenDeletion(vocabulary, options.TokenDeletion));
}
