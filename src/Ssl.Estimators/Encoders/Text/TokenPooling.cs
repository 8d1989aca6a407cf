using System.Runtime.InteropServices;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

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

    /// <summary>Pools tokens of texts that stand behind each other, on the CPU and without gradients.</summary>
    /// <param name="tokens">Single [T, D], contiguous.</param>
    /// <param name="starts">Where each text begins, and T: N + 1 numbers.</param>
    /// <param name="pooling">How.</param>
    /// <returns>[N, D].</returns>
    public static Tensor PoolPacked(Tensor tokens, int[] starts, TextPooling pooling)
    {
        var (texts, dimension) = (starts.Length - 1, (int)tokens.shape[1]);
        var pooled = zeros(texts, dimension, dtype: ScalarType.Float32);
        var input = MemoryMarshal.Cast<byte, float>(tokens.bytes);
        var output = MemoryMarshal.Cast<byte, float>(pooled.bytes);
        for (var text = 0; text < texts; text++)
        {
            var target = output.Slice(text * dimension, dimension);
            input.Slice(starts[text] * dimension, dimension).CopyTo(target);
            for (var i = starts[text] + 1; i < starts[text + 1] && pooling != TextPooling.Class; i++)
            {
                var token = input.Slice(i * dimension, dimension);
                if (pooling == TextPooling.Max)
                    TensorPrimitives.Max(target, token, target);
                else
                    TensorPrimitives.Add(target, token, target);
            }
            if (pooling == TextPooling.Mean)
                TensorPrimitives.Divide(target, starts[text + 1] - starts[text], target);
        }
        return pooled;
    }

    private static Tensor MaskedMean(Tensor tokens, Tensor mask)
    {
        var weights = mask.to(tokens.dtype);                                                        // [N, L]
        var sum = weights.unsqueeze(1).bmm(tokens).squeeze(1);                                      // [N, D]
        return sum / weights.sum(1, keepdim: true);
    }
}
