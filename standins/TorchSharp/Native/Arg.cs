using static TorchSharp.torch;

namespace TorchSharp.Native;

/// <summary>What an argument is; the same numbers as in ssl_torch.cpp.</summary>
internal enum ArgTag
{
    Default = 0, None = 1, Tensor = 2, Int = 3, Double = 4, Bool = 5, IntList = 6, DoubleList = 7, TensorList = 8,
    String = 9, Device = 10, Generator = 11, OptionalTensorList = 12, BoolList = 13,
}

/// <summary>An argument as the native side reads it; 16 bytes.</summary>
internal struct NativeArg
{
    public ArgTag Tag;
    public int Count;
    public nint Value;
}

/// <summary>An argument of an operator: a small value, or a reference to what has to be copied next to the call.</summary>
internal readonly struct Arg
{
    public readonly object? Reference;
    public readonly long Bits;
    public readonly ArgTag Tag;
    public readonly int Count;

    private Arg(ArgTag tag, long bits, object? reference = null, int count = 0)
    {
        Tag = tag;
        Bits = bits;
        Reference = reference;
        Count = count;
    }

    /// <summary>The default of the operator's schema.</summary>
    public static Arg Default => default;

    public static Arg None => new(ArgTag.None, 0);

    /// <summary>For indices: a null entry is a whole dimension.</summary>
    public static Arg Optional(Tensor?[] tensors) => new(ArgTag.OptionalTensorList, 0, tensors, tensors.Length);

    // The tensor itself travels along: it must not be finalized before the call has returned.
    public static implicit operator Arg(Tensor? value) => value is null ? None : new(ArgTag.Tensor, value.Handle, value);
    public static implicit operator Arg(long value) => new(ArgTag.Int, value);
    public static implicit operator Arg(int value) => new(ArgTag.Int, value);
    public static implicit operator Arg(long? value) => value is { } v ? v : None;
    public static implicit operator Arg(int? value) => value is { } v ? (long)v : None;
    public static implicit operator Arg(double value) => new(ArgTag.Double, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Arg(double? value) => value is { } v ? v : None;
    public static implicit operator Arg(bool value) => new(ArgTag.Bool, value ? 1 : 0);
    public static implicit operator Arg(bool? value) => value is { } v ? v : None;
    public static implicit operator Arg(ScalarType value) => new(ArgTag.Int, (int)value);
    public static implicit operator Arg(ScalarType? value) => value is { } v ? v : None;
    public static implicit operator Arg(Device? value) => value is null ? None : new(ArgTag.Device, value.index, null, (int)value.type);
    public static implicit operator Arg(Generator? value) => value is null ? None : new(ArgTag.Generator, value.Handle, value);
    public static implicit operator Arg(Scalar? value) => value is null ? None : new(value.Tag, value.Bits);
    public static implicit operator Arg(long[]? value) => value is null ? None : new(ArgTag.IntList, 0, value, value.Length);
    public static implicit operator Arg(ReadOnlySpan<long> value) => value.ToArray();
    public static implicit operator Arg(double[]? value) => value is null ? None : new(ArgTag.DoubleList, 0, value, value.Length);
    public static implicit operator Arg(bool[]? value) => value is null ? None : new(ArgTag.BoolList, 0, value, value.Length);
    public static implicit operator Arg(Tensor[] value) => new(ArgTag.TensorList, 0, value, value.Length);
    public static implicit operator Arg(string? value) =>
        value is null ? None : new(ArgTag.String, 0, value, System.Text.Encoding.UTF8.GetByteCount(value));

    /// <summary>How many 8-byte words the referenced list needs beside the call.</summary>
    public int Words => Tag switch
    {
        ArgTag.IntList or ArgTag.DoubleList or ArgTag.TensorList or ArgTag.OptionalTensorList => Count,
        ArgTag.String or ArgTag.BoolList => (Count + 7) / 8,
        _ => 0,
    };

    /// <summary>Writes the native form, copying a list to <paramref name="scratch"/>.</summary>
    public unsafe void Write(NativeArg* target, nint* scratch)
    {
        target->Tag = Tag;
        target->Count = Count;
        target->Value = (nint)Bits;
        if (Reference is null || Tag is ArgTag.Tensor or ArgTag.Generator) return;
        target->Value = (nint)scratch;
        switch (Tag)
        {
            case ArgTag.IntList: ((long[])Reference).CopyTo(new Span<long>(scratch, Count)); break;
            case ArgTag.DoubleList: ((double[])Reference).CopyTo(new Span<double>(scratch, Count)); break;
            case ArgTag.BoolList: ((bool[])Reference).CopyTo(new Span<bool>(scratch, Count)); break;
            case ArgTag.String: System.Text.Encoding.UTF8.GetBytes((string)Reference, new Span<byte>(scratch, Count)); break;
            default:
                var tensors = (Tensor?[])Reference;
                for (var k = 0; k < tensors.Length; k++) scratch[k] = tensors[k] is { } tensor ? tensor.Handle : 0;
                break;
        }
    }
}
