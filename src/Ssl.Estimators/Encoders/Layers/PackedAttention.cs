using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Multi-head self-attention over texts that stand behind each other without padding, on the CPU and without gradients. Texts are short, and a
/// call of a general kernel for each of them and each head would cost more than its work: here it takes a tenth of the time.
/// </summary>
internal static class PackedAttention
{
    /// <summary>From this length on a general kernel is faster.</summary>
    public const int LongestText = 128;

    /// <summary>Attention of every text to itself.</summary>
    /// <param name="queryKeyValue">Single [T, 3 D] on the CPU, contiguous: queries, keys and values of all tokens.</param>
    /// <param name="starts">Where each text begins, and T: N + 1 numbers.</param>
    /// <param name="heads">Number of heads.</param>
    /// <returns>[T, D].</returns>
    public static Tensor Compute(Tensor queryKeyValue, int[] starts, int heads)
    {
        var (count, dimension) = (queryKeyValue.shape[0], (int)queryKeyValue.shape[1] / 3);
        var context = empty(count, dimension, dtype: ScalarType.Float32);
        var texts = starts.Length - 1;
        var threads = Math.Min(get_num_threads(), texts);
        if (threads == 1)
            Attend(0, texts);
        else
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => Attend(i * texts / threads, (i + 1) * texts / threads));
        return context;

        void Attend(int first, int end)
        {
            var longest = 1;
            for (var text = first; text < end; text++)
                longest = Math.Max(longest, starts[text + 1] - starts[text]);
            var width = dimension / heads;
            var padded = (longest + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
            Span<float> keys = new float[width * padded], scores = new float[padded];
            var input = MemoryMarshal.Cast<byte, float>(queryKeyValue.bytes);
            var output = MemoryMarshal.Cast<byte, float>(context.bytes);
            for (var text = first; text < end; text++)
            {
                for (var head = 0; head < heads; head++)
                    AttendText(input, output, starts[text], starts[text + 1] - starts[text], dimension, head * width, width, keys, scores);
            }
        }
    }

    private static void AttendText(ReadOnlySpan<float> input, Span<float> output, int start, int length, int dimension, int offset, int width,
        Span<float> keys, Span<float> scores)
    {
        var row = 3 * dimension;
        var step = Vector<float>.Count;
        var padded = (length + step - 1) / step * step;
        // The keys beside each other, dimension by dimension: a query then meets as many of them at once as a vector holds.
        keys[..(width * padded)].Clear();
        for (var j = 0; j < length; j++)
        {
            var key = input.Slice((start + j) * row + dimension + offset, width);
            for (var d = 0; d < width; d++)
                keys[d * padded + j] = key[d];
        }
        var scale = 1 / MathF.Sqrt(width);
        var some = scores[..length];
        for (var i = 0; i < length; i++)
        {
            var query = input.Slice((start + i) * row + offset, width);
            for (var j = 0; j < padded; j += step)
            {
                var sum = Vector<float>.Zero;
                for (var d = 0; d < query.Length; d++)
                    sum = Vector.FusedMultiplyAdd(new Vector<float>(query[d]), new Vector<float>(keys[(d * padded + j)..]), sum);
                (sum * scale).CopyTo(scores[j..]);
            }
            TensorPrimitives.Subtract(some, TensorPrimitives.Max(some), some);
            TensorPrimitives.Exp(some, some);
            TensorPrimitives.Divide(some, TensorPrimitives.Sum<float>(some), some);
            Mix(input, start * row + 2 * dimension + offset, row, some, output.Slice((start + i) * dimension + offset, width));
        }
    }

    // The values, each as much as its weight says.
    private static void Mix(ReadOnlySpan<float> input, int first, int row, ReadOnlySpan<float> weights, Span<float> target)
    {
        var d = 0;
        for (; d + 2 * Vector<float>.Count <= target.Length; d += 2 * Vector<float>.Count)
        {
            Vector<float> low = Vector<float>.Zero, high = Vector<float>.Zero;
            for (var j = 0; j < weights.Length; j++)
            {
                var weight = new Vector<float>(weights[j]);
                var value = input[(first + j * row + d)..];
                low = Vector.FusedMultiplyAdd(weight, new Vector<float>(value), low);
                high = Vector.FusedMultiplyAdd(weight, new Vector<float>(value[Vector<float>.Count..]), high);
            }
            low.CopyTo(target[d..]);
            high.CopyTo(target[(d + Vector<float>.Count)..]);
        }
        for (; d < target.Length; d++)
        {
            var sum = 0f;
            for (var j = 0; j < weights.Length; j++)
                sum += weights[j] * input[first + j * row + d];
            target[d] = sum;
        }
    }
}
