using TorchSharp.Modules;
using TorchSharp.Native;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class nn
        {
            public static Conv1d Conv1d(
                long in_channels, long out_channels, long kernelSize, long stride = 1, long padding = 0, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, [kernelSize], [stride], [padding], [dilation], padding_mode, groups), bias, device,
                    dtype);

            public static Conv1d Conv1d(
                long in_channels, long out_channels, long kernelSize, Padding padding, long stride = 1, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, [kernelSize], [stride], null, [dilation], padding_mode, groups, padding), bias, device,
                    dtype);

            public static Conv2d Conv2d(
                long in_channels, long out_channels, long kernelSize, long stride = 1, long padding = 0, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, [kernelSize, kernelSize], [stride, stride], [padding, padding], [dilation, dilation],
                    padding_mode, groups),
                    bias, device, dtype);

            public static Conv2d Conv2d(
                long in_channels, long out_channels, long kernelSize, Padding padding, long stride = 1, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, [kernelSize, kernelSize], [stride, stride], null, [dilation, dilation], padding_mode,
                    groups, padding),
                    bias, device, dtype);

            public static Conv2d Conv2d(
                long in_channels, long out_channels, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null,
                (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true,
                Device? device = null, ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, Pair(kernelSize, 1), Pair(stride, 1), Pair(padding, 0), Pair(dilation, 1), padding_mode,
                    groups),
                    bias, device, dtype);

            public static Conv2d Conv2d(
                long in_channels, long out_channels, (long, long) kernelSize, Padding padding, (long, long)? stride = null,
                (long, long)? dilation = null,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, Pair(kernelSize, 1), Pair(stride, 1), null, Pair(dilation, 1), padding_mode, groups,
                    padding),
                    bias, device, dtype);

            internal static long[] Pair((long, long)? pair, long otherwise) => pair is { } p ? [p.Item1, p.Item2] : [otherwise, otherwise];
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>The shape of a convolution; without numbers the padding is that of the mode Valid or Same.</summary>
    internal sealed record ConvolutionShape(
        long Inputs, long Outputs, long[] Kernel, long[] Stride, long[]? Padding, long[] Dilation, PaddingModes Mode, long Groups,
        Padding Automatic = Padding.Valid);

    public abstract class Convolution : nn.Module<Tensor, Tensor>
    {
        protected long input_channels;
        private readonly ConvolutionShape _shape;
        private readonly long[] _outside;

        private protected Convolution(string name, ConvolutionShape shape) : base(name)
        {
            _shape = shape;
            input_channels = shape.Inputs;
            var rank = shape.Kernel.Length;
            _outside = new long[2 * rank];
            for (var k = 0; k < rank; k++)
            {
                var total = shape.Padding is { } padding ? 2 * padding[k]
                    : shape.Automatic == Padding.Same ? shape.Dilation[k] * (shape.Kernel[k] - 1) : 0;
                _outside[2 * (rank - 1 - k)] = total / 2;
                _outside[2 * (rank - 1 - k) + 1] = total - total / 2;
            }
        }

        private protected Parameter NewWeight(Device? device, ScalarType? dtype)
        {
            var weight = new Parameter(empty([_shape.Outputs, _shape.Inputs / _shape.Groups, .. _shape.Kernel], dtype, device));
            nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
            return weight;
        }

        private protected Parameter NewBias(Device? device, ScalarType? dtype)
        {
            var bound = 1 / Math.Sqrt(_shape.Inputs / _shape.Groups * _shape.Kernel.TotalSize());
            var bias = new Parameter(empty([_shape.Outputs], dtype, device));
            nn.init.uniform_(bias, -bound, bound);
            return bias;
        }

        protected bool ValidateShape(Tensor input, long dimensions)
        {
            var shape = input.shape;
            return (shape.Length == dimensions + 2 && shape[1] == input_channels)
                || (shape.Length == dimensions + 1 && shape[0] == input_channels);
        }

        private protected Tensor Convolve(Operator op, Tensor input, Tensor weight, Tensor? bias)
        {
            if (!ValidateShape(input, _shape.Kernel.Length))
            {
                throw new ArgumentException($"Expected {_shape.Kernel.Length + 1}D (unbatched) or {_shape.Kernel.Length + 2}D "
                    + $"(batched) input with {input_channels} channels to {GetName()}.");
            }
            if (_shape.Mode == PaddingModes.Zeros && _shape.Padding is { } padding)
            {
                return op.Call(input, weight, bias, _shape.Stride, padding, _shape.Dilation, _shape.Groups);
            }
            using var padded = nn.functional.pad(input, _outside, _shape.Mode == PaddingModes.Zeros ? PaddingModes.Constant : _shape.Mode);
            return op.Call(padded, weight, bias, _shape.Stride, new long[_shape.Kernel.Length], _shape.Dilation, _shape.Groups);
        }
    }

    public sealed class Conv1d : Convolution
    {
        [ComponentName(Name = "weight")] private Parameter _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;

        internal Conv1d(ConvolutionShape shape, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Conv1d), shape)
        {
            _weight = NewWeight(device, dtype);
            if (hasBias) _bias = NewBias(device, dtype);
            RegisterComponents();
        }

        public Parameter weight
        {
            get => _weight;
            set
            {
                _weight = value;
                ConditionallyRegisterParameter(nameof(weight), value);
            }
        }

        public Parameter? bias
        {
            get => _bias;
            set
            {
                _bias = value;
                ConditionallyRegisterParameter(nameof(bias), value);
            }
        }

        public override Tensor forward(Tensor input) => Convolve(Ops.conv1d, input, _weight, _bias);
    }

    public sealed class Conv2d : Convolution
    {
        [ComponentName(Name = "weight")] private Parameter _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;

        internal Conv2d(ConvolutionShape shape, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Conv2d), shape)
        {
            _weight = NewWeight(device, dtype);
            if (hasBias) _bias = NewBias(device, dtype);
            RegisterComponents();
        }

        public Parameter weight
        {
            get => _weight;
            set
            {
                _weight = value;
                ConditionallyRegisterParameter(nameof(weight), value);
            }
        }

        public Parameter? bias
        {
            get => _bias;
            set
            {
                _bias = value;
                ConditionallyRegisterParameter(nameof(bias), value);
            }
        }

        public override Tensor forward(Tensor input) => Convolve(Ops.conv2d, input, _weight, _bias);
    }
}
