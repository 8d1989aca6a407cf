using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Redundancy reduction: the correlation of the two views' dimensions shall be the identity.</summary>
/// <remarks>
/// Zbontar et al., "Barlow Twins", 2021 (arXiv:2103.03230): sum over the diagonal of (1 - c)^2 plus lambda times the sum of c^2 beside it,
/// with each dimension standardized over the batch (biased deviation, as batch normalization has it).
/// </remarks>
public static class BarlowTwinsLoss
{
    private const double Epsilon = 1e-5;

    /// <summary>The loss of a batch.</summary>
    /// <param name="first">View one, [N, D] with N at least 2; standardized here.</param>
    /// <param name="second">View two, [N, D].</param>
    /// <param name="offDiagonalWeight">Lambda: weight of the correlations between different dimensions. At least 0.</param>
    /// <returns>A scalar, at least 0; it grows with D.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice, or there is a single row.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double offDiagonalWeight = 0.0051)
    {
        Contrastive.Pairs(first, second, 1);
        using var scope = NewDisposeScope();
        (first, second) = Ranks.Gather(first, second);
        Contrastive.SeveralRows(first);
        var correlation = Standardize(first).t().mm(Standardize(second)).div(Number(first.shape[0]));       // [D, D]
        var diagonal = correlation.diagonal(0, 0, 1);                                               // [D]
        var own = diagonal.sub(Number(1)).pow(Number(2)).sum();
        var others = correlation.pow(Number(2)).sum() - diagonal.pow(Number(2)).sum();
        return own.add(others * Number(offDiagonalWeight), One).MoveToOuterDisposeScope();
    }

    private static Tensor Standardize(Tensor z)
    {
        var centered = z - z.mean([0L], keepdim: true);
        return centered / centered.pow(Number(2)).mean([0L], keepdim: true).add(Number(Epsilon), One).sqrt();
    }
}
