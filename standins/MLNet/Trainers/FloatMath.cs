using System.Numerics;

namespace Microsoft.ML.Numeric;

/// <summary>Sums and products of spans, with vector instructions, always in the same order.</summary>
internal static class FloatMath
{
    // Single precision inside a block, double between blocks: fast, and the error does not grow with the length.
    private const int Block = 2048;

    public static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var sum = 0d;
        for (var start = 0; start < left.Length; start += Block)
        {
            var length = Math.Min(Block, left.Length - start);
            sum += DotBlock(left.Slice(start, length), right.Slice(start, length));
        }

        return (float)sum;
    }

    public static float Norm(ReadOnlySpan<float> values) => MathF.Sqrt(Dot(values, values));

    /// <summary>destination += scale * source.</summary>
    public static void AddScaled(Span<float> destination, ReadOnlySpan<float> source, float scale)
    {
        var width = Vector<float>.Count;
        var factor = new Vector<float>(scale);
        var i = 0;
        for (; i <= destination.Length - width; i += width)
        {
            var slot = destination.Slice(i, width);
            Vector.FusedMultiplyAdd(factor, new Vector<float>(source.Slice(i, width)), new Vector<float>(slot)).CopyTo(slot);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] += scale * source[i];
        }
    }

    /// <summary>destination = first + scale * second.</summary>
    public static void AddScaledInto(ReadOnlySpan<float> first, ReadOnlySpan<float> second, float scale, Span<float> destination)
    {
        var width = Vector<float>.Count;
        var factor = new Vector<float>(scale);
        var i = 0;
        for (; i <= destination.Length - width; i += width)
        {
            Vector.FusedMultiplyAdd(factor, new Vector<float>(second.Slice(i, width)), new Vector<float>(first.Slice(i, width)))
                .CopyTo(destination.Slice(i, width));
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = first[i] + (scale * second[i]);
        }
    }

    public static void Scale(Span<float> values, float scale)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] *= scale;
        }
    }

    /// <summary>log(sum of exp), without overflow.</summary>
    public static float LogSumExp(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
            {
                best = i;
            }
        }

        // What is smaller than e^-30 of the largest cannot be seen in single precision.
        var max = values[best];
        var cutoff = max - 30;
        var rest = 0d;
        for (var i = 0; i < values.Length; i++)
        {
            if (i != best && values[i] > cutoff)
            {
                rest += MathF.Exp(values[i] - max);
            }
        }

        return rest > 0 ? (float)(max + Math.Log(1 + rest)) : max;
    }

    private static float DotBlock(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var width = Vector<float>.Count;
        Vector<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= left.Length - (4 * width); i += 4 * width)
        {
            a = Vector.FusedMultiplyAdd(new Vector<float>(left[i..]), new Vector<float>(right[i..]), a);
            b = Vector.FusedMultiplyAdd(new Vector<float>(left[(i + width)..]), new Vector<float>(right[(i + width)..]), b);
            c = Vector.FusedMultiplyAdd(new Vector<float>(left[(i + (2 * width))..]), new Vector<float>(right[(i + (2 * width))..]), c);
            d = Vector.FusedMultiplyAdd(new Vector<float>(left[(i + (3 * width))..]), new Vector<float>(right[(i + (3 * width))..]), d);
        }

        for (; i <= left.Length - width; i += width)
        {
            a = Vector.FusedMultiplyAdd(new Vector<float>(left[i..]), new Vector<float>(right[i..]), a);
        }

        var sum = Vector.Sum((a + b) + (c + d));
        for (; i < left.Length; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }
}
