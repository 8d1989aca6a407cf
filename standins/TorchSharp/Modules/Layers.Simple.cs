using TorchSharp.Modules;
using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class nn
        {
            public static ReLU ReLU(bool inplace = false) => new(inplace);

            public static GELU GELU() => new();

            public static SiLU SiLU() => new();

            public static Tanh Tanh() => new();

            public static Sigmoid Sigmoid() => new();

            public static Identity Identity() => new();

            public static Softmax Softmax(long dim) => new(dim);

            public static Flatten Flatten(long startDim = 1, long endDim = -1) => new(startDim, endDim);

            public static Dropout Dropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            public static AvgPool2d AvgPool2d(
                long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false,
                bool count_include_pad = true, long? divisor_override = null) =>
                new([kernel_size, kernel_size], [stride ?? kernel_size, stride ?? kernel_size], [padding ?? 0, padding ?? 0], ceil_mode,
                    count_include_pad, divisor_override);

            public static MaxPool2d MaxPool2d(
                long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceilMode = false) =>
                new([kernelSize, kernelSize], [stride ?? kernelSize, stride ?? kernelSize], [padding ?? 0, padding ?? 0],
                    [dilation ?? 1, dilation ?? 1], ceilMode);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long outputSize) => new([outputSize, outputSize]);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] outputSize) => new(outputSize);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d((long, long) outputSize) => new([outputSize.Item1, outputSize.Item2]);

            public static MaxPool2d MaxPool2d(
                long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceilMode = false) =>
                new(kernelSize, strides ?? kernelSize, padding ?? [0, 0], dilation ?? [1, 1], ceilMode);

            public static MaxPool2d MaxPool2d(
                (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null,
                bool ceilMode = false) =>
                new(Pair(kernelSize, 1), Pair(stride ?? kernelSize, 1), Pair(padding, 0), Pair(dilation, 1), ceilMode);
        }
    }
}

// Layers without parameters.
namespace TorchSharp.Modules
{
    public sealed class ReLU : nn.Module<Tensor, Tensor>
    {
        private readonly bool _inplace;

        internal ReLU(bool inplace) : base(nameof(ReLU))
        {
            _inplace = inplace;
        }

        public override Tensor forward(Tensor tensor) => _inplace ? tensor.relu_().alias() : tensor.relu();
    }

    public sealed class GELU : nn.Module<Tensor, Tensor>
    {
        internal GELU() : base(nameof(GELU))
        {
        }

        public override Tensor forward(Tensor tensor) => Ops.gelu.Call(tensor);
    }

    public sealed class SiLU : nn.Module<Tensor, Tensor>
    {
        internal SiLU() : base(nameof(SiLU))
        {
        }

        public override Tensor forward(Tensor tensor) => Ops.silu.Call(tensor);
    }

    public sealed class Tanh : nn.Module<Tensor, Tensor>
    {
        internal Tanh() : base(nameof(Tanh))
        {
        }

        public override Tensor forward(Tensor tensor) => tensor.tanh();
    }

    public sealed class Sigmoid : nn.Module<Tensor, Tensor>
    {
        internal Sigmoid() : base(nameof(Sigmoid))
        {
        }

        public override Tensor forward(Tensor tensor) => tensor.sigmoid();
    }

    public sealed class Identity : nn.Module<Tensor, Tensor>
    {
        internal Identity() : base(nameof(Identity))
        {
        }

        public override Tensor forward(Tensor tensor) => tensor.alias();
    }

    public sealed class Softmax : nn.Module<Tensor, Tensor>
    {
        private readonly long _dim;

        internal Softmax(long dim) : base(nameof(Softmax))
        {
            _dim = dim;
        }

        public override Tensor forward(Tensor tensor) => tensor.softmax(_dim);
    }

    public sealed class Flatten : nn.Module<Tensor, Tensor>
    {
        private readonly long _startDim;
        private readonly long _endDim;

        internal Flatten(long startDim, long endDim) : base(nameof(Flatten))
        {
            (_startDim, _endDim) = (startDim, endDim);
        }

        public override Tensor forward(Tensor tensor) => tensor.flatten(_startDim, _endDim);
    }

    public sealed class Dropout : nn.Module<Tensor, Tensor>
    {
        private readonly double _p;
        private readonly bool _inplace;

        internal Dropout(double p, bool inplace) : base(nameof(Dropout))
        {
            (_p, _inplace) = (p, inplace);
        }

        public override Tensor forward(Tensor tensor) => nn.functional.dropout(tensor, _p, training, _inplace);
    }

    public sealed class AvgPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _kernel;
        private readonly long[] _stride;
        private readonly long[] _padding;
        private readonly bool _ceiling;
        private readonly bool _includePadding;
        private readonly long? _divisor;

        internal AvgPool2d(long[] kernel, long[] stride, long[] padding, bool ceiling, bool includePadding, long? divisor)
            : base(nameof(AvgPool2d))
        {
            (_kernel, _stride, _padding, _ceiling, _includePadding, _divisor) = (kernel, stride, padding, ceiling, includePadding, divisor);
        }

        public override Tensor forward(Tensor tensor) =>
            Ops.avg_pool2d.Call(tensor, _kernel, _stride, _padding, _ceiling, _includePadding, _divisor);
    }

    public sealed class MaxPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _kernel;
        private readonly long[] _stride;
        private readonly long[] _padding;
        private readonly long[] _dilation;
        private readonly bool _ceiling;

        internal MaxPool2d(long[] kernel, long[] stride, long[] padding, long[] dilation, bool ceiling) : base(nameof(MaxPool2d))
        {
            (_kernel, _stride, _padding, _dilation, _ceiling) = (kernel, stride, padding, dilation, ceiling);
        }

        public override Tensor forward(Tensor tensor) => Ops.max_pool2d.Call(tensor, _kernel, _stride, _padding, _dilation, _ceiling);
    }

    public sealed class AdaptiveAvgPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _outputSize;

        internal AdaptiveAvgPool2d(long[] outputSize) : base(nameof(AdaptiveAvgPool2d))
        {
            _outputSize = outputSize;
        }

        public override Tensor forward(Tensor tensor) => Ops.adaptive_avg_pool2d.Call(tensor, _outputSize);
    }
}
