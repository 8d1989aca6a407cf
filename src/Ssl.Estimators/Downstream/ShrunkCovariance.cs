using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// A covariance drawn towards a multiple of the identity: (1 - s) C + s m I with m the mean of its diagonal. As far as its own error asks
/// for: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
/// </summary>
internal static class ShrunkCovariance
{
    // Rounding must not leave a matrix that has no inverse.
    private const double Least = 1e-6;

    /// <summary>The share of the identity that Ledoit and Wolf take, at least 1e-6.</summary>
    /// <param name="sample">[D, D], divided by N.</param>
    /// <param name="fourth">Mean over the rows of the fourth power of their distance from the mean.</param>
    /// <param name="count">N.</param>
    public static double Share(Tensor sample, double fourth, long count)
    {
        using var scope = NewDisposeScope();
        var d = sample.shape[0];
        var scale = sample.diagonal(0, 0, 1).sum().Value<double>() / d;
        var squares = sample.pow(Number(2)).sum().Value<double>();
        var distance = (squares / d) - (scale * scale);                             // of the sample covariance from the sphere
        // Mean of |x x' - S|^2 over rows x is the mean of |x|^4 less |S|^2.
        var error = Math.Min(distance, (fourth - squares) / count / d);
        // Without scatter beyond a sphere there is nothing to keep.
        return distance > 0 ? Math.Clamp(error / distance, Least, 1) : 1;
    }

    /// <summary>The covariance with a share of the identity: [D, D] in the caller's dispose scope.</summary>
    /// <param name="sample">[D, D].</param>
    /// <param name="share">From 0 to 1.</param>
    public static Tensor Mix(Tensor sample, double share)
    {
        using var scope = NewDisposeScope();
        var d = sample.shape[0];
        var scale = sample.diagonal(0, 0, 1).sum().Value<double>() / d;
        return (sample * Number(1 - share)).add(eye(d, dtype: ScalarType.Float64, device: sample.device) * Number(share * scale), One)
            .MoveToOuterDisposeScope();
    }
}
