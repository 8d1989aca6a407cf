using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>N time series of C channels, padded at their ends to T timestamps.</summary>
public sealed class SeriesBatch : Batch
{
    /// <summary>A batch of these tensors, which it owns from then on.</summary>
    /// <param name="values">Standardized values, Single [N, C, T]; 0 where there is none.</param>
    /// <param name="mask">Bool [N, T]: true inside the series, false in the padding behind its end.</param>
    /// <param name="observed">Bool [N, T]: true where at least one channel has a value; false everywhere in the padding.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public SeriesBatch(Tensor values, Tensor mask, Tensor observed)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(observed);
        if (values.dim() != 3 || mask.dim() != 2 || !mask.shape.SequenceEqual(observed.shape) || values.shape[0] != mask.shape[0]
            || values.shape[2] != mask.shape[1])
        {
            throw new ArgumentException($"Values must be [N, C, T], mask and observed [N, T], got [{string.Join(", ", values.shape)}], "
                + $"[{string.Join(", ", mask.shape)}] and [{string.Join(", ", observed.shape)}].", nameof(values));
        }
        (Values, Mask, Observed) = (values, mask, observed);
    }

    /// <summary>Standardized values, Single [N, C, T]; 0 where there is none.</summary>
    public Tensor Values { get; }

    /// <summary>Bool [N, T]: true inside the series, false in the padding behind its end.</summary>
    public Tensor Mask { get; }

    /// <summary>Bool [N, T]: true where at least one channel has a value.</summary>
    public Tensor Observed { get; }

    /// <summary>Whether a place may be padded. Where none is, nobody has to look into the mask.</summary>
    internal bool HasPadding { get; init; } = true;

    /// <inheritdoc/>
    public override long Count => Values.shape[0];

    /// <summary>T, the timestamps of the longest series.</summary>
    public long Length => Values.shape[2];

    /// <inheritdoc/>
    public override SeriesBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Values.device.type == device.type && (device.index < 0 || Values.device.index == device.index)
            ? this : new SeriesBatch(DeviceCopy.Of(Values, device), DeviceCopy.Of(Mask, device), DeviceCopy.Of(Observed, device)) { HasPadding = HasPadding };
    }

    internal override long PaddedLength => Length;

    internal override SeriesBatch PadTo(long length)
    {
        if (length <= Length)
            return this;
        using (this)
        {
            return new SeriesBatch(nn.functional.pad(Values, [0L, length - Length]), nn.functional.pad(Mask, [0L, length - Length]),
                nn.functional.pad(Observed, [0L, length - Length]));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Values.Dispose();
        Mask.Dispose();
        Observed.Dispose();
    }

    /// <summary>The same series with other values.</summary>
    /// <param name="values">Single [N, C, T].</param>
    internal SeriesBatch WithValues(Tensor values) => new(values, Mask.alias(), Observed.alias()) { HasPadding = HasPadding };

    /// <summary>Some series that follow each other.</summary>
    internal SeriesBatch Part(long first, long count)
        => new(Values.narrow(0, first, count), Mask.narrow(0, first, count), Observed.narrow(0, first, count)) { HasPadding = HasPadding };

    /// <summary>Some timestamps of each series, in an order of its own.</summary>
    /// <param name="places">Int64 [N, M], from 0 to T - 1.</param>
    internal SeriesBatch Take(Tensor places) => new(
        Values.gather(2, places.unsqueeze(1).expand(-1, Values.shape[1], -1)), Mask.gather(1, places), Observed.gather(1, places));

    /// <summary>The series of two batches of the same shape, one batch after the other.</summary>
    internal static SeriesBatch Concatenate(SeriesBatch first, SeriesBatch second)
        => new(cat([first.Values, second.Values]), cat([first.Mask, second.Mask]), cat([first.Observed, second.Observed]))
        {
            HasPadding = first.HasPadding || second.HasPadding,
        };
}
