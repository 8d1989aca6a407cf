using Ssl.Estimators.Distributed;
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
    public static Tensor Compute(Tensor numbers, Tensor numberTargets, Tensor chosenNumbers, Tensor logits, Tensor codes,
        Tensor chosenCodes)
    {
        using var scope = NewDisposeScope();
        var (errors, counts) = Sums(numbers, numberTargets, chosenNumbers, logits, codes, chosenCodes);
        return OfSums(errors, counts).MoveToOuterDisposeScope();
    }

    /// <summary>What the loss is made of: for each column the sum of the errors of the chosen cells, and their number. Parts of a batch add up.</summary>
    /// <returns>[C + K] twice.</returns>
    internal static (Tensor Errors, Tensor Counts) Sums(Tensor numbers, Tensor numberTargets, Tensor chosenNumbers, Tensor logits, Tensor codes, Tensor chosenCodes)
    {
        using var scope = NewDisposeScope();
        var errors = PerCell(numbers, numberTargets, logits, codes);                                // [N, C + K]
        var weights = Weights(errors, chosenNumbers, chosenCodes);
        return ((errors * weights).sum(0L).MoveToOuterDisposeScope(), weights.sum(0L).MoveToOuterDisposeScope());
    }

    /// <summary>The mean over the chosen cells of all columns.</summary>
    internal static Tensor OfSums(Tensor errors, Tensor counts) => errors.sum() / Ranks.Average(counts.sum()).clamp_min(Number(1));

    /// <summary>The loss of every cell: what anomaly scores are made of.</summary>
    /// <param name="numbers">Predicted numbers, [N, C].</param>
    /// <param name="numberTargets">The numbers, [N, C].</param>
    /// <param name="logits">Scores of each category's entries, [N, K, M].</param>
    /// <param name="codes">The entries, int64 [N, K].</param>
    /// <returns>[N, C + K], at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor PerCell(Tensor numbers, Tensor numberTargets, Tensor logits, Tensor codes)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        ArgumentNullException.ThrowIfNull(numberTargets);
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(codes);
        if (numbers.dim() != 2 || !numbers.shape.SequenceEqual(numberTargets.shape) || logits.dim() != 3 || codes.dim() != 2
            || !logits.shape.AsSpan(0, 2).SequenceEqual(codes.shape) || codes.shape[0] != numbers.shape[0])
        {
            throw new ArgumentException("Numbers and targets must be [N, C], logits [N, K, M] and codes [N, K], got "
                + $"{Contrastive.Shape(numbers)}, {Contrastive.Shape(numberTargets)}, {Contrastive.Shape(logits)} and {Contrastive.Shape(codes)}.",
                nameof(numbers));
        }
        using var scope = NewDisposeScope();
        var squares = (numbers - numberTargets).pow(Number(2));                                           // [N, C]
        if (codes.shape[1] == 0)
            return squares.MoveToOuterDisposeScope();
        var told = logits.gather(2, codes.unsqueeze(2)).squeeze(2);                                 // [N, K]
        return cat([squares, logits.logsumexp(2) - told], 1).MoveToOuterDisposeScope();
    }

    private static Tensor Weights(Tensor errors, Tensor chosenNumbers, Tensor chosenCodes)
    {
        ArgumentNullException.ThrowIfNull(chosenNumbers);
        ArgumentNullException.ThrowIfNull(chosenCodes);
        long rows = errors.shape[0];
        return chosenNumbers.dim() == 2 && chosenCodes.dim() == 2 && chosenNumbers.shape[0] == rows && chosenCodes.shape[0] == rows
            && chosenNumbers.shape[1] + chosenCodes.shape[1] == errors.shape[1] ? cat([chosenNumbers, chosenCodes], 1).to(errors.dtype)     // [N, C + K]
            : throw new ArgumentException($"Chosen cells must be as many as the errors {Contrastive.Shape(errors)}, got "
                + $"{Contrastive.Shape(chosenNumbers)} and {Contrastive.Shape(chosenCodes)}.", nameof(chosenNumbers));
    }
}
