using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on table rows with SCARF: a row and its copy with most cells replaced attract each other, all other rows of the batch repel.
/// </summary>
/// <remarks>
/// Bahri et al., "SCARF", 2022 (arXiv:2106.15147): InfoNCE between a row and a copy in which a share of the cells is drawn from the
/// columns' marginals, through a head that is thrown away after training. Deviations: both directions of the loss are averaged, the
/// marginals are those of the batch, and the temperature is 0.2 instead of 1, which separates the classes of numeric tables better; the
/// paper's 1 suits tables with categories. N rows, D the embedding dimension.
/// </remarks>
/// <seealso cref="ContrastiveMaskedCellsTrainer"/>
public sealed class ScarfTrainer : TabularPretrainingTrainer
{
    internal ScarfTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.Mlp())
    {
    }

    /// <summary>Settings of <see cref="ScarfTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced by draws from their columns' marginals. In (0, 1].</summary>
        /// <value>The default value is 0.6.</value>
        [OptionRange(Above = 0, Maximum = 1)]
        public float CorruptionRate { get; set; } = 0.6f;

        /// <summary>
        /// Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0. SCARF's paper has 1, which
        /// suits tables
        /// with columns of categories.
        /// </summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.2f;

        /// <summary>
        /// Rows that the encoder embeds at once in training, where a step has more: its loss still compares all of them, in the memory of so many, for
        /// about half as much time again. Null embeds all of a step at once. At least 1.
        /// </summary>
        /// <remarks>
        /// Gradient caching: Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021 (arXiv:2101.06983).
        /// </remarks>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>Makes the corrupted copy of the rows; null takes swaps at the rate of <see cref="CorruptionRate"/>.</summary>
        public TableView? View { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Contrast of a row with a corrupted copy of itself: a share of the cells is replaced by draws from their columns' marginals, and
    // the two embeddings shall be closer than those of different rows.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly TableProjectionHead _projection;

        private readonly RandomStreams _streams;
        private readonly TableView _view;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("Scarf", encoder)
        {
            _options = options;
            _encoder = encoder;
            _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
            _streams = streams;
            _view = options.View ?? new MarginalSwap(options.CorruptionRate);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var step = Contrast(_encoder, _projection, Column<TableBatch>(columns), _view, _streams, _options.Temperature, _options.EncoderBatchSize);
            return step with { Terms = [step.Terms[1]] };
        }

        /// <summary>The contrast of rows with corrupted copies of themselves.</summary>
        /// <param name="encoder">Embeds them.</param>
        /// <param name="projection">Between embeddings and loss.</param>
        /// <param name="rows">N rows.</param>
        /// <param name="view">Makes the copies.</param>
        /// <param name="streams">What is drawn.</param>
        /// <param name="temperature">Of the loss.</param>
        /// <param name="part">Rows embedded at once; null for all.</param>
        /// <param name="weight">Of the loss.</param>
        internal static StepLoss Contrast(TabularEncoder encoder, TableProjectionHead projection, TableBatch rows, TableView view, RandomStreams streams,
            float temperature, int? part, float weight = 1)
        {
            var corrupted = view.Apply(rows, streams.Views);                    // cells of the whole batch, also where it is embedded in parts
            return GradientCache.Compute(rows.Count, part ?? rows.Count, streams, Embed, Compare);

            // The rows and their copies, [N, D] twice: the encoder runs once.
            Tensor[] Embed(long first, long count) => encoder.call(TableBatch.Concatenate(rows.Part(first, count), corrupted.Part(first, count))).chunk(2);

            StepLoss Compare(Tensor[] embeddings)
            {
                var logits = InfoNceLoss.Logits(projection.call(cat(embeddings)), temperature);         // of [2N, D]: [N, N]
                var loss = InfoNceLoss.FromLogits(logits);
                return new StepLoss(weight == 1 ? loss : loss.mul(Number(weight)),
                    [("contrastive", loss.detach()), ("accuracy", InfoNceLoss.Accuracy(logits))], embeddings[0].detach());
            }
        }
    }
}
