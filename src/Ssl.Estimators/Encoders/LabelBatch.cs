using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>The labels of N rows, the last column of a supervised batch.</summary>
/// <param name="values">
/// Single or Double [N]: the number of the class from 0, or the value itself. Of rows of L tokens Int64 [N, L]. Owned by the batch from then on.
/// </param>
internal sealed class LabelBatch(Tensor values) : Batch
{
    /// <summary>Single or Double [N], or Int64 [N, L].</summary>
    public Tensor Values => values;

    /// <inheritdoc/>
    public override long Count => values.shape[0];

    /// <inheritdoc/>
    public override LabelBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return values.device.type == device.type && (device.index < 0 || values.device.index == device.index)
            ? this : new LabelBatch(DeviceCopy.Of(values, device));
    }

    /// <inheritdoc/>
    public override void Dispose() => values.Dispose();
}
