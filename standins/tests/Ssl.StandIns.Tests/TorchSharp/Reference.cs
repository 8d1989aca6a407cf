using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.StandIns.Tests.TorchSharpTests;

/// <summary>The stored numbers of Python's torch, and the inputs they were computed from.</summary>
internal static class Reference
{
    private static readonly JsonElement _numbers =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "TorchSharp", "torch-reference.json"))).RootElement;

    /// <summary>Values of a sine, as <c>wave</c> of torch_reference.py.</summary>
    public static Tensor Wave(double seed, params long[] shape)
    {
        var count = shape.Aggregate(1L, (product, length) => product * length);
        var values = new float[count];
        for (var k = 0; k < values.Length; k++) values[k] = (float)Math.Sin(0.37 * k + seed);
        return tensor(values, shape);
    }

    public static void AssertEqual(string name, Tensor actual, double tolerance = 1e-5)
    {
        var expected = _numbers.GetProperty(name);
        long[] shape = [.. expected.GetProperty("shape").EnumerateArray().Select(length => length.GetInt64())];
        CollectionAssert.AreEqual(shape, actual.shape, $"{name}: shape {string.Join("x", actual.shape)}");
        using var numbers = actual.detach().to(ScalarType.Float64);
        var values = numbers.data<double>().ToArray();
        var index = 0;
        foreach (var value in expected.GetProperty("values").EnumerateArray())
        {
            var wanted = value.GetDouble();
            Assert.AreEqual(wanted, values[index], tolerance * Math.Max(1, Math.Abs(wanted)), $"{name}[{index}]");
            index++;
        }
    }
}
