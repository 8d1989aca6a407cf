using System.Runtime.InteropServices;
using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Inverted dropout that draws from a given generator: the global random state of the process is never touched.</summary>
/// <remarks>
/// On a CPU torch draws element by element, which would cost a small transformer more than its attention. There the generator draws
/// one seed a call and a faster generator spends one byte an element; the rate is rounded to a multiple of 1/256, and what is kept is
/// scaled by the rounded rate, so that expectations are exact.
/// </remarks>
public sealed class SeededDropout : nn.Module<Tensor, Tensor>
{
    private const int Levels = 256;

    private readonly Generator _generator;
    private readonly int _threshold;

    /// <summary>A dropout layer.</summary>
    /// <param name="rate">Share of elements set to 0 in training. From 0 to less than 1.</param>
    /// <param name="generator">Where the draws come from, on the device of the inputs; not disposed of.</param>
    public SeededDropout(double rate, Generator generator) : base(nameof(SeededDropout))
    {
        ArgumentNullException.ThrowIfNull(generator);
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), $"Dropout must be at least 0 and less than 1, got {rate}.");
        _generator = generator;
        _threshold = rate == 0 ? 0 : Math.Clamp((int)Math.Round(rate * Levels), 1, Levels - 1);
        RegisterComponents();
    }

    /// <summary>The rate after rounding.</summary>
    public double Rate => (double)_threshold / Levels;

    /// <summary>The same, without a call where nothing is dropped: <paramref name="input"/> itself then.</summary>
    internal Tensor Pass(Tensor input) => training && _threshold > 0 ? call(input) : input;

    /// <summary>Drops in training, passes on in evaluation.</summary>
    /// <param name="input">Any shape.</param>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!training || _threshold == 0)
            return input.alias();
        using var scope = NewDisposeScope();
        var kept = input.device_type == DeviceType.CPU ? KeptOnCpu(input.shape).to(input.dtype) : Draws.FillBernoulli(empty_like(input), 1 - Rate, _generator);
        return input.mul(kept.div_(Number(1 - Rate))).MoveToOuterDisposeScope();
    }

    // 1 where an element stays, 0 where it is dropped.
    private Tensor KeptOnCpu(long[] shape) => Draws.ByRows(shape, _generator, (part, stream) =>
    {
        long seed = Draws.Seed(stream);
        var random = new ShuffleRandom((ulong)seed);
        var bytes = empty(part, dtype: ScalarType.Byte);
        var cells = bytes.bytes;
        var eights = MemoryMarshal.Cast<byte, ulong>(cells);
        for (int i = 0; i < eights.Length; i++)
            eights[i] = random.NextUInt64();
        random.NextBytes(cells[(eights.Length * sizeof(ulong))..]);
        return bytes.ge(Number(_threshold));
    });
}
