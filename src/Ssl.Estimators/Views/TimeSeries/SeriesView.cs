using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A random change of time series that keeps what they mean: what contrastive methods compare.</summary>
/// <remarks>
/// Write your own by deriving from it: work on the whole batch at once, on its device, with draws for each series from the generator, and
/// leave padding padding.
/// </remarks>
public abstract class SeriesView
{
    /// <summary>A changed copy of a batch.</summary>
    /// <param name="batch">N series; must not be changed or disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>N series of the same shape; the caller's.</returns>
    public abstract SeriesBatch Apply(SeriesBatch batch, Generator generator);

    /// <summary>1 where a value was observed, else 0: Single [N, 1, T].</summary>
    /// <param name="batch">N series.</param>
    protected static Tensor Observed(SeriesBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return batch.Observed.unsqueeze(1).to(batch.Values.dtype);
    }

    /// <summary>Hands a batch to the dispose scope around the present one.</summary>
    internal static SeriesBatch MoveOut(SeriesBatch batch)
    {
        batch.Values.MoveToOuterDisposeScope();
        batch.Mask.MoveToOuterDisposeScope();
        batch.Observed.MoveToOuterDisposeScope();
        return batch;
    }
}
