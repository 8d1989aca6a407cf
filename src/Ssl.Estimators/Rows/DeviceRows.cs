using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>
/// The rows of a store in a device's memory, as compactly as on the host. Batches are gathered there: nothing is copied in a step, and
/// nothing waits for the device.
/// </summary>
/// <param name="device">Where they are.</param>
internal abstract class DeviceRows(Device device) : IDisposable
{
    /// <summary>
    /// Bytes of a store up to which its rows are kept on a GPU: a part of any that trains networks. How much of its memory is free
    /// TorchSharp cannot ask.
    /// </summary>
    public const long MostBytes = 2_000_000_000;

    /// <summary>Where the rows are.</summary>
    public Device Device => device;

    /// <summary>The batches of a training step: the same values as <see cref="RowStore.ToBatches"/> gives, on the device.</summary>
    /// <param name="rows">Numbers of the rows, int64 [N], on the device.</param>
    /// <param name="numbers">The same numbers on the host, where it is known how far they are padded.</param>
    public abstract IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers);

    /// <summary>Frees the device's memory.</summary>
    public abstract void Dispose();

    /// <summary>A tensor of these values on a device, outside of dispose scopes.</summary>
    /// <param name="values">Its elements, row after row.</param>
    /// <param name="type">Their type.</param>
    /// <param name="device">Where it shall be.</param>
    /// <param name="shape">Its shape.</param>
    public static Tensor Upload<T>(ReadOnlySpan<T> values, ScalarType type, Device device, params long[] shape) where T : unmanaged
    {
        using var scope = NewDisposeScope();
        Tensor host = empty(shape, dtype: type);
        MemoryMarshal.AsBytes(values).CopyTo(host.bytes);
        return host.to(device).DetachFromDisposeScope();
    }
}

/// <summary>Where rows of differing length, one behind the other in one tensor, have their items.</summary>
internal sealed class DevicePlaces : IDisposable
{
    private readonly Tensor _starts, _lengths, _steps;
    private readonly long _last;

    /// <summary>Places of rows on a device.</summary>
    /// <param name="lengths">Items of each row.</param>
    /// <param name="longest">The most items, with padding, that a batch has of a row.</param>
    /// <param name="device">Where they lie.</param>
    public DevicePlaces(ReadOnlySpan<long> lengths, long longest, Device device)
    {
        var starts = new long[lengths.Length];
        long end = 0;
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = end;
            end += lengths[i];
        }
        _last = Math.Max(0, end - 1);
        _starts = DeviceRows.Upload<long>(starts, ScalarType.Int64, device, starts.Length);
        _lengths = DeviceRows.Upload(lengths, ScalarType.Int64, device, lengths.Length);
        _steps = arange(Number(0L), Number(longest), One, dtype: ScalarType.Int64, device: device).DetachFromDisposeScope();
    }

    /// <summary>The places of rows that are padded to a length, in the current dispose scope.</summary>
    /// <param name="rows">Their numbers, int64 [N].</param>
    /// <param name="length">L.</param>
    /// <returns>Places of the items, int64 [N, L], in the padding any; and where there is an item, bool [N, L].</returns>
    public (Tensor Places, Tensor Inside) Of(Tensor rows, long length)
    {
        Tensor steps = _steps.narrow(0, 0, length);
        Tensor places = _starts.index_select(0, rows).unsqueeze(1).add(steps, One).clamp_max_(Number(_last));
        return (places, steps.lt(_lengths.index_select(0, rows).unsqueeze(1)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _starts.Dispose();
        _lengths.Dispose();
        _steps.Dispose();
    }
}
