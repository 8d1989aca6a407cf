using System.Collections;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Native;

namespace TorchSharp;

// What the many creation functions share.
public static unsafe partial class torch
{
    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
    {
        var integral = start.Tag != ArgTag.Double && stop.Tag != ArgTag.Double && step.Tag != ArgTag.Double;
        var type = dtype ?? (integral ? ScalarType.Int64 : _defaultDtype);
        return Ops.arange_start_step.Call(start, stop, step, type, Arg.None, InitializeDevice(device)).With(requires_grad);
    }

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.linspace.Call(start, end, steps, dtype ?? _defaultDtype, Arg.None, InitializeDevice(device)).With(requires_grad);

    public static Tensor eye(
        long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false,
        string[]? names = null) =>
        Unnamed(names, Ops.eye_m.Call(rows, columns < 0 ? rows : columns, dtype ?? _defaultDtype, Arg.None,
        InitializeDevice(device)).With(requires_grad));

    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false,
        Generator? generator = null) =>
        Ops.randperm_generator.Call(n, generator, dtype ?? ScalarType.Int64, Arg.None, InitializeDevice(device)).With(requires_grad);

    /// <summary>A tensor over the array's own memory: what is written to one is seen in the other.</summary>
    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    /// <inheritdoc cref="from_array(Array, Device?)"/>
    public static Tensor from_array(
        Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        var sizes = new long[rawArray.Rank];
        for (var k = 0; k < sizes.Length; k++) sizes[k] = rawArray.GetLongLength(k);
        var type = TypeOf(rawArray.GetType().GetElementType()!);
        var pin = GCHandle.Alloc(rawArray, GCHandleType.Pinned);
        nint handle;
        int status;
        fixed (long* lengths = sizes)
        {
            status = NativeMethods.ssl_from_blob(pin.AddrOfPinnedObject(), lengths, sizes.Length, (int)type, &Unpin,
            GCHandle.ToIntPtr(pin), &handle);
        }
        if (status < 0)
        {
            pin.Free();
            NativeMethods.Throw();
        }
        return Unnamed(names, Placed(new Tensor(handle), dtype ?? type, device, requires_grad));
    }

    public static Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        var type = TypeOf(rawArray.GetType().GetElementType()!);
        using var whole = from_array(rawArray);
        var flat = whole.reshape(-1).narrow(0, offset, count < 0 ? rawArray.LongLength - offset : count);
        return (dtype == type ? flat : flat.to(dtype)).With(requires_grad);
    }

    internal static Tensor[] List(IEnumerable<Tensor> tensors) => tensors as Tensor[] ?? [.. tensors];

    // The stand-in has no named dimensions.
    internal static Tensor Unnamed(string[]? names, Tensor tensor) =>
        names is null ? tensor : throw new NotSupportedException("Named dimensions are not part of this stand-in.");

    private static Tensor Fresh(
        Operator create, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) =>
        Unnamed(names, create.Call(size, dtype ?? _defaultDtype, Arg.None, InitializeDevice(device)).With(requires_grad));

    private static Tensor Draw(
        Operator create, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator,
        string[]? names) =>
        Unnamed(names, create.Call(size, generator, dtype ?? _defaultDtype, Arg.None, InitializeDevice(device)).With(requires_grad));

    private static Tensor Full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype, Device? device, bool requires_grad,
        string[]? names) =>
        Unnamed(names, Ops.full.Call(size, value, dtype ?? _defaultDtype, Arg.None, InitializeDevice(device)).With(requires_grad));

    private static Tensor RandInt(
        long low, long high, long[] size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator, string[]? names) =>
        Unnamed(names, Ops.randint_low_generator.Call(low, high, size, generator, dtype ?? ScalarType.Int64, Arg.None,
        InitializeDevice(device))
            .With(requires_grad));

    private static Tensor Single<T>(T scalar, ScalarType? dtype, Device? device, bool requires_grad) where T : unmanaged =>
        Copy(new ReadOnlySpan<T>(in scalar), [], dtype, device, requires_grad, null);

    private static Tensor Copy<T>(
        ReadOnlySpan<T> elements, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
            where T : unmanaged
    {
        var type = TypeOf(typeof(T));
        var tensor = Ops.empty_memory_format.Call(size, type, Arg.None, CPU);
        var target = new Span<T>((void*)tensor.DataPointer(), (int)tensor.numel());
        if (target.Length != elements.Length)
        {
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {target.Length} elements wanted, "
                + $"{elements.Length} given.");
        }
        elements.CopyTo(target);
        GC.KeepAlive(tensor);
        return Unnamed(names, Placed(tensor, dtype ?? type, device, requires_grad));
    }

    // An array of several dimensions lies in memory row by row, as a tensor does.
    private static Tensor Copy<T>(T[,] array, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) where T : unmanaged =>
        Copy(Flat<T>(array), [array.GetLength(0), array.GetLength(1)], dtype, device, requires_grad, names);

    private static Tensor Copy<T>(T[,,] array, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
        where T : unmanaged =>
        Copy(Flat<T>(array), [array.GetLength(0), array.GetLength(1), array.GetLength(2)], dtype, device, requires_grad, names);

    private static Tensor Copy<T>(T[,,,] array, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
        where T : unmanaged =>
        Copy(Flat<T>(array), [array.GetLength(0), array.GetLength(1), array.GetLength(2), array.GetLength(3)], dtype, device,
        requires_grad, names);

    private static ReadOnlySpan<T> Flat<T>(Array array) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);

    private static ReadOnlySpan<T> Elements<T>(IList<T> list) =>
        list is List<T> concrete ? CollectionsMarshal.AsSpan(concrete) : list as T[] ?? list.ToArray();

    private static Tensor Placed(Tensor tensor, ScalarType type, Device? device, bool requires_grad)
    {
        var target = InitializeDevice(device);
        if (type == tensor.dtype && target.type == DeviceType.CPU) return tensor.With(requires_grad);
        using (tensor) return tensor.to(type, target).With(requires_grad);
    }

    private static ScalarType TypeOf(Type type) =>
        type == typeof(float) ? ScalarType.Float32
        : type == typeof(double) ? ScalarType.Float64
        : type == typeof(long) ? ScalarType.Int64
        : type == typeof(int) ? ScalarType.Int32
        : type == typeof(short) ? ScalarType.Int16
        : type == typeof(byte) ? ScalarType.Byte
        : type == typeof(sbyte) ? ScalarType.Int8
        : type == typeof(bool) ? ScalarType.Bool
        : type == typeof(Half) ? ScalarType.Float16
        : throw new NotSupportedException($"Tensors of {type.Name} are not part of this stand-in.");

    [UnmanagedCallersOnly]
    private static void Unpin(nint context) => GCHandle.FromIntPtr(context).Free();
}
