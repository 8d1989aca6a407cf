using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>The inputs of tests/scripts/image_numbers.py.</summary>
internal static class ImageSamples
{
    /// <summary>One image, [1, channels, height, width], from 0 to 1.</summary>
    public static Tensor Image(int channels, int height, int width)
    {
        using var flat = tensor(Enumerable.Range(0, channels * height * width)
            .Select(i => (float)(Math.Sin(0.37 * i) * Math.Cos(0.11 * i) / 2 + 0.5)).ToArray());
        return flat.view(1, channels, height, width).clone();
    }

    /// <summary>Random images, Single [n, channels, side, side].</summary>
    public static Tensor Random(int n, int channels, int side, int seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return rand(n, channels, side, side, generator: generator);
    }

    /// <summary>Weights that both sides can compute: a sine of the entry's number and the name's letters.</summary>
    public static void Fill(IReadOnlyDictionary<string, Tensor> weights)
    {
        using var noGrad = no_grad();
        foreach (var (name, value) in weights)
        {
            if (value.dtype != ScalarType.Float32)
                continue;
            long count = value.numel();
            double phase = name.Sum(c => (double)c);
            double scale = Math.Sqrt(2.0 / (count / (double)value.shape[0]));
            var numbers = new float[count];
            for (var i = 0; i < numbers.Length; i++)
            {
                double wave = Math.Sin(0.7 * i + phase);
                numbers[i] = (float)(name.Contains("running_var", StringComparison.Ordinal) ? 1 + 0.5 * wave * wave
                    : value.dim() >= 2 ? wave * scale
                    : name.EndsWith("weight", StringComparison.Ordinal) ? 1 + 0.1 * wave : 0.1 * wave);
            }
            using var source = tensor(numbers);
            value.copy_(source.view(value.shape));
        }
    }

    public static bool Same(Tensor a, Tensor b) => a.eq(b).all().item<bool>();

    public static void AssertClose(float[] expected, Tensor actual, double tolerance)
    {
        float[] values = actual.cpu().contiguous().data<float>().ToArray();
        Assert.HasCount(expected.Length, values);
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], values[i], tolerance, $"entry {i}");
    }
}
