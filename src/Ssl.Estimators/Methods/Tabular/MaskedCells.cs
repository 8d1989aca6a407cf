using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on table rows with masked cells: some cells are hidden and told from the others.
/// </summary>
/// <remarks>
/// BERT's objective on the columns of a table: squared error of a hidden number (scaled), cross entropy of a hidden category. With a
/// column transformer (arXiv:2106.11959) each cell is told from its own vector, with other encoders from the row's. BERT's objective on
/// tables, as in Gorishniy et al., 2021 (arXiv:2106.11959, the encoder) and Rubachev et al., "Revisiting Pretraining Objectives for
/// Tabular Deep Learning", 2022 (arXiv:2207.03208). A hidden cell looks like a missing one, so that missing values in later rows are
/// nothing new. N rows, C numbers, K categories.
/// </remarks>
/// <seealso cref="ContrastiveMaskedCellsTrainer"/>
public sealed class MaskedCellsTrainer : TabularPretrainingTrainer
{
    internal MaskedCellsTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.ColumnTransformer())
    {
    }

    /// <summary>Settings of <see cref="MaskedCellsTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Share of the cells that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.3.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.3f;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Masked cells: some cells of a row are hidden, and the encoder learns to tell them from the others: the value of a number, the
    // category of a category.
    internal sealed class Method : PretrainingMethod, IReconstructsCells
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "cells")]
        private readonly CellHead _head;

        private readonly CellMasker _masker;
        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("MaskedCells", encoder)
        {
            _options = options;
            _encoder = encoder;
            _masker = new CellMasker(options.MaskRatio);
            _head = CellHead.Create(encoder, streams);
            _streams = streams;
            RegisterComponents();
        }

        CellHead IReconstructsCells.Head => _head;

        double? IReconstructsCells.HiddenShare => _masker.MaskRatio;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var rows = Column<TableBatch>(columns);
            var masked = _masker.Apply(rows, _streams.Masks);
            var (embeddings, cells) = _head.Run(_encoder, masked.Batch);
            var sums = CellSums.Of(cells, rows, masked.Numbers, masked.Codes);
            return new StepLoss(_head.Loss(sums), sums.Figures(_encoder.Layout), embeddings.detach());
        }
    }
}

/// <summary>A method that learns to tell cells, so that its error can serve as an anomaly score.</summary>
internal interface IReconstructsCells
{
    /// <summary>Tells the cells.</summary>
    CellHead Head { get; }

    /// <summary>Share of the cells that were hidden in training; null where all cells are told from whole rows.</summary>
    double? HiddenShare { get; }
}
