using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// The hybrid: a contrastive term shapes the embedding, a masked-token term shapes the token vectors, in one step.
/// </summary>
/// <remarks>
/// Weighted sum of the SimCSE loss (arXiv:2104.08821) and the masked-language-model loss (arXiv:1810.04805) on one encoder, each
/// reported as its own term. The loss is the weighted sum of the two, each reported by name. A term with weight 0 is not computed. N
/// texts, L places, M chosen tokens, D the embedding dimension, V the vocabulary.
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class ContrastiveMaskedTrainer : TextPretrainingTrainer
{
    internal ContrastiveMaskedTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Transformer())
    {
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedTrainer"/>.</summary>
    public sealed class Options()
        : ContrastiveTextOptions(batchSize: 64, numberOfEpochs: 5, learningRate: 1e-3, temperature: 0.05f, tokenDeletion: 0.3f)
    {
        /// <summary>
        /// Share of the tokens that are chosen for prediction; of these 80 % are masked, 10 % replaced, 10 % kept. In (0, 1).
        /// </summary>
        /// <value>The default value is 0.15.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.15f;

        /// <summary>Weight of the contrastive term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float ContrastiveWeight { get; set; } = 1;

        /// <summary>Weight of the masked-token term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MaskedWeight { get; set; } = 1;

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            if (ContrastiveWeight == 0 && MaskedWeight == 0)
                faults.Add(nameof(MaskedWeight), "ContrastiveWeight and MaskedWeight must not both be 0: nothing would be learned.");
        }
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, tokenizer.Vocabulary, streams, (Options)Settings, ((Options)Settings).CreateView(tokenizer));

    // The hybrid: SimCse's contrast shapes the text's embedding while MaskedLanguageModel's prediction shapes the tokens' vectors, in
    // one step.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly TextEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionHead _projection;

        [ComponentName(Name = "predictions")]
        private readonly MaskedTokenHead _head;

        private readonly RandomStreams _streams;
        private readonly TextView? _view;
        private readonly TokenMasker _masker;
        private readonly Options _options;

        public Method(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, Options options,
            TextView? view = null) : base("ContrastiveMasked", encoder)
        {
            _options = options;
            MaskedLanguageModelTrainer.Method.RequireContext(encoder);
            _encoder = encoder;
            _streams = streams;
            _view = view;
            _masker = new TokenMasker(vocabulary, options.MaskRatio);
            _projection = new ProjectionHead(encoder.EmbeddingDimension, streams);
            _head = new MaskedTokenHead(encoder.TokenDimension, encoder.TokenEmbeddings.shape[0], streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        protected internal override bool ViewsComeFromDropout => true;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var texts = Column<TokenBatch>(columns);
            return StepLoss.Sum(_options.ContrastiveWeight > 0 ? Contrast(texts) : null, _options.MaskedWeight > 0
                ? MaskedLanguageModelTrainer.Method.Predict(_encoder, _head, _masker, texts, _streams, _options.EncoderBatchSize, _options.MaskedWeight) : null);
        }

        private StepLoss Contrast(TokenBatch texts)
        {
            var contrast = SimCseTrainer.Method.Contrast(_encoder, _projection, texts, _view, _streams, _options, _options.ContrastiveWeight);
            return contrast with { Terms = [contrast.Terms[0], ("contrastive-accuracy", contrast.Terms[1].Value)] };
        }
    }
}
