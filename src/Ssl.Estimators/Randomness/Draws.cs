using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Randomness;

/// <summary>
/// Random tensors from a stream, on any device. The generators of TorchSharp 0.107 are CPU ones whatever device they are made with, and a
/// draw with one on a CUDA device ends the process. There each draw takes a seed from the stream and seeds the device's own generator with
/// it: the same numbers for the same seed, and a resumed run goes on with them. On the CPU torch's global generator is not touched.
/// </summary>
public static class Draws
{
    private const long Seeds = 1L << 53;

    /// <summary>Evenly between 0 and 1, Float32.</summary>
    public static Tensor Uniform(long[] shape, Device device, Generator generator)
        => rand(shape, ScalarType.Float32, device, generator: For(device, generator));

    /// <summary>Normal with mean 0 and deviation 1, Float32.</summary>
    public static Tensor Normal(long[] shape, Device device, Generator generator)
        => randn(shape, ScalarType.Float32, device, generator: For(device, generator));

    /// <summary>Whole numbers from <paramref name="low"/> to below <paramref name="high"/>, Int64.</summary>
    public static Tensor Integers(long low, long high, long[] shape, Device device, Generator generator)
        => randint(low, high, shape, ScalarType.Int64, device, generator: For(device, generator));

    /// <summary>The numbers below <paramref name="count"/> in random order, Int64.</summary>
    public static Tensor Permutation(long count, Device device, Generator generator)
        => randperm(count, ScalarType.Int64, device, generator: For(device, generator));

    /// <summary>Replaces every entry by 1 with the given probability, else by 0.</summary>
    public static Tensor FillBernoulli(Tensor tensor, double probability, Generator generator)
        => tensor.bernoulli_(probability, For(tensor.device, generator));

    /// <summary>A seed for a generator of another kind, from the stream.</summary>
    public static long Seed(Generator generator)
    {
        using var seed = empty(1, dtype: ScalarType.Int64);
        using var drawn = seed.random_(0, Seeds, generator);
        return seed.Value<long>();
    }

    private static Generator? For(Device device, Generator generator)
    {
        if (device.type != DeviceType.CUDA)
            return generator;
        // Of every device: manual_seed seeds the current one alone, which is the first, since TorchSharp cannot choose another.
        cuda.manual_seed_all(Seed(generator));
        return null;
    }
}
