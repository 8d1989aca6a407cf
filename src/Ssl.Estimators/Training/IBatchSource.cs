using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Training;

/// <summary>Where the batches of a pretraining run come from.</summary>
/// <remarks>
/// A source draws its order from the run's random streams only (on the thread that enumerates, when an epoch begins), so that a
/// resumed run sees the same batches. The tensors may be on the host or already on the device.
/// </remarks>
public interface IBatchSource
{
    /// <summary>Rows of one epoch; <see langword="null"/> where that is unknown before the first epoch is over (streaming).</summary>
    long? RowCount { get; }

    /// <summary>
    /// Batches of one epoch, where the source knows them: a source that leaves out a last, smaller batch has fewer than the row
    /// count says. <see langword="null"/> (the default) lets the loop divide the row count by the batch size.
    /// </summary>
    long? BatchesPerEpoch => null;

    /// <summary>One pass over the data in a new order.</summary>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="cancellationToken">Ends the pass early: the source may stop or throw <see cref="OperationCanceledException"/>.</param>
    /// <returns>
    /// The batches; each has one <see cref="Batch"/> a training column, all with the same count. The loop moves them to the device
    /// and disposes them.
    /// </returns>
    IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken);
}
