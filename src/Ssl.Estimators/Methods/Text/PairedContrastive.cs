using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains a text encoder on pairs: the two texts of a row attract each other, all other rows of the batch repel.
/// </summary>
/// <remarks>
/// One encoder embeds both sides; symmetric InfoNCE over the batch, as in van den Oord et al., "Representation Learning with
/// Contrastive Predictive Coding" (arXiv:1807.03748) and Radford et al., "Learning Transferable Visual Models From Natural Language
/// Supervision" (arXiv:2103.00020), with a fixed temperature. A share of the tokens of both sides is deleted at random. Henderson et
/// al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017 (arXiv:1705.00652); the symmetric loss as in Radford et
/// al., 2021 (arXiv:2103.00020). Both sides go through the same encoder; random deletion of tokens keeps it from learning single rare
/// words by heart. N pairs, D the embedding dimension.
/// </remarks>
/// <seealso cref="SimCseTrainer"/>
public sealed class PairedContrastiveTrainer : TextPretrainingTrainer
{
    internal PairedContrastiveTrainer(MLContext mlContext, Options options) : base(mlContext, options, TextEncoders.Bag())
    {
    }

    /// <summary>Settings of <see cref="PairedContrastiveTrainer"/>.</summary>
    public sealed class Options()
        : ContrastiveTextOptions(batchSize: 1024, numberOfEpochs: 16, learningRate: 5e-3, temperature: 0.05f, tokenDeletion: 0.2f)
    {
        /// <summary>Name of the text column with the other side of the pair. Its type is <c>Text</c>.</summary>
        /// <value>The default value is "Pair".</value>
        [NotEmpty]
        public string PairColumnName { get; set; } = ColumnNames.Pair;

        /// <summary>
        /// Name of a text column with a hard negative for each row, as <c>ssl.MineHardNegatives</c> finds them: each row is repelled by its
        /// own one beside the others of the batch. Rows where it is empty are left out. Null for none.
        /// </summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? NegativeColumnName { get; set; }

        /// <summary>
        /// From the second epoch on, rows that the encoder takes for each other are put into the same batch, so many side by side: each is a hard
        /// negative of the others, at no further cost but one pass over the rows an epoch. Needs all rows in memory. 1 leaves the order to chance.
        /// From 1 to 64.
        /// </summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 1, Maximum = 64)]
        public int HardNegativeGroupSize { get; set; } = 1;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> TrainingColumns
    {
        get
        {
            var options = (Options)Settings;
            string[] pair = [options.InputColumnName, options.PairColumnName];
            return options.NegativeColumnName is { } negative ? [.. pair, negative] : pair;
        }
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings, ((Options)Settings).CreateView(tokenizer));

    // Contrast of pairs: the two texts of a row (title and body, question and answer, summary and details) shall be closer than any
    // other two of the batch.
    internal sealed class Method : PretrainingMethod, IContrastsPairs
    {
        [ComponentName(Name = "encoder")]
        private readonly TextEncoder _encoder;

        private readonly RandomStreams _streams;
        private readonly TextView? _view;
        private readonly Options _options;
        private readonly int _columns;

        public Method(TextEncoder encoder, RandomStreams streams, Options options, TextView? view = null) : base("PairedContrastive",
            encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = view;
            _columns = options.NegativeColumnName is null ? 2 : 3;
            RegisterComponents();
        }

        /// <inheritdoc/>
        public int HardNegativeGroupSize => _options.HardNegativeGroupSize;

        /// <inheritdoc/>
        public (Tensor Anchors, Tensor Partners) EmbedPairs(IReadOnlyList<Batch> columns)
            => (_encoder.call(Column<TokenBatch>(columns, 0, _columns)), _encoder.call(Column<TokenBatch>(columns, 1, _columns)));

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            TokenBatch[] texts = [.. Enumerable.Range(0, _columns).Select(column => Column<TokenBatch>(columns, column, _columns))];
            return GradientCache.Compute(texts[0].Count, _options.EncoderBatchSize ?? texts[0].Count, _streams,
                (first, count) => [.. texts.Select(column => Embed(column.Part(first, count)))], Compare);          // [N, D] each
        }

        private StepLoss Compare(Tensor[] sides)
        {
            var (first, second) = (sides[0], sides[1]);
            var logits = InfoNceLoss.Logits(first, second, _options.Temperature);               // [N, N]
            var negatives = _columns < 3 ? null : InfoNceLoss.NegativeLogits(first, sides[2], _options.Temperature);   // [N, 1]
            var loss = InfoNceLoss.FromLogits(logits, negatives);
            return new StepLoss(loss, [("accuracy", InfoNceLoss.Accuracy(logits))], first.detach());
        }

        private Tensor Embed(TokenBatch texts)
            => _encoder.call(_view is null ? texts : _view.Apply(texts, _streams.Views));
    }
}
