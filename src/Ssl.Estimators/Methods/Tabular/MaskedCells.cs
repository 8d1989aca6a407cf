using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Masked cells: some cells of a row are hidden, and the encoder learns to tell them from the others: the value of a number, the category
/// of a category.
/// </summary>
/// <remarks>
/// <para>
/// BERT's objective on tables, as in Gorishniy et al., 2021 (arXiv:2106.11959, the encoder) and Rubachev et al., "Revisiting Pretraining
/// Objectives for Tabular Deep Learning", 2022 (arXiv:2207.03208). A hidden cell looks like a missing one, so that missing values in later
/// rows are nothing new. N rows, C numbers, K categories.
/// </para>
/// </remarks>
public sealed class MaskedCells : PretrainingMethod, IReconstructsCells
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "cells")]
    private readonly CellHead _head;

    private readonly CellMasker _masker;
    private readonly RandomStreams _streams;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train; one with cells' vectors (<see cref="TabularEncoders.ColumnTransformer"/>) tells each
    /// cell from its own.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, masks from
    /// <see cref="RandomStreams.Masks"/>.</param>
    /// <param name="maskRatio">Share of the cells that are hidden. Between 0 and 1.</param>
    public MaskedCells(TabularEncoder encoder, RandomStreams streams, double maskRatio = 0.3) : base(nameof(MaskedCells), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        _encoder = encoder;
        _masker = new CellMasker(maskRatio);
        _head = CellHead.Create(encoder, streams);
        _streams = streams;
        RegisterComponents();
    }

    CellHead IReconstructsCells.Head => _head;

    double? IReconstructsCells.HiddenShare => _masker.MaskRatio;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var masked = _masker.Apply(rows, _streams.Masks);
        var (embeddings, cells) = _head.Run(_encoder, masked.Batch);
        var loss = _head.Loss(cells, rows, masked.Numbers, masked.Codes);
        return new StepLoss(loss, CellFigures.Of(cells, rows, masked.Numbers, masked.Codes), embeddings.detach());
    }
}

/// <summary>Figures of reconstruction that are worth showing.</summary>
internal static class CellFigures
{
    /// <summary>The share of categories told right and the mean squared error of numbers, of those cells that count.</summary>
    public static IReadOnlyList<(string Name, Tensor Value)> Of(CellPredictions cells, TableBatch rows, Tensor chosenNumbers,
        Tensor chosenCodes)
    {
        var figures = new List<(string Name, Tensor Value)>();
        if (rows.Numbers.shape[1] > 0)
        {
            var weights = chosenNumbers.to(rows.Numbers.dtype);
            var squares = (cells.Numbers.detach() - rows.Numbers).pow(Number(2)) * weights;
            figures.Add(("squared-error", squares.sum() / weights.sum().clamp_min(Number(1))));
        }
        if (rows.Codes.shape[1] > 0)
        {
            var weights = chosenCodes.to(cells.Logits.dtype);
            var scores = cells.Logits.detach();
            var hits = scores.gather(2, rows.Codes.unsqueeze(2)).squeeze(2).ge(scores.amax([2], keepdim: false)).to(weights.dtype);
            figures.Add(("accuracy", (hits * weights).sum() / weights.sum().clamp_min(Number(1))));
        }
        return figures;
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
