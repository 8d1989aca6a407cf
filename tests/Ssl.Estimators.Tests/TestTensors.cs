using static TorchSharp.torch;

namespace Ssl.Estimators.Tests;

/// <summary>Comparisons of tensors.</summary>
internal static class TestTensors
{
    /// <summary>Fails unless both have the same shape and values up to a tolerance.</summary>
    public static void AreClose(Tensor expected, Tensor actual, float tolerance)
    {
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        Assert.IsLessThanOrEqualTo(tolerance, difference);
    }
}
