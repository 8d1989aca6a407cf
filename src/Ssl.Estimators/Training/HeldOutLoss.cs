using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>
/// The loss of a method on rows that training does not see. The views and masks are drawn anew from the same seed each time, so that the
/// losses of two epochs compare; and nothing is left behind: random streams and buffers (queues, centers, statistics) are put back, so that
/// training goes on as if nothing had been measured.
/// </summary>
/// <param name="method">The method, in the mode of <see cref="PretrainingMethod.BeginEvaluation"/>.</param>
/// <param name="batches">The rows kept aside, always in the same order. They draw nothing from <paramref name="streams"/>.</param>
/// <param name="streams">What the method draws from.</param>
/// <param name="device">Where it computes.</param>
/// <param name="mixedPrecision">As in training.</param>
internal sealed class HeldOutLoss(PretrainingMethod method, Func<CancellationToken, IEnumerable<IReadOnlyList<Batch>>> batches,
    RandomStreams streams, Device device, bool mixedPrecision)
{
    private readonly IReadOnlyDictionary<string, byte[]> _start = streams.StateForValidation();

    /// <summary>Mean loss over the rows; null where the caller cancels meanwhile.</summary>
    public double? Measure(CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var training = streams.GetState();
        // Parameters change in the optimizer's step and in OnStepCompleted only, which nobody calls here.
        (Tensor Buffer, Tensor Copy)[] buffers = [.. method.named_buffers().Select(item => (item.buffer, item.buffer.clone()))];
        streams.SetState(_start);
        try
        {
            return Mean(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            streams.SetState(training);
            foreach (var (buffer, copy) in buffers)
                buffer.copy_(copy);
        }
    }

    private double? Mean(CancellationToken cancellationToken)
    {
        // Read at the end, since each reading waits for the device.
        var losses = new List<(long Rows, Tensor Mean)>();
        foreach (IReadOnlyList<Batch> columns in batches(cancellationToken))
        {
            using var scope = NewDisposeScope();
            try
            {
                if (cancellationToken.IsCancellationRequested)
                    return null;
                Batch[] moved = [.. columns.Select(column => column.To(device))];
                using (MixedPrecision.Begin(mixedPrecision))
                    losses.Add((columns[0].Count, method.Loss(moved).Total.MoveToOuterDisposeScope()));
                foreach (Batch batch in moved.Except(columns))
                    batch.Dispose();
            }
            finally
            {
                foreach (Batch column in columns)
                    column.Dispose();
            }
        }
        // The source may end a pass early on cancellation; the loss of a part of the rows compares with nothing.
        return cancellationToken.IsCancellationRequested ? null : StepMetrics.Mean(losses);
    }
}
