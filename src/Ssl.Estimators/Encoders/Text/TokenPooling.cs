using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Makes one vector of the vectors of a text's tokens.</summary>
internal static class TokenPooling
{
    /// <summary>Pools tokens.</summary>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="batch">The texts they are of; padded places do not count.</param>
    /// <param name="pooling">How.</param>
    /// <returns>[N, D].</returns>
    public static Tensor Pool(Tensor tokens, TokenBatch batch, TextPooling pooling)
    {
        using var scope = NewDisposeScope();
        var pooled = pooling switch
        {
            TextPooling.Class => tokens.select(1, 0),
            TextPooling.Max => batch.HasPadding
                ? tokens.masked_fill(batch.Mask.logical_not().unsqueeze(2), Number(float.MinValue)).amax([1])
                : tokens.amax([1]),
            _ => batch.HasPadding ? MaskedMean(tokens, batch.Mask) : tokens.mean([1]),
        };
        return pooled.MoveToOuterDisposeScope();
    }

    private static Tensor MaskedMean(Tensor tokens, Tensor mask)
    {
        var weights = mask.to(tokens.dtype);                                                        // [N, L]
        var sum = weights.unsqueeze(1).bmm(tokens).squeeze(1);                                      // [N, D]
        return sum / weights.sum(1, keepdim: true);
    }
}
