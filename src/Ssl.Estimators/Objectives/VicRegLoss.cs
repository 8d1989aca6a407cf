using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Variance-invariance-covariance regularization: like views, dimensions that vary, and that do so independently.</summary>
/// <remarks>
/// Bardes, Ponce, LeCun, "VICReg", 2022 (arXiv:2105.04906): mean squared distance of the views; hinge at 1 on each dimension's deviation;
/// squared covariances beside the diagonal, divided by D. Variance and covariance are halved over the two views, respectively added, as in
/// the paper's code.
/// </remarks>
public static class VicRegLoss
{
    private const double Epsilon = 1e-4;

    /// <summary>The three terms, unweighted.</summary>
    /// <param name="first">View one, [N, D] with N at least 2.</param>
    /// <param name="second">View two, [N, D].</param>
    /// <returns>Scalars, each at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice, or there is a single row.</exception>
    public static (Tensor Invariance, Tensor Variance, Tensor Covariance) Compute(Tensor first, Tensor second)
    {
        Contrastive.Pairs(first, second, 1);
        using var scope = NewDisposeScope();
        (first, second) = Ranks.Gather(first, second);
        Contrastive.SeveralRows(first);
        var invariance = (first - second).pow(Number(2)).mean();
        var (v1, c1) = Spread(first);
        var (v2, c2) = Spread(second);
        return (invariance.MoveToOuterDisposeScope(), v1.add(v2, One).div(Number(2)).MoveToOuterDisposeScope(), c1
            .add(c2, One).MoveToOuterDisposeScope());
    }

    private static (Tensor Variance, Tensor Covariance) Spread(Tensor z)
    {
        long n = z.shape[0], d = z.shape[1];
        var centered = z - z.mean([0L], keepdim: true);                                              // [N, D]
        var covariance = centered.t().mm(centered).div(Number(n - 1));                                        // [D, D]
        var diagonal = covariance.diagonal(0, 0, 1);                                                // [D]: variances
        var variance = diagonal.add(Number(Epsilon), One).sqrt().neg().add(Number(1), One).relu().mean();
        return (variance, (covariance.pow(Number(2)).sum() - diagonal.pow(Number(2)).sum()).div(Number(d)));
    }
}
