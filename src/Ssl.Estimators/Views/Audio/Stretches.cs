using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Views;

/// <summary>Draws stretches of neighboring places, others for each row.</summary>
internal static class Stretches
{
    /// <summary>How many bands each sound has, which are the same for all: Single [N, 1].</summary>
    public static Tensor Bands(SeriesBatch batch)
        => full(batch.Count, 1, Number(batch.Values.shape[1]), dtype: ScalarType.Float32, device: batch.Values.device);

    /// <summary>Bool [N, C]: which bands of each sound lie in one of the stretches.</summary>
    /// <param name="batch">N sounds of C bands.</param>
    /// <param name="maximumShare">The most bands of a stretch, as a part of all.</param>
    /// <param name="count">Stretches of a sound.</param>
    /// <param name="generator">On the batch's device.</param>
    public static Tensor DrawBands(SeriesBatch batch, double maximumShare, int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        return Draw(Bands(batch), batch.Values.shape[1], maximumShare, count, generator).MoveToOuterDisposeScope();
    }

    /// <summary>Bool [N, places]: which places lie in one of the stretches.</summary>
    /// <param name="lengths">Places that a row has, Single [N, 1].</param>
    /// <param name="places">The most places of a row.</param>
    /// <param name="maximumShare">The longest stretch, as a part of a row's places.</param>
    /// <param name="count">Stretches of a row.</param>
    /// <param name="generator">On the device of <paramref name="lengths"/>.</param>
    public static Tensor Draw(Tensor lengths, long places, double maximumShare, int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draws = Draws.Uniform([lengths.shape[0], 2, count], lengths.device, generator);
        var widths = (draws.select(1, 0) * lengths * Number(maximumShare)).round();                     // [N, K]
        // A place for each beginning from which the stretch ends inside.
        var starts = (draws.select(1, 1) * (lengths - widths).add(One, One)).floor();                   // [N, K]
        var at = arange(Number(0), Number(places), One, dtype: ScalarType.Float32, device: lengths.device).view(1, 1, -1);
        var inside = at.ge(starts.unsqueeze(2)).logical_and(at.lt((starts.add(widths, One)).unsqueeze(2)));    // [N, K, places]
        return inside.any(1).MoveToOuterDisposeScope();
    }
}
