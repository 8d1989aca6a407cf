using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What was told of the cells that count, column by column, in P parts of a batch: the sums of the parts are those of the batch.</summary>
/// <param name="Errors">Sums of the errors, [P, C + K].</param>
/// <param name="Counts">How many cells count, [P, C + K].</param>
/// <param name="Hits">How many categories are told right, detached, [P].</param>
internal readonly record struct CellSums(Tensor Errors, Tensor Counts, Tensor Hits)
{
    /// <summary>The sums of one part.</summary>
    /// <param name="told">What the head gave.</param>
    /// <param name="rows">The true cells.</param>
    /// <param name="numbers">Which numbers count, bool [N, C].</param>
    /// <param name="codes">Which categories count, bool [N, K].</param>
    public static CellSums Of(CellPredictions told, TableBatch rows, Tensor numbers, Tensor codes)
    {
        using var scope = NewDisposeScope();
        var (errors, counts) = CellReconstructionLoss.Sums(told.Numbers, rows.Numbers, numbers, told.Logits, rows.Codes, codes);
        return new CellSums(errors.unsqueeze(0).MoveToOuterDisposeScope(), counts.unsqueeze(0).MoveToOuterDisposeScope(),
            CountHits(told.Logits.detach(), rows.Codes, codes).MoveToOuterDisposeScope());
    }

    /// <summary>As <see cref="Tensors"/> gave them, of one part or of several, one after the other.</summary>
    public static CellSums Of(ReadOnlySpan<Tensor> tensors) => new(tensors[0], tensors[1], tensors[2]);

    /// <summary>The tensors, in the order of the constructor.</summary>
    public Tensor[] Tensors() => [Errors, Counts, Hits];

    /// <summary>Figures worth showing: the mean squared error of the numbers that count, the share of categories told right.</summary>
    /// <param name="layout">Of the rows.</param>
    /// <returns>Detached scalars; 0 where nothing counts.</returns>
    public IReadOnlyList<(string Name, Tensor Value)> Figures(TableLayout layout)
    {
        var figures = new List<(string Name, Tensor Value)>();
        int c = layout.NumericCount, k = layout.CategoricalCount;
        if (c > 0)
            figures.Add(("squared-error", Errors.detach().narrow(1, 0, c).sum() / Counts.detach().narrow(1, 0, c).sum().clamp_min(Number(1))));
        if (k > 0)
            figures.Add(("accuracy", Hits.detach().sum() / Counts.detach().narrow(1, c, k).sum().clamp_min(Number(1))));
        return figures;
    }

    // [1]. Cheaper than argmax; a tie counts as a hit.
    private static Tensor CountHits(Tensor logits, Tensor codes, Tensor counted) => codes.shape[1] == 0
        ? zeros(1, dtype: ScalarType.Float32, device: codes.device)
        : logits.gather(2, codes.unsqueeze(2)).squeeze(2).ge(logits.amax([2], keepdim: false)).logical_and(counted).sum().to(ScalarType.Float32).view(1);
}
