using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>The tensors of one batch of samples, all on one device. A batch owns its tensors.</summary>
public abstract class Batch : IDisposable
{
    /// <summary>Number of samples.</summary>
    public abstract long Count { get; }

    /// <summary>The same batch on another device: itself if it is there already, else a new one; this one stays as it is.</summary>
    /// <param name="device">Where the tensors shall be.</param>
    public abstract Batch To(Device device);

    /// <summary>Frees the tensors.</summary>
    public abstract void Dispose();

    /// <summary>How long its rows are with their padding; 0 for rows that have none.</summary>
    internal virtual long PaddedLength => 0;

    /// <summary>The same rows with more padding, in place of this batch: what is not part of the result is freed.</summary>
    /// <param name="length">At least <see cref="PaddedLength"/>.</param>
    /// <returns>Itself where nothing is to be added.</returns>
    internal virtual Batch PadTo(long length) => this;
}
