using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Vectors that tell places apart, for series of any length.</summary>
internal static class SinePositions
{
    /// <summary>Sines and cosines of Vaswani et al., 2017 (arXiv:1706.03762): [S, D].</summary>
    public static Tensor Of(long steps, long dimension, Device device)
    {
        using var scope = NewDisposeScope();
        long pairs = (dimension + 1) / 2;
        var rates = arange(Number(0), Number(pairs), One, dtype: ScalarType.Float32,
            device: device).mul(Number(-2 * Math.Log(10_000) / dimension)).exp();
        var angles = arange(Number(0), Number(steps), One, dtype: ScalarType.Float32, device: device).unsqueeze(1) * rates; // [S, pairs]
        return cat([angles.sin(), angles.cos()], 1).narrow(1, 0, dimension).MoveToOuterDisposeScope();
    }
}
