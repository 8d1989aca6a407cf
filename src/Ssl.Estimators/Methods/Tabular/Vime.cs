using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// VIME: some cells are replaced by those of other rows; the encoder learns to tell which cells were changed (mask estimation) and what
/// they were (feature estimation).
/// </summary>
/// <remarks>
/// <para>
/// Yoon et al., "VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain", 2020 (NeurIPS). Deviations:
/// categories are told by cross entropy, not by the squared error of their one-hot codes, and the second, semi-supervised part is left to
/// fine-tuning. As there, a cell that was replaced by an equal one counts as unchanged. N rows, C numbers, K categories, D the embedding
/// dimension.
/// </para>
/// </remarks>
public sealed class Vime : PretrainingMethod, IReconstructsCells
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "mask")]
    private readonly Linear _mask;

    [ComponentName(Name = "cells")]
    private readonly CellHead _head;

    private readonly MarginalSwap _view;
    private readonly RandomStreams _streams;
    private readonly double _featureWeight;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The heads' weights come from <see cref="RandomStreams.Weights"/>, corruption from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="corruptionRate">Share of the cells replaced. Greater than 0, less than 1.</param>
    /// <param name="featureWeight">Weight of feature estimation; mask estimation has 1. At least 0.</param>
    public Vime(TabularEncoder encoder, RandomStreams streams, double corruptionRate = 0.3, double featureWeight = 2)
        : base(nameof(Vime), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Between(corruptionRate, 0, 1).NotNegative(featureWeight).ThrowIfAny();
        _encoder = encoder;
        _view = new MarginalSwap(corruptionRate);
        _mask = Initialization.Linear(encoder.EmbeddingDimension, encoder.Layout.CellCount, streams.Weights);
        _head = CellHead.Create(encoder, streams);
        _streams = streams;
        _featureWeight = featureWeight;
        RegisterComponents();
    }

    CellHead IReconstructsCells.Head => _head;

    double? IReconstructsCells.HiddenShare => null;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var corrupted = _view.Apply(rows, _streams.Views);
        var (embeddings, cells) = _head.Run(_encoder, corrupted);                                   // [N, D]
        var changed = Changed(rows, corrupted).to(embeddings.dtype);                                // [N, C + K]
        var scores = _mask.call(embeddings);                                                        // [N, C + K]
        var mask = nn.functional.binary_cross_entropy_with_logits(scores, changed);
        var features = _head.Loss(cells, rows, rows.Missing.logical_not(), rows.MissingCodes.logical_not());
        var accuracy = scores.detach().gt(Number(0)).eq(changed.gt(Number(0))).to(ScalarType.Float32).mean();
        return new StepLoss(mask.add(features * Number(_featureWeight), One),
            [("mask", mask.detach()), ("features", features.detach()), ("mask-accuracy", accuracy)], embeddings.detach());
    }

    private static Tensor Changed(TableBatch rows, TableBatch corrupted)
    {
        var numbers = rows.Numbers.ne(corrupted.Numbers).logical_or(rows.Missing.ne(corrupted.Missing));
        return cat([numbers, rows.Codes.ne(corrupted.Codes)], 1);
    }
}
