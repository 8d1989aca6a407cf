using System.Buffers.Binary;
using static TorchSharp.torch;

namespace Ssl.Estimators.Randomness;

/// <summary>
/// The random numbers of one training: one stream a purpose, seeded once and only ever advanced, so that a change in one purpose
/// (an extra mask) does not shift another (the order of the rows). On the CPU torch's global generator is never touched;
/// <see cref="Draws"/> says what happens on a GPU.
/// </summary>
public sealed class RandomStreams : IDisposable
{
    private readonly ShuffleRandom _shuffle;
    private readonly ulong _seed;

    /// <summary>Streams that follow from one seed.</summary>
    /// <param name="seed">The same seed gives the same numbers; on another kind of device the draws differ.</param>
    public RandomStreams(long seed)
    {
        _seed = (ulong)seed;
        var seeds = new ShuffleRandom(_seed);
        Weights = new Generator(seeds.NextUInt64() >> 1, CPU);
        Dropout = new Generator(seeds.NextUInt64() >> 1, CPU);
        Views = new Generator(seeds.NextUInt64() >> 1, CPU);
        Masks = new Generator(seeds.NextUInt64() >> 1, CPU);
        _shuffle = new ShuffleRandom(seeds.NextUInt64());
        ValidationSeed = seeds.NextUInt64();
    }

    /// <summary>Decides which rows are kept out of training, and starts the streams with which the loss on them is measured.</summary>
    internal ulong ValidationSeed { get; }

    /// <summary>Initial weights; on the CPU, so that every device starts from the same ones.</summary>
    public Generator Weights { get; }

    /// <summary>Dropout in the network.</summary>
    public Generator Dropout { get; }

    /// <summary>Views: augmentations of a sample.</summary>
    public Generator Views { get; }

    /// <summary>Masks: what is hidden.</summary>
    public Generator Masks { get; }

    /// <summary>Order of the rows.</summary>
    public Random Shuffle => _shuffle;

    /// <summary>Where every stream stands, by name; what a checkpoint keeps.</summary>
    public IReadOnlyDictionary<string, byte[]> GetState() => new Dictionary<string, byte[]>
    {
        ["weights"] = StateOf(Weights),
        ["dropout"] = StateOf(Dropout),
        ["views"] = StateOf(Views),
        ["masks"] = StateOf(Masks),
        ["shuffle"] = _shuffle.GetState(),
    };

    /// <summary>Where dropout, views and masks stand: what a pass over rows draws from.</summary>
    internal byte[][] MarkDraws() => [StateOf(Dropout), StateOf(Views), StateOf(Masks)];

    /// <summary>Puts them where <see cref="MarkDraws"/> found them.</summary>
    internal void ReturnTo(byte[][] mark)
    {
        SetStateOf(Dropout, mark[0]);
        SetStateOf(Views, mark[1]);
        SetStateOf(Masks, mark[2]);
    }

    /// <summary>
    /// Begins an epoch of a training by several processes: what each draws of dropout, views, masks and order follows from the seed, the epoch and
    /// its rank, so that nothing of the other processes is to be kept for a resumed training.
    /// </summary>
    internal void BeginEpoch(int epoch, int rank)
    {
        // A seed that no other epoch or rank has; multiplied, so that neighbors are unrelated.
        var seeds = new ShuffleRandom(_seed + ((ulong)epoch + 1) * 0xD1342543DE82EF95 + ((ulong)rank + 1) * 0x9E6C63D0876A9A47);
        Dropout.manual_seed((long)(seeds.NextUInt64() >> 1));
        Views.manual_seed((long)(seeds.NextUInt64() >> 1));
        Masks.manual_seed((long)(seeds.NextUInt64() >> 1));
        _shuffle.SetState(new ShuffleRandom(seeds.NextUInt64()).GetState());
    }

    /// <summary>Where the streams stand whenever the loss on rows kept aside is measured: the same views and masks each time.</summary>
    internal IReadOnlyDictionary<string, byte[]> StateForValidation()
    {
        using var start = new RandomStreams((long)ValidationSeed);
        return start.GetState();
    }

    /// <summary>Puts every stream where <see cref="GetState"/> found it.</summary>
    /// <param name="state">From streams of the same device.</param>
    /// <exception cref="ArgumentException">A stream is missing or its bytes are no state of one; nothing is changed.</exception>
    public void SetState(IReadOnlyDictionary<string, byte[]> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (Generator Generator, byte[] Bytes)[] states = [(Weights, Bytes("weights")), (Dropout, Bytes("dropout")), (Views, Bytes("views")),
            (Masks, Bytes("masks"))];
        foreach (var (generator, bytes) in states)
            RequireStateOf(generator, bytes);
        _shuffle.SetState(Bytes("shuffle"));
        foreach (var (generator, bytes) in states)
            SetStateOf(generator, bytes);

        byte[] Bytes(string name) => state.TryGetValue(name, out var bytes)
            ? bytes
            : throw new ArgumentException($"The state has no random stream '{name}'.", nameof(state));
    }

    /// <summary>Frees the generators.</summary>
    public void Dispose()
    {
        Weights.Dispose();
        Dropout.Dispose();
        Views.Dispose();
        Masks.Dispose();
    }

    private static byte[] StateOf(Generator generator)
    {
        using var state = generator.get_state();
        return state.bytes.ToArray();
    }

    // torch ends the process over a state that its generator cannot have. For a CPU that is a Mersenne twister: 8 bytes of the seed, 4 of
    // how many numbers are left before the next twist, 4 of whether it is seeded, 8 of the next number's place, and more
    // (CPUGeneratorImpl).
    private static void RequireStateOf(Generator generator, byte[] bytes)
    {
        const int cpuLength = 5056, words = 624;
        int length = StateOf(generator).Length;
        if (bytes.Length != length)
            throw new ArgumentException($"The state of a random stream has {length} bytes here, got {bytes.Length}.", nameof(bytes));
        if (length != cpuLength)
            return;
        int left = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        int seeded = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        ulong next = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        if (left is < 1 or > words || seeded != 1 || next > words)
        {
            throw new ArgumentException($"The state of a random stream is damaged: {left} numbers are left of {words}, the next stands at "
                + $"{next}, and the mark of a seeded one is {seeded} in place of 1.", nameof(bytes));
        }
    }

    private static void SetStateOf(Generator generator, byte[] bytes)
    {
        using var state = tensor(bytes, dtype: ScalarType.Byte);
        generator.set_state(state);
    }
}
