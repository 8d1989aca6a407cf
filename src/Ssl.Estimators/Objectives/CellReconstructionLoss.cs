using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>How well cells of a table are told: squared error of a scaled number, cross entropy of a category.</summary>
/// <remarks>
/// The mean over the chosen cells, numbers and categories alike. A number told as its column's mean costs about 1, a category told as
/// uniform costs the logarithm of the number of entries. N rows, C numbers, K categories, M the most entries of one.
/// </remarks>
public static class CellReconstructionLoss
{
    /// <summary>The mean loss over all chosen cells.</summary>
    /// <param name="numbers">Predicted numbers, [N, C].</param>
    /// <param name="numberTargets">The numbers, [N, C].</param>
    /// <param name="chosenNumbers">Which count, bool [N, C].</param>
    /// <param name="logits">Scores of each category's entries, [N, K, M]; very low where a category has fewer than M.</param>
    /// <param name="codes">The entries, int64 [N, K].</param>
    /// <param name="chosenCodes">Which count, bool [N, K].</param>
    /// <returns>A scalar, at least 0; 0 where nothing is chosen.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Compute(Tensor numbers, Tensor numberTargets, Tensor chosenNumbers, Tensor logits, Tensor codes, Tensor chosenCodes)
    {
        using var scope = NewDisposeScope();
        var (sum, count) = RowSums(numbers, numberTargets, chosenNumbers, logits, codes, chosenCodes);
        return (sum.sum() / count.sum().clamp_min(1)).MoveToOuterDisposeScope();
    }

    /// <summary>For every row the sum of its chosen cells' losses and their number: what anomaly scores are made of.</summary>
    /// <inheritdoc cref="Compute"/>
    /// <returns>Sums and counts, [N] each.</returns>
    public static (Tensor Sums, Tensor Counts) RowSums(Tensor numbers, Tensor numberTargets, Tensor chosenNumbers, Tensor logits, Tensor codes,
        Tensor chosenCodes)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        ArgumentNullException.ThrowIfNull(numberTargets);
        ArgumentNullException.ThrowIfNull(chosenNumbers);
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(chosenCodes);
        if (numbers.dim() != 2 || !numbers.shape.SequenceEqual(numberTargets.shape) || !numbers.shape.SequenceEqual(chosenNumbers.shape)
            || logits.dim() != 3 || codes.dim() != 2 || !codes.shape.SequenceEqual(chosenCodes.shape)
            || !logits.shape.AsSpan(0, 2).SequenceEqual(codes.shape) || codes.shape[0] != numbers.shape[0])
        {
            throw new ArgumentException("Numbers, targets and chosen must be [N, C], logits [N, K, M], codes and chosen [N, K], got "
                + $"{Contrastive.Shape(numbers)}, {Contrastive.Shape(numberTargets)}, {Contrastive.Shape(chosenNumbers)}, "
                + $"{Contrastive.Shape(logits)}, {Contrastive.Shape(codes)} and {Contrastive.Shape(chosenCodes)}.", nameof(numbers));
        }
        using var scope = NewDisposeScope();
        var weights = chosenNumbers.to(numbers.dtype);                                                          // [N, C]
        var sums = ((numbers - numberTargets).square() * weights).sum(1);                                       // [N]
        var counts = weights.sum(1);                                                                            // [N]
        if (codes.shape[1] > 0)
        {
            var codeWeights = chosenCodes.to(numbers.dtype);                                                    // [N, K]
            var told = logits.gather(2, codes.unsqueeze(2)).squeeze(2);                                         // [N, K]
            sums = sums + ((logits.logsumexp(2) - told) * codeWeights).sum(1);
            counts = counts + codeWeights.sum(1);
        }
        return (sums.MoveToOuterDisposeScope(), counts.MoveToOuterDisposeScope());
    }
}
