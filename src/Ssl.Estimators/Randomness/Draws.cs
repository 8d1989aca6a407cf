using Ssl.Estimators.Distributed;
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

    /// <summary>How draws are made where one process stands for several: of a test, which compares it with them.</summary>
    internal static IDrawsOfRanks? OfRanks { get; set; }

    /// <summary>Evenly between 0 and 1, Float32.</summary>
    public static Tensor Uniform(long[] shape, Device device, Generator generator)
        => ByRows(shape, generator, (part, stream) => rand(part, ScalarType.Float32, device, generator: For(device, stream)));

    /// <summary>Normal with mean 0 and deviation 1, Float32.</summary>
    public static Tensor Normal(long[] shape, Device device, Generator generator)
        => ByRows(shape, generator, (part, stream) => randn(part, ScalarType.Float32, device, generator: For(device, stream)));

    /// <summary>Whole numbers from <paramref name="low"/> to below <paramref name="high"/>, Int64.</summary>
    public static Tensor Integers(long low, long high, long[] shape, Device device, Generator generator)
        => ByRows(shape, generator, (part, stream) => randint(low, high, part, ScalarType.Int64, device, generator: For(device, stream)));

    /// <summary>The numbers of the rows of a batch in random order, Int64.</summary>
    public static Tensor Permutation(long rows, Device device, Generator generator)
        => Rows(rows, [rows], generator, (count, _, stream) => randperm(count, ScalarType.Int64, device, generator: For(device, stream)));

    /// <summary>Numbers of any rows of a batch, Int64.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="shape">How many, one or more for each row.</param>
    /// <param name="device">Where.</param>
    /// <param name="generator">The stream.</param>
    public static Tensor Rows(long rows, long[] shape, Device device, Generator generator)
        => Rows(rows, shape, generator, (count, part, stream) => randint(0L, count, part, ScalarType.Int64, device, generator: For(device, stream)));

    /// <summary>For each row of a batch the number of the one so many places before it, in a ring; nothing is drawn. Int64.</summary>
    internal static Tensor RowsBefore(long rows, int places, Device device)
        => (OfRanks is { } ranks ? ranks.Rows(rows, [rows], null, (count, _, _) => Before(count, places)) : Before(rows, places)).to(device);

    /// <summary>The numbers below <paramref name="count"/> in random order, one order for all rows of a batch, and for all processes. Int64.</summary>
    internal static Tensor CommonPermutation(long count, Generator generator)
        => Common(generator, stream => randperm(count, ScalarType.Int64, CPU, generator: stream));

    /// <summary>Evenly between 0 and 1, the same for all rows of a batch, and for all processes; on the CPU. Float32.</summary>
    internal static Tensor CommonUniform(long count, Generator generator)
        => Common(generator, stream => rand(count, ScalarType.Float32, CPU, generator: stream));

    /// <summary>Normal, the same for all rows of a batch, and for all processes. Float32.</summary>
    internal static Tensor CommonNormal(long[] shape, Device device, Generator generator)
        => Common(generator, stream => randn(shape, ScalarType.Float32, device, generator: For(device, stream)));

    /// <summary>Replaces every entry by 1 with the given probability, else by 0.</summary>
    public static Tensor FillBernoulli(Tensor tensor, double probability, Generator generator)
        => tensor.bernoulli_(probability, For(tensor.device, generator));

    /// <summary>Draws by row: the first dimension are the rows of the batch, once or several times behind each other.</summary>
    /// <param name="shape">Of what is drawn.</param>
    /// <param name="generator">The stream.</param>
    /// <param name="draw">Gives a tensor of a shape from a stream.</param>
    internal static Tensor ByRows(long[] shape, Generator generator, Func<long[], Generator, Tensor> draw)
        => OfRanks is { } ranks ? ranks.ByRows(shape, generator, draw) : draw(shape, generator);

    private static Tensor Rows(long rows, long[] shape, Generator generator, Func<long, long[], Generator, Tensor> draw)
        => OfRanks is { } ranks ? ranks.Rows(rows, shape, generator, (count, part, stream) => draw(count, part, stream!)) : draw(rows, shape, generator);

    private static Tensor Common(Generator generator, Func<Generator, Tensor> draw)
        => Ranks.FromFirst(OfRanks is { } ranks ? ranks.Common(generator, draw) : draw(generator));

    private static Tensor Before(long rows, int places) => arange(Number(0L), Number(rows), One, dtype: ScalarType.Int64, device: CPU).roll(places);

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

/// <summary>The draws that several processes would make, for the rows of all of them in one batch.</summary>
internal interface IDrawsOfRanks
{
    /// <summary>What <see cref="Draws.ByRows"/> gives.</summary>
    Tensor ByRows(long[] shape, Generator generator, Func<long[], Generator, Tensor> draw);

    /// <summary>Numbers of rows, each among those of its process.</summary>
    Tensor Rows(long rows, long[] shape, Generator? generator, Func<long, long[], Generator?, Tensor> draw);

    /// <summary>What the first process draws, while all others draw, too.</summary>
    Tensor Common(Generator generator, Func<Generator, Tensor> draw);
}
