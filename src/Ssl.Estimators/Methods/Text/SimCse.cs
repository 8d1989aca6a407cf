using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a sentence encoder with SimCSE: one text through two draws of dropout (and of token deletion) attracts itself and
/// repels the others of its batch.
/// </summary>
/// <remarks>
/// Gao, Yao, Chen, "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021 (arXiv:2104.08821): InfoNCE between two passes
/// with independent dropout, a projection that is thrown away after training. Deviation: a share of the tokens can be deleted from each
/// view, which an encoder that starts from random weights needs (`docs/numerics.md`). Deviations: both directions of the loss are
/// averaged, and tokens may be deleted as well, because dropout alone is a weak view for an encoder that does not start from a large
/// pretrained one. N texts, L places, D the embedding dimension.
/// </remarks>
/// <seealso cref="PairedContrastiveTrainer"/>
public sealed class SimCseTrainer : TextPretrainingTrainer
{
    internal SimCseTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Transformer())
    {
    }

    /// <summary>Settings of <see cref="SimCseTrainer"/>.</summary>
    public sealed class Options()
        : ContrastiveTextOptions(batchSize: 64, numberOfEpochs: 3, learningRate: 1e-3, temperature: 0.05f, tokenDeletion: 0.3f);

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings, ((Options)Settings).CreateView(tokenizer));

    // Contrast of a text with itself: it goes through the encoder twice, with other dropout and other deleted tokens, and the two
    // embeddings shall be closer than those of different texts.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly TextEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionHead _projection;

        private readonly RandomStreams _streams;
        private readonly TextView? _view;
        private readonly Options _options;

        public Method(TextEncoder encoder, RandomStreams streams, Options options, TextView? view = null) : base("SimCse", encoder)
        {
            _options = options;
            _encoder = encoder;
            _projection = new ProjectionHead(encoder.EmbeddingDimension, streams);
            _streams = streams;
            _view = view;
            RegisterComponents();
        }

        /// <inheritdoc/>
        protected internal override bool ViewsComeFromDropout => true;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var texts = Column<TokenBatch>(columns);
            var step = Contrast(_encoder, _projection, texts, _view, _streams, _options);
            return step with { Terms = [step.Terms[1]] };
        }

        /// <summary>The contrast of texts with themselves, seen twice.</summary>
        /// <param name="encoder">Embeds them.</param>
        /// <param name="projection">Between embeddings and loss.</param>
        /// <param name="texts">N texts.</param>
        /// <param name="view">Beside dropout; null for none.</param>
        /// <param name="streams">What is drawn.</param>
        /// <param name="options">Temperature, and how many are embedded at once.</param>
        /// <param name="weight">Of the loss.</param>
        internal static StepLoss Contrast(TextEncoder encoder, ProjectionHead projection, TokenBatch texts, TextView? view, RandomStreams streams,
            ContrastiveTextOptions options, float weight = 1)
        {
            return GradientCache.Compute(texts.Count, options.EncoderBatchSize ?? texts.Count, streams,
                (first, count) => encoder.call(Twice(texts.Part(first, count), view, streams)).chunk(2), Compare);      // [N, D] twice

            StepLoss Compare(Tensor[] halves)
            {
                var logits = InfoNceLoss.Logits(projection.call(cat(halves)), options.Temperature);    // of [2N, D]: [N, N]
                var loss = InfoNceLoss.FromLogits(logits);
                return new StepLoss(weight == 1 ? loss : loss.mul(Number(weight)),
                    [("contrastive", loss.detach()), ("accuracy", InfoNceLoss.Accuracy(logits))], halves[0].detach());
            }
        }

        /// <summary>The texts twice in one batch, so that the encoder runs once: dropout and view differ between the two.</summary>
        internal static TokenBatch Twice(TokenBatch texts, TextView? view, RandomStreams streams)
        {
            var both = new TokenBatch(texts.Ids.repeat(2, 1), texts.Mask.repeat(2, 1)); // [2N, L]
            return view is null ? both : view.Apply(both, streams.Views);
        }
    }
}
