using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Token ids of N texts, padded to the longest of them.</summary>
public sealed class TokenBatch : Batch
{
    /// <summary>A batch of these tensors, which it owns from then on.</summary>
    /// <param name="ids">Token ids, int64 [N, L]; what stands in padded places does not matter, but must be a valid id.</param>
    /// <param name="mask">Bool [N, L]: true where there is a token, special ones included.</param>
    public TokenBatch(Tensor ids, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(mask);
        if (ids.dim() != 2 || !ids.shape.SequenceEqual(mask.shape))
            throw new ArgumentException(
                $"Ids and mask must both be [N, L], got [{string.Join(", ", ids.shape)}] and [{string.Join(", ", mask.shape)}].",
                    nameof(mask));
        Ids = ids;
        Mask = mask;
    }

    /// <summary>Token ids, int64 [N, L].</summary>
    public Tensor Ids { get; }

    /// <summary>Bool [N, L]: true where there is a token.</summary>
    public Tensor Mask { get; }

    /// <summary>Whether a place may be padded. Where none is, attention needs no mask, and nobody has to look into the tensor.</summary>
    internal bool HasPadding { get; init; } = true;

    /// <inheritdoc/>
    public override long Count => Ids.shape[0];

    /// <inheritdoc/>
    public override TokenBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Ids.device.type == device.type && (device.index < 0 || Ids.device.index == device.index)
            ? this : new TokenBatch(DeviceCopy.Of(Ids, device), DeviceCopy.Of(Mask, device)) { HasPadding = HasPadding };
    }

    /// <summary>Some of the texts, padded as all are; it shares this batch's memory.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    internal TokenBatch Part(long first, long count) => new(Ids.narrow(0, first, count), Mask.narrow(0, first, count)) { HasPadding = HasPadding };

    internal override long PaddedLength => Ids.shape[1];

    internal override TokenBatch PadTo(long length)
    {
        if (length <= PaddedLength)
            return this;
        using (this)
            return new TokenBatch(nn.functional.pad(Ids, [0L, length - PaddedLength]), nn.functional.pad(Mask, [0L, length - PaddedLength]));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Ids.Dispose();
        Mask.Dispose();
    }
}
