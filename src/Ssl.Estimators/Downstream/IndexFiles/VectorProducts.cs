using System.Numerics;
using System.Runtime.InteropServices;

namespace Ssl.Estimators.Downstream;

/// <summary>Inner products of one vector with several, where they stand: mapped memory is not copied into tensors.</summary>
internal static class VectorProducts
{
    /// <summary>Computes the products.</summary>
    /// <param name="one">A vector.</param>
    /// <param name="others">Vectors of the same length, one after the other.</param>
    /// <param name="products">Takes one product each; its length says how many there are. The same two vectors give the same bits in either role.</param>
    public static void Of(ReadOnlySpan<float> one, ReadOnlySpan<float> others, Span<float> products)
    {
        var dimension = one.Length;
        var whole = dimension - dimension % Vector<float>.Count;
        var parts = MemoryMarshal.Cast<float, Vector<float>>(one[..whole]);
        var i = 0;
        // Four at once: each part of the one is loaded once for four products, whose sums do not wait for each other.
        for (; i + 4 <= products.Length; i += 4)
        {
            var a = Parts(others, i, dimension, whole);
            var b = Parts(others, i + 1, dimension, whole)[..parts.Length];
            var c = Parts(others, i + 2, dimension, whole)[..parts.Length];
            var d = Parts(others, i + 3, dimension, whole)[..parts.Length];
            Vector<float> sumA = default, sumB = default, sumC = default, sumD = default;
            for (var j = 0; j < parts.Length; j++)
            {
                var part = parts[j];
                sumA = Vector.FusedMultiplyAdd(part, a[j], sumA);
                sumB = Vector.FusedMultiplyAdd(part, b[j], sumB);
                sumC = Vector.FusedMultiplyAdd(part, c[j], sumC);
                sumD = Vector.FusedMultiplyAdd(part, d[j], sumD);
            }
            products[i] = Vector.Sum(sumA);
            products[i + 1] = Vector.Sum(sumB);
            products[i + 2] = Vector.Sum(sumC);
            products[i + 3] = Vector.Sum(sumD);
        }
        for (; i < products.Length; i++)
        {
            var a = Parts(others, i, dimension, whole);
            Vector<float> sum = default;
            for (var j = 0; j < parts.Length; j++)
                sum = Vector.FusedMultiplyAdd(parts[j], a[j], sum);
            products[i] = Vector.Sum(sum);
        }
        if (whole == dimension)
            return;
        for (i = 0; i < products.Length; i++)
        {
            for (var j = whole; j < dimension; j++)
                products[i] += one[j] * others[i * dimension + j];
        }
    }

    private static ReadOnlySpan<Vector<float>> Parts(ReadOnlySpan<float> vectors, int index, int dimension, int whole)
        => MemoryMarshal.Cast<float, Vector<float>>(vectors.Slice(index * dimension, whole));
}
