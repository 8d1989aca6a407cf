using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Series of any length as the same number of sections.</summary>
internal static class StepSections
{
    /// <summary>The steps of each series, averaged to so many sections of neighbors, each of its own length: [N, G, D].</summary>
    /// <param name="steps">[N, S, D].</param>
    /// <param name="mask">Bool [N, S], true up to the end of the series; at least one.</param>
    /// <param name="maximum">The most sections; fewer where the batch has fewer steps. A short series repeats steps.</param>
    public static Tensor Means(Tensor steps, Tensor mask, int maximum)
    {
        using var scope = NewDisposeScope();
        long count = Math.Min(steps.shape[1], maximum);
        var lengths = mask.sum(1, keepdim: true).to(steps.dtype);                                   // [N, 1]
        // A section is the mean of the steps from one place to another: a difference of running sums, which costs no loop.
        var sums = cat([zeros_like(steps.narrow(1, 0, 1)), (steps * mask.unsqueeze(-1).to(steps.dtype)).cumsum(1)], 1); // [N, S + 1, D]
        var section = arange(Number(0), Number(count), One, dtype: ScalarType.Float32, device: steps.device).unsqueeze(0);  // [1, G]
        var from = (section * lengths / Number(count)).floor().to(ScalarType.Int64);                        // [N, G]
        var to = torch.maximum((section.add(Number(1), One) * lengths / Number(count)).floor().to(ScalarType.Int64), from
            .add(Number(1), One));
        var means = (At(sums, to) - At(sums, from)) / (to - from).unsqueeze(-1).to(steps.dtype);
        return means.MoveToOuterDisposeScope();

        static Tensor At(Tensor sums, Tensor places) => sums.gather(1, places.unsqueeze(-1).expand(-1, -1, sums.shape[2]));
    }
}
