using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// Sketched isotropic Gaussian regularization: how far embeddings are from a standard normal distribution, seen along random directions.
/// </summary>
/// <remarks>
/// Balestriero and LeCun, "LeJEPA", 2025 (arXiv:2511.08544), section 4 and its code: along each direction the test statistic of Epps and
/// Pulley (1983), N times the squared distance of the characteristic functions of the N projections and of the normal distribution,
/// weighted by exp(-t^2 / 2), summed by the trapezoidal rule over 17 points t from -5 to 5; the mean over the directions. The integrand is
/// the same for t and -t, so 9 points are computed.
/// </remarks>
public static class SigReg
{
    /// <summary>The largest t of the integral.</summary>
    public const double Limit = 5;

    /// <summary>Points of the integral, evenly from minus <see cref="Limit"/> to <see cref="Limit"/>.</summary>
    public const int Knots = 17;

    /// <summary>The statistic of embeddings, the mean over directions.</summary>
    /// <param name="embeddings">[N, D].</param>
    /// <param name="directions">[D, M]: the columns are brought to length 1 here.</param>
    /// <returns>A scalar, at least 0; near 0 for many rows from a standard normal distribution.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] and [D, M].</exception>
    public static Tensor Compute(Tensor embeddings, Tensor directions)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(directions);
        if (embeddings.dim() != 2 || directions.dim() != 2 || directions.shape[0] != embeddings.shape[1] || embeddings.shape[0] == 0
            || directions.shape[1] == 0)
        {
            throw new ArgumentException($"Embeddings [N, D] and directions [D, M] are needed, got [{string.Join(", ", embeddings.shape)}] "
                + $"and [{string.Join(", ", directions.shape)}].", nameof(directions));
        }
        using var scope = NewDisposeScope();
        const int half = (Knots - 1) / 2;
        const double step = Limit / half;
        var projections = embeddings.mm(directions / directions.norm(0, keepdim: true).clamp_min(Number(1e-12)));   // [N, M]
        var sum = zeros(directions.shape[1], dtype: embeddings.dtype, device: embeddings.device);
        // At t = 0 both functions are 1. Every other point stands for itself and its mirror image, the last for half an interval each.
        for (int k = 1; k <= half; k++)
        {
            double t = k * step, normal = Math.Exp(-t * t / 2);
            var angles = projections.mul(Number(t));                                                                // [N, M]
            var real = angles.cos().mean([0L]);                                                                     // [M]
            var imaginary = angles.sin().mean([0L]);
            (real, imaginary) = (Ranks.AverageOfRows(real).add(Number(-normal), One), Ranks.AverageOfRows(imaginary));
            var distance = real.mul(real).add(imaginary.mul(imaginary), One);
            sum = sum.add(distance, Number((k < half ? 2 : 1) * step * normal));
        }
        return sum.mean().mul(Number(Ranks.Total(embeddings.shape[0]))).MoveToOuterDisposeScope();
    }
}
