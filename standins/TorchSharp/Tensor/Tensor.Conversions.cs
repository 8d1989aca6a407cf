using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public enum RoundingMode
        {
            None = 0, trunc = 1, floor = 2,
        }

        public partial class Tensor
        {
            public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
                After(Ops.to_dtype.Call(this, type, non_blocking, copy), disposeAfter);

            public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
                After(Ops.to_device.Call(this, InitializeDevice(device), dtype, non_blocking, copy), disposeAfter);

            public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
                After(Ops.to_device.Call(this, InitializeDevice(device), type, non_blocking, copy), disposeAfter);

            public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false,
                bool non_blocking = false) =>
                to(new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

            public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
                to(new Device(device), copy, disposeAfter, non_blocking);

            public Tensor to(Tensor other, bool non_blocking = false) => to(other.dtype, other.device, non_blocking: non_blocking);

            public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
                to(type, copy, disposeAfter, non_blocking);

            public Tensor type(ScalarType dtype) => to(dtype);

            public Tensor type_as(Tensor tensor) => to(tensor.dtype);

            public Tensor cpu() => to(CPU);

            public Tensor cuda(Device? device = null, bool non_blocking = false) => to(device ?? CUDA, non_blocking: non_blocking);

            public Tensor @bool() => to(ScalarType.Bool);

            public Tensor @byte() => to(ScalarType.Byte);

            public Tensor @char() => to(ScalarType.Int8);

            public Tensor @short() => to(ScalarType.Int16);

            public Tensor @int() => to(ScalarType.Int32);

            public Tensor @long() => to(ScalarType.Int64);

            public Tensor half() => to(ScalarType.Float16);

            public Tensor bfloat16() => to(ScalarType.BFloat16);

            public Tensor @float() => to(ScalarType.Float32);

            public Tensor @double() => to(ScalarType.Float64);

            public Scalar ToScalar()
            {
                var (tag, bits) = Ops._local_scalar_dense.CallValue(this);
                return new Scalar(tag, bits, dtype);
            }

            public Tensor T => Ops.numpy_T.Call(this);

            public Tensor mT => Ops.mT.Call(this);

            internal Tensor With(bool requires_grad)
            {
                if (requires_grad) this.requires_grad = true;
                return this;
            }

            private Tensor After(Tensor result, bool disposeAfter)
            {
                if (disposeAfter) Dispose();
                return result;
            }

            private static Tensor Made(Tensor tensor, bool requires_grad) => tensor.With(requires_grad);

            private static Tensor Typed(Tensor tensor, ScalarType? type)
            {
                if (type is not { } wanted || wanted == tensor.dtype) return tensor;
                using (tensor) return tensor.to(wanted);
            }

            private static (Tensor, Tensor) Typed((Tensor, Tensor) pair, ScalarType? type) =>
                (Typed(pair.Item1, type), Typed(pair.Item2, type));

            private static Tensor Into(Tensor tensor, Tensor? target)
            {
                if (target is null) return tensor;
                using (tensor) return target.copy_(tensor);
            }

            private static string RoundingText(RoundingMode mode) => mode == RoundingMode.trunc ? "trunc" : "floor";
        }
    }

    public static unsafe class TensorExtensionMethods
    {
        public static Modules.Parameter AsParameter(this Tensor tensor) => new(tensor);

        public static long TotalSize(this IEnumerable<long> shape)
        {
            var product = 1L;
            foreach (var length in shape) product *= length;
            return product;
        }

        public static int ElementSize(this ScalarType type) => type switch
        {
            ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
            ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
            ScalarType.Int32 or ScalarType.Float32 => 4,
            ScalarType.Int64 or ScalarType.Float64 or ScalarType.ComplexFloat32 => 8,
            ScalarType.ComplexFloat64 => 16,
            _ => throw new ArgumentException($"{type} is no element type."),
        };

        public static float ToSingle(this Tensor value) => value.ToScalar().ToSingle();
        public static double ToDouble(this Tensor value) => value.ToScalar().ToDouble();
        public static sbyte ToSByte(this Tensor value) => value.ToScalar().ToSByte();
        public static byte ToByte(this Tensor value) => value.ToScalar().ToByte();
        public static short ToInt16(this Tensor value) => value.ToScalar().ToInt16();
        public static int ToInt32(this Tensor value) => value.ToScalar().ToInt32();
        public static long ToInt64(this Tensor value) => value.ToScalar().ToInt64();
        public static bool ToBoolean(this Tensor value) => value.ToScalar().ToBoolean();
        public static Half ToHalf(this Tensor value) => value.ToScalar().ToHalf();
    }
}
