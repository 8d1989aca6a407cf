using System.Reflection;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;
using Asserts = Microsoft.VisualStudio.TestTools.UnitTesting.Assert;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>Whether batches are the same to the bit: shapes, types, layout and values of all their tensors, and what they say of themselves.</summary>
internal static class SameBatches
{
    /// <summary>Compares steps, at least one, and disposes of them.</summary>
    public static void Assert(IEnumerable<IReadOnlyList<Batch>> expected, IEnumerable<IReadOnlyList<Batch>> actual)
    {
        IReadOnlyList<Batch>[] first = [.. expected], second = [.. actual];
        Asserts.IsNotEmpty(first);
        Asserts.HasCount(first.Length, second);
        foreach (var (one, other) in first.Zip(second))
        {
            Asserts.HasCount(one.Count, other);
            foreach (var (batch, same) in one.Zip(other))
            {
                Assert(batch, same);
                batch.Dispose();
                same.Dispose();
            }
        }
    }

    /// <summary>Compares two batches.</summary>
    public static void Assert(Batch expected, Batch actual)
    {
        Asserts.AreEqual(expected.GetType(), actual.GetType());
        foreach (var property in expected.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            var (value, same) = (property.GetValue(expected), property.GetValue(actual));
            if (value is Batch part)
            {
                Assert(part, (Batch)same!);
                continue;
            }
            if (value is not Tensor tensor)
            {
                Asserts.AreEqual(value, same, property.Name);
                continue;
            }
            var other = (Tensor)same!;
            Asserts.AreEqual(tensor.dtype, other.dtype, property.Name);
            CollectionAssert.AreEqual(tensor.shape, other.shape, property.Name);
            Asserts.AreEqual(tensor.is_contiguous(), other.is_contiguous(), property.Name);
            Asserts.IsTrue(tensor.bytes.SequenceEqual(other.bytes), property.Name);
        }
    }
}
