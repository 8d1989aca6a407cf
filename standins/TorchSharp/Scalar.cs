using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>A number of any of the element types, as an argument of tensor functions.</summary>
public sealed class Scalar : IDisposable
{
    internal Scalar(ArgTag tag, long bits, ScalarType type)
    {
        Tag = tag;
        Bits = bits;
        Type = type;
    }

    internal ArgTag Tag { get; }

    internal long Bits { get; }

    public ScalarType Type { get; }

    internal double AsDouble => Tag == ArgTag.Double ? BitConverter.Int64BitsToDouble(Bits) : Bits;

    internal long AsInt64 => Tag == ArgTag.Double ? checked((long)BitConverter.Int64BitsToDouble(Bits)) : Bits;

    private static Scalar Of(double value, ScalarType type) => new(ArgTag.Double, BitConverter.DoubleToInt64Bits(value), type);

    private static Scalar Of(long value, ScalarType type) => new(ArgTag.Int, value, type);

    public static implicit operator Scalar(byte value) => Of((long)value, ScalarType.Byte);
    public static implicit operator Scalar(sbyte value) => Of((long)value, ScalarType.Int8);
    public static implicit operator Scalar(short value) => Of((long)value, ScalarType.Int16);
    public static implicit operator Scalar(int value) => Of((long)value, ScalarType.Int32);
    public static implicit operator Scalar(long value) => Of(value, ScalarType.Int64);
    public static implicit operator Scalar(Half value) => Of((double)value, ScalarType.Float16);
    public static implicit operator Scalar(float value) => Of((double)value, ScalarType.Float32);
    public static implicit operator Scalar(double value) => Of(value, ScalarType.Float64);
    public static implicit operator Scalar(bool value) => new(ArgTag.Bool, value ? 1 : 0, ScalarType.Bool);

    public void Dispose()
    {
    }
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;
    public static Scalar ToScalar(this sbyte value) => value;
    public static Scalar ToScalar(this short value) => value;
    public static Scalar ToScalar(this int value) => value;
    public static Scalar ToScalar(this long value) => value;
    public static Scalar ToScalar(this Half value) => value;
    public static Scalar ToScalar(this float value) => value;
    public static Scalar ToScalar(this double value) => value;
    public static Scalar ToScalar(this bool value) => value;
    public static Scalar ToBFloat16Scalar(this float value) =>
        new(ArgTag.Double, BitConverter.DoubleToInt64Bits(value), ScalarType.BFloat16);
    public static byte ToByte(this Scalar value) => (byte)value.AsInt64;
    public static sbyte ToSByte(this Scalar value) => (sbyte)value.AsInt64;
    public static short ToInt16(this Scalar value) => (short)value.AsInt64;
    public static int ToInt32(this Scalar value) => (int)value.AsInt64;
    public static long ToInt64(this Scalar value) => value.AsInt64;
    public static Half ToHalf(this Scalar value) => (Half)value.AsDouble;
    public static float ToSingle(this Scalar value) => (float)value.AsDouble;
    public static double ToDouble(this Scalar value) => value.AsDouble;
    public static bool ToBoolean(this Scalar value) => value.AsDouble != 0;
}
