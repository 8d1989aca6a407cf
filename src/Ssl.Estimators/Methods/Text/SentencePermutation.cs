using Microsoft.ML;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a text encoder by denoising the order of sentences: they are shuffled, and from the embedding of the shuffled text a decoder
/// says it again in its order.
/// </summary>
/// <remarks>
/// The sentence permutation of Lewis et al., "BART: Denoising Sequence-to-Sequence Pre-training for Natural Language Generation,
/// Translation, and Comprehension", 2020 (arXiv:1910.13461), section 2.2, with TSDAE's bridge (arXiv:2104.06979): the decoder sees one
/// vector a text in place of all token vectors, so that what it needs gets into the embedding. For texts of several sentences: of those of
/// one nothing is shuffled.
/// </remarks>
/// <seealso cref="TsdaeTrainer"/>
public sealed class SentencePermutationTrainer : TextPretrainingTrainer
{
    internal SentencePermutationTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Transformer())
    {
    }

    /// <summary>Settings of <see cref="SentencePermutationTrainer"/>.</summary>
    public sealed class Options() : TextReconstructionOptions(batchSize: 64, numberOfEpochs: 5, learningRate: 1e-3);

    /// <inheritdoc/>
    protected override bool GroupByLength => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings, CreateView(tokenizer));

    internal static SentenceReordering CreateView(TextTokenizer tokenizer)
    {
        if (tokenizer.SentenceEnds.Count == 0)
        {
            throw new InvalidOperationException("None of \".\", \"!\" and \"?\" is a token of its own, so that no text has two sentences to "
                + "shuffle. Give texts with such marks, name the marks in RequiredWords, or use ssl.Text.Tsdae.");
        }
        return new SentenceReordering(tokenizer.Vocabulary, tokenizer.SentenceEnds);
    }

    // The text with its sentences shuffled is embedded; from that vector a decoder says it again in its order.
    internal sealed class Method(TextEncoder encoder, RandomStreams streams, Options options, TextView? view = null)
        : TextReconstructionMethod("SentencePermutation", encoder, streams, options, view);
}
