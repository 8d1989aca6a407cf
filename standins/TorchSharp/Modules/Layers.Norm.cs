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
            public static LayerNorm LayerNorm(
                long[] normalized_shape, double eps = 1E-05, bool elementwise_affine = true, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(normalized_shape, eps, elementwise_affine, bias, device, dtype);

            public static LayerNorm LayerNorm(
                long normalized_shape, double eps = 1E-05, bool elementwise_affine = true, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            public static GroupNorm GroupNorm(
                long num_groups, long num_channels, double eps = 1E-05, bool affine = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(num_groups, num_channels, eps, affine, device, dtype);

            public static BatchNorm1d BatchNorm1d(
                long features, double eps = 1E-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true,
                Device? device = null, ScalarType? dtype = null) =>
                new(features, eps, momentum, affine, track_running_stats, device, dtype);

            public static BatchNorm2d BatchNorm2d(
                long features, double eps = 1E-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true,
                Device? device = null, ScalarType? dtype = null) =>
                new(features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    public sealed class LayerNorm : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _shape;
        private readonly double _eps;
        [ComponentName(Name = "weight")] private Parameter? _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;

        internal LayerNorm(long[] shape, double eps, bool affine, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(LayerNorm))
        {
            (_shape, _eps) = (shape, eps);
            if (affine) _weight = new Parameter(ones(shape, dtype, device));
            if (affine && hasBias) _bias = new Parameter(zeros(shape, dtype, device));
            RegisterComponents();
        }

        public Parameter? weight
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

        public override Tensor forward(Tensor tensor) => Ops.layer_norm.Call(tensor, _shape, _weight, _bias, _eps);
    }

    public sealed class GroupNorm : nn.Module<Tensor, Tensor>
    {
        private readonly long _groups;
        private readonly double _eps;
        [ComponentName(Name = "weight")] private Parameter? _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;

        internal GroupNorm(long groups, long channels, double eps, bool affine, Device? device, ScalarType? dtype) : base(nameof(GroupNorm))
        {
            (_groups, _eps) = (groups, eps);
            if (affine)
            {
                _weight = new Parameter(ones([channels], dtype, device));
                _bias = new Parameter(zeros([channels], dtype, device));
            }
            RegisterComponents();
        }

        public Parameter? weight
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

        public override Tensor forward(Tensor tensor) => Ops.group_norm.Call(tensor, _groups, _weight, _bias, _eps);
    }

    public sealed class BatchNorm1d : nn.Module<Tensor, Tensor>
    {
        private readonly double _eps;
        private readonly double _momentum;
        [ComponentName(Name = "weight")] private Parameter? _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;
        [ComponentName(Name = "running_mean")] private Tensor? _mean;
        [ComponentName(Name = "running_var")] private Tensor? _variance;
        [ComponentName(Name = "num_batches_tracked")] private Tensor? _batches;

        internal BatchNorm1d(long features, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm1d))
        {
            (_eps, _momentum) = (eps, momentum);
            if (affine)
            {
                _weight = new Parameter(ones([features], dtype, device));
                _bias = new Parameter(zeros([features], dtype, device));
            }
            if (track)
            {
                _mean = zeros([features], dtype, device);
                _variance = ones([features], dtype, device);
                _batches = tensor(0L, device: device);
            }
            RegisterComponents();
        }

        public Parameter? weight
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

        public Tensor? running_mean
        {
            get => _mean;
            set
            {
                _mean = value;
                ConditionallyRegisterBuffer(nameof(running_mean), value);
            }
        }

        public Tensor? running_var
        {
            get => _variance;
            set
            {
                _variance = value;
                ConditionallyRegisterBuffer(nameof(running_var), value);
            }
        }

        public Tensor? num_batches_tracked => _batches;

        public void reset_running_stats()
        {
            _mean?.zero_();
            _variance?.fill_(1);
            _batches?.zero_();
        }

        public override Tensor forward(Tensor tensor)
        {
            if (tensor.Dimensions is < 2 or > 3)
            {
                throw new ArgumentException($"Invalid number of dimensions for BatchNorm argument: {tensor.Dimensions}");
            }
            if (training && _batches is not null) Ops.add__Scalar.Run(_batches, 1L);
            return Ops.batch_norm.Call(tensor, _weight, _bias, _mean, _variance, training || _mean is null, _momentum, _eps, true);
        }
    }

    public sealed class BatchNorm2d : nn.Module<Tensor, Tensor>
    {
        private readonly double _eps;
        private readonly double _momentum;
        [ComponentName(Name = "weight")] private Parameter? _weight;
        [ComponentName(Name = "bias")] private Parameter? _bias;
        [ComponentName(Name = "running_mean")] private Tensor? _mean;
        [ComponentName(Name = "running_var")] private Tensor? _variance;
        [ComponentName(Name = "num_batches_tracked")] private Tensor? _batches;

        internal BatchNorm2d(long features, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm2d))
        {
            (_eps, _momentum) = (eps, momentum);
            if (affine)
            {
                _weight = new Parameter(ones([features], dtype, device));
                _bias = new Parameter(zeros([features], dtype, device));
            }
            if (track)
            {
                _mean = zeros([features], dtype, device);
                _variance = ones([features], dtype, device);
                _batches = tensor(0L, device: device);
            }
            RegisterComponents();
        }

        public Parameter? weight
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

        public Tensor? running_mean
        {
            get => _mean;
            set
            {
                _mean = value;
                ConditionallyRegisterBuffer(nameof(running_mean), value);
            }
        }

        public Tensor? running_var
        {
            get => _variance;
            set
            {
                _variance = value;
                ConditionallyRegisterBuffer(nameof(running_var), value);
            }
        }

        public Tensor? num_batches_tracked => _batches;

        public void reset_running_stats()
        {
            _mean?.zero_();
            _variance?.fill_(1);
            _batches?.zero_();
        }

        public override Tensor forward(Tensor tensor)
        {
            if (tensor.Dimensions != 4)
            {
                throw new ArgumentException($"Invalid number of dimensions for BatchNorm argument: {tensor.Dimensions}");
            }
            if (training && _batches is not null) Ops.add__Scalar.Run(_batches, 1L);
            return Ops.batch_norm.Call(tensor, _weight, _bias, _mean, _variance, training || _mean is null, _momentum, _eps, true);
        }
    }
}
