using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// The hybrid: SCARF's contrast shapes the embedding, masked cells make it carry the row, in one step.
/// </summary>
/// <remarks>
/// Weighted sum of SCARF's loss (arXiv:2106.15147) and that of masked cells on one encoder, each reported as its own term. The loss is
/// the weighted sum of the two, each reported by name; a term with weight 0 is not computed. N rows, D the embedding dimension.
/// </remarks>
/// <seealso cref="MaskedCellsTrainer"/>
public sealed class ContrastiveMaskedCellsTrainer : TabularPretrainingTrainer
{
    internal ContrastiveMaskedCellsTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.Mlp())
    {
    }

    /// <summary>Settings of <see cref="ContrastiveMaskedCellsTrainer"/>.</summary>
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

        /// <summary>Share of the cells that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.3f;

        /// <summary>Weight of the contrastive term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float ContrastiveWeight { get; set; } = 1;

        /// <summary>Weight of the masked-cell term. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MaskedWeight { get; set; } = 1;

        /// <inheritdoc cref="ScarfTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            if (ContrastiveWeight == 0 && MaskedWeight == 0)
                faults.Add(nameof(MaskedWeight), "ContrastiveWeight and MaskedWeight must not both be 0: nothing would be learned.");
        }
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // The hybrid: Scarf's contrast shapes the row's embedding while MaskedCells' prediction makes it carry the cells.
    internal sealed class Method : PretrainingMethod, IReconstructsCells
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly TableProjectionHead _projection;

        [ComponentName(Name = "cells")]
        private readonly CellHead _head;

        private readonly MarginalSwap _view;
        private readonly CellMasker _masker;
        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("ContrastiveMaskedCells", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _view = new MarginalSwap(options.CorruptionRate);
            _masker = new CellMasker(options.MaskRatio);
            _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
            _head = CellHead.Create(encoder, streams);
            RegisterComponents();
        }

        CellHead IReconstructsCells.Head => _head;

        double? IReconstructsCells.HiddenShare => _masker.MaskRatio;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var rows = Column<TableBatch>(columns);
            return StepLoss.Sum(_options.ContrastiveWeight > 0 ? Contrast(rows) : null, _options.MaskedWeight > 0 ? Tell(rows) : null);
        }

        private StepLoss Contrast(TableBatch rows)
        {
            var contrast = ScarfTrainer.Method.Contrast(_encoder, _projection, rows, _view, _streams, _options.Temperature, _options.EncoderBatchSize, _options.ContrastiveWeight);
            return contrast with { Terms = [contrast.Terms[0], ("contrastive-accuracy", contrast.Terms[1].Value)] };
        }

        private StepLoss Tell(TableBatch rows)
        {
            var masked = _masker.Apply(rows, _streams.Masks);
            return GradientCache.Compute(rows.Count, _options.EncoderBatchSize ?? rows.Count, _streams, Embed, Compare);

            Tensor[] Embed(long first, long count)
            {
                var (hidden, cells) = _head.Run(_encoder, masked.Batch.Part(first, count));
                return [.. CellSums.Of(cells, rows.Part(first, count), masked.Numbers.narrow(0, first, count), masked.Codes.narrow(0, first, count)).Tensors(), hidden];
            }

            StepLoss Compare(Tensor[] tensors)
            {
                var sums = CellSums.Of(tensors);
                var loss = _head.Loss(sums);
                return new StepLoss(loss * Number(_options.MaskedWeight), [("masked", loss.detach()), .. sums.Figures(_encoder.Layout)], tensors[^1].detach());
            }
        }
    }
}
