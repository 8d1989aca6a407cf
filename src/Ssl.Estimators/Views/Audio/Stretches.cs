using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Views;

/// <summary>Draws stretches of neighboring places, others for each row.</summary>
internal static class Stretches
{
    /// <summary>Bool [N, places]: which places lie in one of the stretches.</summary>
    /// <param name="lengths">Places that a row has, Single [N, 1].</param>
    /// <param name="places">The most places of a row.</param>
    /// <param name="maximumShare">The longest stretch, as a part of a row's places.</param>
    /// <param name="count">Stretches of a row.</param>
    /// <param name="generator">On the device of <paramref name="lengths"/>.</param>
    public static Tensor Draw(Tensor lengths, long places, double maximumShare, int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draws = Draws.Uniform([2, lengths.shape[0], count], lengths.device, generator);
        var widths = (draws.select(0, 0) * lengths * Number(maximumShare)).round();                     // [N, K]
        // A place for each beginning from which the stretch ends inside.
        var starts = (draws.select(0, 1) * (lengths - widths).add(One, One)).floor();                   // [N, K]
        var at = arange(Number(0), Number(places), One, dtype: ScalarType.Float32, device: lengths.device).view(1, 1, -1);
        var inside = at.ge(starts.unsqueeze(2)).logical_and(at.lt((starts.add(widths, One)).unsqueeze(2)));    // [N, K, places]
        return inside.any(1).MoveToOuterDisposeScope();
    }
}
