using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a text encoder as BERT does: some tokens are hidden, the encoder predicts them from the others.
/// </summary>
/// <remarks>
/// Devlin et al., "BERT", 2019 (arXiv:1810.04805): 15 % of the tokens are chosen anew in every step, 80 % of them masked, 10 % replaced
/// by a random token, 10 % kept; the loss counts the chosen ones only; output weights are tied to the token embeddings. No
/// next-sentence task. Mean-pooled embeddings of a short training are poor sentence vectors: fine-tune, or use SimCSE or pairs when you
/// need embeddings. Without next-sentence prediction. Output weights are tied to the token embeddings, and scores are computed for the
/// chosen tokens only. The vectors of tokens become aware of their context; the mean over a text is a poor sentence embedding after a
/// short training: fine-tune it, or use <see cref="SimCseTrainer"/>, <see cref="PairedContrastiveTrainer"/> or <see
/// cref="ContrastiveMaskedTrainer"/> for
/// embeddings. N texts, L places, M chosen tokens, T the token dimension, V the vocabulary.
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class MaskedLanguageModelTrainer : TextPretrainingTrainer
{
    internal MaskedLanguageModelTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Transformer())
    {
    }

    /// <summary>Settings of <see cref="MaskedLanguageModelTrainer"/>.</summary>
    public sealed class Options() : TextPretrainingOptions(batchSize: 128, numberOfEpochs: 10, learningRate: 1e-3)
    {
        /// <summary>
        /// Share of the tokens that are chosen for prediction; of these 80 % are masked, 10 % replaced, 10 % kept. In (0, 1).
        /// </summary>
        /// <value>The default value is 0.15.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.15f;
    }

    /// <inheritdoc/>
    protected override bool GroupByLength => true;

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, tokenizer.Vocabulary, streams, (Options)Settings);

    // Some tokens are hidden; the encoder learns to tell them from the others.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly TextEncoder _encoder;

        [ComponentName(Name = "predictions")]
        private readonly MaskedTokenHead _head;

        private readonly TokenMasker _masker;
        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams,
            Options options) : base("MaskedLanguageModel", encoder)
        {
            _options = options;
            RequireContext(encoder);
            _encoder = encoder;
            _masker = new TokenMasker(vocabulary, options.MaskRatio);
            _head = new MaskedTokenHead(encoder.TokenDimension, encoder.TokenEmbeddings.shape[0], streams);
            _streams = streams;
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var (loss, accuracy) = Predict(_encoder, _head, _masker, Column<TokenBatch>(columns), _streams);
            return new StepLoss(loss, [("accuracy", accuracy)]);
        }

        /// <summary>Hides tokens and predicts them: the loss, and the share that is predicted right.</summary>
        internal static (Tensor Loss, Tensor Accuracy) Predict(TextEncoder encoder, MaskedTokenHead head, TokenMasker masker, TokenBatch texts,
            RandomStreams streams) => Predict(masker, texts, streams, masked => Scores(encoder, head, masked));

        /// <summary>The same with scores from elsewhere.</summary>
        /// <param name="masker">Hides the tokens.</param>
        /// <param name="texts">N texts.</param>
        /// <param name="streams">What is drawn.</param>
        /// <param name="score">Scores of all tokens at the chosen places, [M, V].</param>
        internal static (Tensor Loss, Tensor Accuracy) Predict(TokenMasker masker, TokenBatch texts, RandomStreams streams, Func<MaskedTokens, Tensor> score)
        {
            var masked = Hide(masker, texts, streams);
            return MaskedCrossEntropyLoss.ComputeCounted(score(masked), masked.Targets, masked.Chosen);
        }

        /// <summary>Loss and accuracy, where texts are embedded in parts that memory is there for.</summary>
        /// <param name="encoder">Embeds them.</param>
        /// <param name="head">Scores tokens.</param>
        /// <param name="masker">Hides them.</param>
        /// <param name="texts">N texts.</param>
        /// <param name="streams">What is drawn.</param>
        /// <param name="part">Texts at once; null for all.</param>
        /// <param name="weight">Of the loss.</param>
        internal static StepLoss Predict(TextEncoder encoder, MaskedTokenHead head, TokenMasker masker, TokenBatch texts, RandomStreams streams, int? part, float weight)
        {
            var masked = Hide(masker, texts, streams);
            return GradientCache.Compute(texts.Count, part ?? texts.Count, streams, Tell, Compare);

            Tensor[] Tell(long first, long count)
            {
                var some = masked.Part(first, count);
                var (losses, hits, places) = MaskedCrossEntropyLoss.Sums(Scores(encoder, head, some), some.Targets, some.Chosen);
                return [losses, hits, places];
            }

            StepLoss Compare(Tensor[] sums)
            {
                var (loss, accuracy) = MaskedCrossEntropyLoss.OfSums(sums[0], sums[1], sums[2]);
                return new StepLoss(loss * Number(weight), [("masked", loss.detach()), ("masked-accuracy", accuracy)]);
            }
        }

        // Elsewhere than on the CPU nobody counts what is chosen.
        private static MaskedTokens Hide(TokenMasker masker, TokenBatch texts, RandomStreams streams) => texts.Ids.device_type == DeviceType.CPU
            ? masker.Apply(texts, streams.Masks) : masker.ApplyWithoutWaiting(texts, streams.Masks);

        /// <summary>Scores of all tokens at chosen places, in the order of <see cref="MaskedTokens.Positions"/>.</summary>
        /// <param name="masked">Texts with hidden tokens.</param>
        /// <returns>[M, V].</returns>
        public Tensor Predict(MaskedTokens masked)
        {
            ArgumentNullException.ThrowIfNull(masked);
            using var scope = NewDisposeScope();
            return Scores(_encoder, _head, masked).MoveToOuterDisposeScope();
        }

        internal static Tensor Scores(TextEncoder encoder, MaskedTokenHead head, MaskedTokens masked)
        {
            var tokens = encoder.EncodeTokens(masked.Batch).reshape(-1, encoder.TokenDimension);        // [N * L, T]
            return head.call(tokens.index_select(0, masked.Positions), encoder.TokenEmbeddings);        // [M, V]
        }

        internal static void RequireContext(TextEncoder encoder)
        {
            if (!encoder.IsContextual)
            {
                throw new ArgumentOutOfRangeException(nameof(encoder), "Masked tokens can only be predicted from their context, and "
                    + $"{encoder.GetName()} gives a token the same vector everywhere. Use TextEncoders.Transformer or an encoder of your own.");
            }
        }
    }
}
