using System.Buffers.Binary;
using System.Numerics;
using Microsoft.ML.Runtime;

// In Microsoft.ML like the real one: its name can be seen through IHost.Rand.GetType().
namespace Microsoft.ML;

/// <summary>Hybrid Tausworthe generator (L'Ecuyer's three Tausworthe parts and a linear congruential one), seeded by MurmurHash
/// rounds.</summary>
internal sealed class TauswortheHybrid : Random
{
    private uint _first;
    private uint _second;
    private uint _third;
    private uint _linear;

    public TauswortheHybrid(uint seed)
    {
        _first = seed;
        _second = Murmur.Round(_first, _first);
        _third = Murmur.Round(_second, _first);
        _linear = Murmur.Round(_third, _first);
    }

    public TauswortheHybrid(Random source)
    {
        _first = TauswortheState(source);
        _second = TauswortheState(source);
        _third = TauswortheState(source);
        _linear = Bits(source);
    }

    private TauswortheHybrid(TauswortheHybrid other)
    {
        (_first, _second, _third, _linear) = (other._first, other._second, other._third, other._linear);
    }

    public static TauswortheHybrid Create(int? seed) =>
        seed is { } value ? new TauswortheHybrid((uint)value) : new TauswortheHybrid(new Random());

    public TauswortheHybrid Copy() => new(this);

    public override double NextDouble()
    {
        Advance();
        return Value * (1d / 4294967296d);
    }

    public override float NextSingle()
    {
        Advance();

        // 23 bits, so that the conversion is exact and 1 cannot come out.
        return (Value >> 9) * (1f / (1 << 23));
    }

    public int NextSigned()
    {
        Advance();
        return (int)Value;
    }

    public override int Next()
    {
        Advance();
        var value = Value;
        return (int)(value + (value & 0x80000000U));
    }

    public override int Next(int maxValue)
    {
        Contracts.CheckParam(null, maxValue >= 0, nameof(maxValue), "maxValue must be non-negative");
        Advance();
        return (int)(((ulong)Value * (ulong)maxValue) >> 32);
    }

    public override int Next(int minValue, int maxValue)
    {
        Contracts.CheckParam(null, minValue <= maxValue, nameof(minValue), "minValue must be less than or equal to maxValue.");
        return (int)((long)(NextDouble() * ((long)maxValue - minValue)) + minValue);
    }

    public override void NextBytes(byte[] buffer)
    {
        for (var i = 0; i < buffer.Length; i++)
        {
            buffer[i] = (byte)Next();
        }
    }

    protected override double Sample() => NextDouble();

    private uint Value => _first ^ _second ^ _third ^ _linear;

    private static uint Bits(Random source) => ((uint)source.Next(0x10000) << 16) | (uint)source.Next(0x10000);

    private static uint TauswortheState(Random source)
    {
        // Small states make the Tausworthe parts degenerate.
        for (; ;)
        {
            var bits = Bits(source);
            if (bits >= 128)
            {
                return bits;
            }
        }
    }

    private static uint Step(uint state, int left, int right, int shift, uint mask) =>
        ((state & mask) << shift) ^ (((state << left) ^ state) >> right);

    private void Advance()
    {
        _first = Step(_first, 13, 19, 12, ~0x1U);
        _second = Step(_second, 2, 25, 4, ~0x7U);
        _third = Step(_third, 3, 11, 17, ~0xFU);
        _linear = (1664525 * _linear) + 1013904223;
    }
}

/// <summary>MurmurHash3, 32 bit.</summary>
internal static class Murmur
{
    public static uint Round(uint hash, uint chunk)
    {
        return (BitOperations.RotateLeft(hash ^ Scramble(chunk), 13) * 5) + 0xE6546B64;
    }

    private static uint Scramble(uint chunk) => BitOperations.RotateLeft(chunk * 0xCC9E2D51, 15) * 0x1B873593;

    /// <summary>The hash of bytes, starting from a seed.</summary>
    public static uint Hash(uint seed, ReadOnlySpan<byte> bytes)
    {
        var (hash, at) = (seed, 0);
        for (; at + 4 <= bytes.Length; at += 4)
        {
            hash = Round(hash, BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]));
        }

        var tail = 0u;
        for (var i = bytes.Length - 1; i >= at; i--)
        {
            tail = (tail << 8) | bytes[i];
        }

        return Finish(hash ^ Scramble(tail) ^ (uint)bytes.Length);
    }

    public static uint Finish(uint hash)
    {
        hash ^= hash >> 16;
        hash *= 0x85EBCA6B;
        hash ^= hash >> 13;
        hash *= 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }
}
