using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Learns one space for images and texts, with an encoder for each.</summary>
public abstract class TwoTowerTrainer : ImageTextPretrainingTrainer
{
    private readonly TwoTowerOptions _options;

    private protected TwoTowerTrainer(MLContext mlContext, TwoTowerOptions options) : base(mlContext, options)
        => _options = (TwoTowerOptions)Settings;

    /// <inheritdoc/>
    protected sealed override int EmbeddingDimension => 2 * _options.ProjectionDimension;

    private protected sealed override (ImageEncoderFactory Images, TextEncoderFactory Texts, ImageTextNetwork Network) Encoders(ImageShape shape)
        => (ProjectedImageEncoderFactory.Of(_options.ImageEncoder ?? new ConvNetEncoderFactory(shape, numberOfStages: 4, width: 32), _options.ProjectionDimension),
            new ProjectedTextEncoderFactory(_options.TextEncoder ?? TextEncoders.Bag(), _options.ProjectionDimension), new TwoTowerNetwork());

    /// <inheritdoc/>
    protected sealed override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((TwoTowerEncoder)encoder, ((ImageTextRowFormat)format).Texts.Tokenizer.Vocabulary, streams);

    private protected abstract PretrainingMethod CreateMethod(TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams);

    // Contrast of images and texts: how each pair of the batch is judged is the derived method's.
    internal abstract class Method : ImageTextMethod, IContrastsPairs
    {
        [ComponentName(Name = "encoder")]
        private readonly TwoTowerEncoder _encoder;

        private readonly TokenDeletion? _deletion;
        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly TwoTowerOptions _options;

        private protected Method(string name, TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, TwoTowerOptions options)
            : base(name, encoder, options, (encoder.Images.Encoder, "image.encoder."), (encoder.Texts.Encoder, "text.encoder."))
        {
            (_encoder, _streams, _options) = (encoder, streams, options);
            _deletion = options.TokenDeletion == 0 ? null : new TokenDeletion(vocabulary, options.TokenDeletion);
            // No mirror, and nothing cut away: left and right, and what stands at the edge, may be in the text.
            _view = options.View ?? new RandomAffine();
        }

        /// <summary>The largest factor of the similarities, as its logarithm: beyond it a training becomes unstable (CLIP's 100).</summary>
        protected static double LargestLogitScale => Math.Log(100);

        /// <summary>The encoder, with the scale and shift of the logits that are learned.</summary>
        protected TwoTowerEncoder Towers => _encoder;

        /// <summary>Logits of all pairs of the batch: cosine similarities, scaled and shifted.</summary>
        /// <param name="similarities">[N, N], images by texts.</param>
        protected abstract Tensor Logits(Tensor similarities);

        /// <summary>The loss of <see cref="Logits"/>: a scalar.</summary>
        protected abstract Tensor Loss(Tensor logits);

        /// <inheritdoc/>
        public int HardNegativeGroupSize => _options.HardNegativeGroupSize;

        /// <inheritdoc/>
        public (Tensor Anchors, Tensor Partners) EmbedPairs(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageTextBatch>(columns);
            return (_encoder.Images.call(batch.Images), _encoder.Texts.call(batch.Texts));
        }

        /// <inheritdoc/>
        public sealed override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageTextBatch>(columns);
            return GradientCache.Compute(batch.Count, _options.EncoderBatchSize ?? batch.Count, _streams, Embed, Compare);

            Tensor[] Embed(long first, long count)
            {
                var part = batch.Part(first, count);
                var texts = _deletion?.Apply(part.Texts, _streams.Views) ?? part.Texts;
                return [_encoder.Images.call(_view.Apply(part.Images, _streams.Views)), _encoder.Texts.call(texts)];
            }
        }

        private StepLoss Compare(Tensor[] sides)
        {
            var logits = Logits(InfoNceLoss.Logits(sides[0], sides[1], temperature: 1));                // [N, N]
            return new StepLoss(Loss(logits), [("accuracy", InfoNceLoss.Accuracy(logits)), ("scale", _encoder.LogitScale.detach().exp())],
                sides[0].detach());
        }

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress) => _encoder.LogitScale.clamp_(max: Number(LargestLogitScale));
    }
}
