using System.Collections;
using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>Where a tensor lies: a device type and, for several of the kind, an index.</summary>
    public class Device
    {
        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = deviceType == DeviceType.CUDA && index < 0 ? 0 : index;
        }

        public Device(string description)
        {
            var parts = description.Split(':');
            type = Parse(parts[0]);
            index = parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : type == DeviceType.CUDA ? 0
            : -1;
        }

        public Device(string deviceType, int index = -1) : this(Parse(deviceType), index)
        {
        }

        public Device(int index) : this(DeviceType.CUDA, index)
        {
        }

        public DeviceType type { get; }

        public int index { get; }

        public static implicit operator Device(string description) => new(description);

        public override string ToString() =>
            type == DeviceType.CPU || index < 0 ? type.ToString().ToLowerInvariant() : $"{type.ToString().ToLowerInvariant()}:{index}";

        public override bool Equals(object? obj) => obj is Device other && other.type == type && other.index == index;

        public override int GetHashCode() => HashCode.Combine(type, index);

        private static DeviceType Parse(string name) => name.ToLowerInvariant() switch
        {
            "cpu" => DeviceType.CPU,
            "cuda" => DeviceType.CUDA,
            "mps" => DeviceType.MPS,
            "meta" => DeviceType.META,
            _ => throw new ArgumentException($"'{name}' is not a valid device type."),
        };
    }

    /// <summary>A stream of random numbers of its own.</summary>
    public class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null)
        {
            this.device = device ?? CPU;
            nint handle;
            NativeMethods.Check(NativeMethods.ssl_generator_new((int)this.device.type, this.device.index, seed, &handle));
            _handle = handle;
        }

        internal Generator(DeviceType type, int index)
        {
            device = new Device(type, index);
            nint handle;
            NativeMethods.Check(NativeMethods.ssl_generator_default((int)type, index, &handle));
            _handle = handle;
        }

        ~Generator() => Dispose(false);

        /// <summary>The generator that functions use when none is given.</summary>
        public static Generator Default => new(DeviceType.CPU, -1);

        public Device device { get; }

        public nint Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Generator invalid -- empty handle.");

        public Generator manual_seed(long seed)
        {
            var value = (ulong)seed;
            NativeMethods.Check(NativeMethods.ssl_generator_seed(Handle, 1, &value));
            return this;
        }

        public long seed()
        {
            ulong value;
            NativeMethods.Check(NativeMethods.ssl_generator_seed(Handle, 2, &value));
            return (long)value;
        }

        public long initial_seed()
        {
            ulong value;
            NativeMethods.Check(NativeMethods.ssl_generator_seed(Handle, 0, &value));
            return (long)value;
        }

        public Tensor get_state()
        {
            nint state;
            NativeMethods.Check(NativeMethods.ssl_generator_state(Handle, 0, &state));
            return Tensor.Wrap(state);
        }

        public void set_state(Tensor value) => NativeMethods.Check(NativeMethods.ssl_generator_state(Handle, value.Handle, null));

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (_handle == 0) return;
            NativeMethods.ssl_generator_free(_handle);
            _handle = 0;
        }
    }

    public static Generator manual_seed(long seed)
    {
        NativeMethods.Check(NativeMethods.ssl_manual_seed((ulong)seed));
        return Generator.Default;
    }

    public static long seed() => Generator.Default.seed();

    public static long initial_seed() => Generator.Default.initial_seed();

    public static Tensor get_rng_state() => Generator.Default.get_state();

    public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);

    /// <summary>The lengths of a tensor's dimensions.</summary>
    public readonly struct Size : IEnumerable<long>
    {
        public static Size Empty = new(0L);

        public Size(long[] shape) => Shape = (long[])shape.Clone();

        public Size(IEnumerable<long> shape) => Shape = [.. shape];

        public Size(int[] shape) => Shape = Array.ConvertAll(shape, length => (long)length);

        public Size(long size) => Shape = [size];

        public Size(int size) => Shape = [size];

        public long[] Shape { get; }

        public int Length => Shape.Length;

        public bool IsEmpty => Shape.Length == 0;

        public bool IsScalar => Shape.Length == 0;

        public long this[int idx] => Shape[idx];

        public long this[long idx] => Shape[idx];

        public static implicit operator Size(long size) => new(size);

        public static implicit operator Size(long[] size) => new(size);

        public static bool operator ==(Size left, Size right) => left.Shape.AsSpan().SequenceEqual(right.Shape);

        public static bool operator !=(Size left, Size right) => !(left == right);

        public long numel()
        {
            var product = 1L;
            foreach (var length in Shape) product *= length;
            return product;
        }

        public Size Slice(int first, int next) => new(Shape[first..next]);

        public override bool Equals(object? obj) => obj is Size other && this == other;

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (var length in Shape) hash.Add(length);
            return hash.ToHashCode();
        }

        public override string ToString() => "[" + string.Join(", ", Shape) + "]";

        public IEnumerator<long> GetEnumerator() => ((IEnumerable<long>)Shape).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => Shape.GetEnumerator();
    }

    /// <summary>One index of <see cref="Tensor"/>'s indexer.</summary>
    public readonly struct TensorIndex
    {
        internal enum Kind
        {
            None, Ellipsis, Single, Slice, Bool, Tensor,
        }

        private TensorIndex(Kind kind, long? start = null, long? stop = null, long? step = null, Tensor? tensor = null)
        {
            What = kind;
            Start = start;
            Stop = stop;
            Step = step;
            Indices = tensor;
        }

        internal Kind What { get; }

        internal long? Start { get; }

        internal long? Stop { get; }

        internal long? Step { get; }

        internal Tensor? Indices { get; }

        public static TensorIndex Ellipsis = new(Kind.Ellipsis);

        public static TensorIndex None = new(Kind.None);

        public static TensorIndex Null = new(Kind.None);

        public static TensorIndex Colon = new(Kind.Slice);

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new(Kind.Slice, start, stop, step);

        public static TensorIndex Slice((int?, int?) range) => new(Kind.Slice, range.Item1, range.Item2);

        public static TensorIndex Slice(Range range) => new(
            Kind.Slice,
            range.Start.IsFromEnd ? -range.Start.Value : range.Start.Value,
            !range.End.IsFromEnd ? range.End.Value : range.End.Value == 0 ? null : -range.End.Value);

        public static TensorIndex Bool(bool value) => new(Kind.Bool, value ? 1 : 0);

        public static TensorIndex Single(long? index) => new(Kind.Single, index);

        public static TensorIndex Tensor(Tensor tensor) => new(Kind.Tensor, tensor: tensor);

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex((int?, int?) range) => Slice(range);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(index.IsFromEnd ? -index.Value : index.Value);
    }
}
