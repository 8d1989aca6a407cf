using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>A tensor: a counted reference to one of libtorch's.</summary>
    public partial class Tensor : IDisposable
    {
        private static long _totalCount;
        private static long _peakCount;

        private nint _handle;

        internal Tensor(nint handle, bool register = true)
        {
            _handle = handle;
            var count = Interlocked.Increment(ref _totalCount);
            if (count > _peakCount) _peakCount = count;
            if (register) OwningDisposeScope = DisposeScopeManager.Current.Register(this);
        }

        ~Tensor() => Dispose(false);

        public static long TotalCount => _totalCount;

        public static long PeakCount => _peakCount;

        public string? name { get; set; }

        public bool IsInvalid => _handle == 0;

        public nint Handle
        {
            get
            {
                if (_handle == 0) ThrowInvalid();
                return _handle;
            }
        }

        internal DisposeScope? OwningDisposeScope { get; set; }

        /// <summary>Gives the reference away and leaves the tensor empty.</summary>
        internal nint MoveHandle()
        {
            GC.SuppressFinalize(this);
            Interlocked.Decrement(ref _totalCount);
            var handle = Handle;
            _handle = 0;
            return handle;
        }

        /// <summary>A result of the native side: its reference is taken over; an undefined tensor is null.</summary>
        internal static Tensor Wrap(nint handle) => handle == 0 ? null! : new Tensor(handle);

        public static Tensor UnsafeCreateTensor(nint handle) => new(handle);

        public nint DecoupleFromNativeHandle()
        {
            GC.SuppressFinalize(this);
            var handle = Handle;
            Interlocked.Decrement(ref _totalCount);
            _handle = 0;
            return handle;
        }

        public void Dispose()
        {
            OwningDisposeScope?.MarkAsDisposed(this);
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (_handle == 0) return;
            Interlocked.Decrement(ref _totalCount);
            NativeMethods.ssl_free(_handle);
            _handle = 0;
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor DetatchFromDisposeScope() => DetachFromDisposeScope();

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is null && other is not null) other.Attach(this);
            else OwningDisposeScope?.MoveToOther(other, this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        // ---- what it is

        public long Dimensions => NativeMethods.ssl_dim(Handle);

        public long ndim => Dimensions;

        public long dim() => Dimensions;

        public ScalarType dtype => (ScalarType)NativeMethods.ssl_dtype(Handle);

        public long[] shape
        {
            get
            {
                var sizes = new long[NativeMethods.ssl_dim(Handle)];
                fixed (long* target = sizes) NativeMethods.ssl_sizes(_handle, target);
                return sizes;
            }
        }

        public long[] size() => shape;

        public long size(int dim) => shape[dim < 0 ? dim + (int)Dimensions : dim];

        public long[] stride()
        {
            var strides = new long[NativeMethods.ssl_dim(Handle)];
            fixed (long* target = strides) NativeMethods.ssl_strides(_handle, target);
            return strides;
        }

        public long stride(int dim) => stride()[dim < 0 ? dim + (int)Dimensions : dim];

        public long NumberOfElements => GetInfo().Numel;

        public long numel() => NumberOfElements;

        public long ElementSize => GetInfo().ElementSize;

        public long element_size() => ElementSize;

        public long storage_offset() => GetInfo().StorageOffset;

        public DeviceType device_type => (DeviceType)GetInfo().DeviceType;

        public int device_index => GetInfo().DeviceIndex;

        public Device device
        {
            get
            {
                var info = GetInfo();
                return new Device((DeviceType)info.DeviceType, info.DeviceIndex);
            }
        }

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_sparse => GetInfo().Layout != 0;

        public bool is_contiguous() => GetInfo().Contiguous != 0;

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        // ---- autograd

        public bool is_leaf => GetInfo().Leaf != 0;

        public bool requires_grad
        {
            get => GetInfo().RequiresGrad != 0;
            set
            {
                NativeMethods.Check(NativeMethods.ssl_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public void retain_grad()
        {
            NativeMethods.Check(NativeMethods.ssl_retain_grad(Handle));
            GC.KeepAlive(this);
        }

        public Tensor? grad
        {
            get
            {
                nint grad;
                NativeMethods.Check(NativeMethods.ssl_get_grad(Handle, &grad));
                GC.KeepAlive(this);
                return Wrap(grad);
            }
            set
            {
                NativeMethods.Check(NativeMethods.ssl_set_grad(Handle, value is null ? 0 : value.Handle));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        /// <summary>Sets the gradient to nothing, without the cost of a wrapper.</summary>
        internal void ClearGrad() => NativeMethods.Check(NativeMethods.ssl_set_grad(Handle, 0));

        public void backward() => backward(null);

        public void backward(IList<Tensor>? grad_tensors = null, bool create_graph = false, bool retain_graph = false,
            IList<Tensor>? inputs = null)
        {
            var gradients = autograd.List(grad_tensors);
            var leaves = autograd.List(inputs);
            fixed (nint* gradientHandles = gradients, leafHandles = leaves)
            {
                var first = new NativeArg { Tag = ArgTag.TensorList, Count = gradients.Length, Value = (nint)gradientHandles };
                var second = new NativeArg { Tag = ArgTag.TensorList, Count = leaves.Length, Value = (nint)leafHandles };
                NativeMethods.Check(NativeMethods.ssl_backward(Handle, &first, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0,
                &second));
            }
            GC.KeepAlive(this);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public Tensor alias() => new(NativeMethods.ssl_alias(Handle));

        // ---- its memory

        /// <summary>The elements as they lie in memory; the tensor must be contiguous and on the CPU.</summary>
        public Span<byte> bytes
        {
            get
            {
                var info = GetInfo();
                if (info.Contiguous == 0) throw new NotImplementedException("Bytes() called on non-contiguous tensor.");
                var length = info.Numel * info.ElementSize;
                if (length > int.MaxValue) throw new ArgumentException("Span only supports up to int.MaxValue elements.");
                if (info.DeviceType != 0)
                {
                    throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor "
                        + "to the cpu before reading.");
                }
                return new Span<byte>((void*)DataPointer(), (int)length);
            }
            set
            {
                var info = GetInfo();
                if (info.Contiguous == 0) throw new NotImplementedException("SetBytes() called on non-contiguous tensor.");
                if (info.Numel * info.ElementSize != value.Length) throw new ArgumentException("Mismatched data sizes in SetBytes().");
                if (info.DeviceType == 0)
                {
                    value.CopyTo(new Span<byte>((void*)DataPointer(), value.Length));
                    return;
                }
                using var host = torch.empty(shape, dtype, CPU);
                value.CopyTo(host.bytes);
                using var _ = no_grad();
                copy_(host);
            }
        }

        public Utils.TensorAccessor<T> data<T>() where T : unmanaged
        {
            if (device_type != DeviceType.CPU)
            {
                throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to "
                    + "the cpu before reading.");
            }
            ValidateType(typeof(T));
            return new Utils.TensorAccessor<T>(this);
        }

        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1) throw new ArgumentException($"Number of elements in the tensor must be 1");
            ValidateType(typeof(T));
            if (device_type == DeviceType.CPU)
            {
                var value = Unsafe.Read<T>((void*)DataPointer());
                GC.KeepAlive(this);
                return value;
            }
            using var host = cpu();
            return Unsafe.Read<T>((void*)host.DataPointer());
        }

        internal nint DataPointer()
        {
            nint data;
            NativeMethods.Check(NativeMethods.ssl_data(Handle, &data));
            GC.KeepAlive(this);
            return data;
        }

        internal NativeMethods.Info GetInfo()
        {
            NativeMethods.Info info;
            NativeMethods.Check(NativeMethods.ssl_info(Handle, &info));
            return info;
        }

        internal void ValidateType(Type type)
        {
            var fits = dtype switch
            {
                ScalarType.Byte => type == typeof(byte),
                ScalarType.Int8 => type == typeof(sbyte),
                ScalarType.Int16 => type == typeof(short),
                ScalarType.Int32 => type == typeof(int),
                ScalarType.Int64 => type == typeof(long),
                ScalarType.Bool => type == typeof(bool),
                ScalarType.BFloat16 => type == typeof(float),
                ScalarType.Float16 => type == typeof(Half),
                ScalarType.Float32 => type == typeof(float),
                ScalarType.Float64 => type == typeof(double),
                ScalarType.ComplexFloat32 => type == typeof((float, float)),
                ScalarType.ComplexFloat64 => type == typeof(System.Numerics.Complex),
                _ => false,
            };
            if (!fits) throw new ArgumentException($"{type.Name} is not compatible with {dtype}");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void ThrowInvalid() => throw new InvalidOperationException("Tensor invalid -- empty handle.");

        public override string ToString() => ToString(TensorStringStyle.Metadata);

        public string ToString(TensorStringStyle style, string? fltFormat = null, int? width = null,
            System.Globalization.CultureInfo? cultureInfo = null, string? newLine = null)
        {
            if (style is not (TensorStringStyle.Metadata or TensorStringStyle.Default))
            {
                throw new NotSupportedException("This stand-in writes tensors as metadata only.");
            }
            return $"[{string.Join("x", shape)}], type = {dtype}, device = {device}" + (name is null ? "" : ", name = " + name);
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        public bool Equals(Tensor target)
        {
            if (target is null) return false;
            if (ReferenceEquals(this, target)) return true;
            return _equalTensors.CallValue(this, target).Bits != 0;
        }

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

        private static readonly Operator _equalTensors = new("equal");
    }
}
