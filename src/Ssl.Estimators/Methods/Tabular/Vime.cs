using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on table rows with VIME: some cells are replaced, and the encoder learns which ones were and what they had been.
/// </summary>
/// <remarks>
/// Yoon et al., "VIME", 2020: binary cross entropy of which cells were changed, plus the reconstruction of all cells. Deviations:
/// categories are told by cross entropy, not by the squared error of their one-hot codes, and the second, semi-supervised part is left
/// to fine-tuning. As there, a cell that was replaced by an equal one counts as unchanged. N rows, C numbers, K categories, D the
/// embedding dimension.
/// </remarks>
/// <seealso cref="DenoisingAutoencoderTrainer"/>
public sealed class VimeTrainer : TabularPretrainingTrainer
{
    internal VimeTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.Mlp())
    {
    }

    /// <summary>Settings of <see cref="VimeTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells of a row that are replaced. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float CorruptionRate { get; set; } = 0.3f;

        /// <summary>Weight of the reconstruction; that of telling the changed cells is 1. At least 0.</summary>
        /// <value>The default value is 2.</value>
        [OptionRange(Minimum = 0)]
        public float FeatureWeight { get; set; } = 2;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // VIME: some cells are replaced by those of other rows; the encoder learns to tell which cells were changed (mask estimation) and
    // what they were (feature estimation).
    internal sealed class Method : PretrainingMethod, IReconstructsCells
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "mask")]
        private readonly LinearLayer _mask;

        [ComponentName(Name = "cells")]
        private readonly CellHead _head;

        private readonly MarginalSwap _view;
        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("Vime", encoder)
        {
            _options = options;
            _encoder = encoder;
            _view = new MarginalSwap(options.CorruptionRate);
            _mask = Initialization.Linear(encoder.EmbeddingDimension, encoder.Layout.CellCount, streams.Weights);
            _head = CellHead.Create(encoder, streams);
            _streams = streams;
            RegisterComponents();
        }

        CellHead IReconstructsCells.Head => _head;

        double? IReconstructsCells.HiddenShare => null;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var rows = Column<TableBatch>(columns);
            var corrupted = _view.Apply(rows, _streams.Views);
            var (embeddings, cells) = _head.Run(_encoder, corrupted);                                   // [N, D]
            var changed = Changed(rows, corrupted).to(embeddings.dtype);                                // [N, C + K]
            var scores = _mask.Exact(embeddings);                                                       // [N, C + K]
            var mask = Ranks.Mean(nn.functional.binary_cross_entropy_with_logits(scores, changed, reduction: nn.Reduction.None));
            var features = _head.Loss(cells, rows, rows.Missing.logical_not(), rows.MissingCodes.logical_not());
            var accuracy = scores.detach().gt(Number(0)).eq(changed.gt(Number(0))).to(ScalarType.Float32).mean();
            return new StepLoss(mask.add(features * Number(_options.FeatureWeight), One),
                [("mask", mask.detach()), ("features", features.detach()), ("mask-accuracy", accuracy)], embeddings.detach());
        }

        private static Tensor Changed(TableBatch rows, TableBatch corrupted)
        {
            var numbers = rows.Numbers.ne(corrupted.Numbers).logical_or(rows.Missing.ne(corrupted.Missing));
            return cat([numbers, rows.Codes.ne(corrupted.Codes)], 1);
        }
    }
}
