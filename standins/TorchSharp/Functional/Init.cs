using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class nn
    {
        /// <summary>First values of parameters.</summary>
        public static class init
        {
            public enum FanInOut
            {
                FanIn = 0, FanOut = 1,
            }

            public enum NonlinearityType
            {
                Linear = 0, Conv1D = 1, Conv2D = 2, Conv3D = 3, ConvTranspose1D = 4, ConvTranspose2D = 5, ConvTranspose3D = 6,
                Sigmoid = 7, Tanh = 8, ReLU = 9, LeakyReLU = 10,
            }

            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3.0,
                NonlinearityType.ReLU => Math.Sqrt(2),
                NonlinearityType.LeakyReLU => Math.Sqrt(2 / (1 + param * param)),
                _ => 1,
            };

            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                var shape = tensor.shape;
                if (shape.Length < 2)
                {
                    throw new ArgumentException("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
                }
                var receptive = 1L;
                foreach (var length in shape.AsSpan(2)) receptive *= length;
                return (shape[1] * receptive, shape[0] * receptive);
            }

            public static Tensor zeros_(Tensor tensor) => Without(Ops.zero_, tensor);

            public static Tensor ones_(Tensor tensor) => constant_(tensor, 1);

            public static Tensor constant_(Tensor tensor, Scalar val) => Without(Ops.fill__Scalar, tensor, val);

            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null) =>
                Without(Ops.uniform_, tensor, low, high, generator);

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) =>
                Without(Ops.normal_, tensor, mean, std, generator);

            /// <summary>Draws from the normal distribution between two bounds, by the inverse of its distribution function.</summary>
            public static Tensor trunc_normal_(
                Tensor tensor, double mean = 0, double std = 1, double a = -2, double b = 2, Generator? generator = null)
            {
                using var _ = no_grad();
                var (low, high) = (Normal((a - mean) / std), Normal((b - mean) / std));
                Ops.uniform_.Run(tensor, 2 * low - 1, 2 * high - 1, generator);
                Ops.erfinv_.Run(tensor);
                Ops.mul__Scalar.Run(tensor, std * Math.Sqrt(2));
                Ops.add__Scalar.Run(tensor, mean);
                Ops.clamp_.Run(tensor, a, b);
                return tensor;
            }

            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                var bound = gain * Math.Sqrt(6.0 / (fanIn + fanOut));
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor xavier_normal_(Tensor tensor, double gain = 1)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return normal_(tensor, 0, gain * Math.Sqrt(2.0 / (fanIn + fanOut)));
            }

            public static Tensor kaiming_uniform_(
                Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
            {
                var bound = Math.Sqrt(3) * Deviation(tensor, a, mode, nonlinearity);
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor kaiming_normal_(
                Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU) =>
                normal_(tensor, 0, Deviation(tensor, a, mode, nonlinearity));

            private static double Deviation(Tensor tensor, double a, FanInOut mode, NonlinearityType nonlinearity)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return calculate_gain(nonlinearity, a) / Math.Sqrt(mode == FanInOut.FanIn ? fanIn : fanOut);
            }

            private static Tensor Without(Operator op, Tensor tensor, params ReadOnlySpan<Arg> args)
            {
                using var _ = no_grad();
                op.Run([tensor, .. args]);
                return tensor;
            }

            // The distribution function of the normal distribution.
            private static double Normal(double x)
            {
                using var argument = tensor(x / Math.Sqrt(2));
                using var erf = argument.erf();
                return (1 + erf.item<double>()) / 2;
            }
        }

        public static class utils
        {
            /// <summary>Scales all gradients by one factor so that their common norm is at most the limit; gives the norm before.</summary>
            public static double clip_grad_norm_(IEnumerable<Modules.Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                var grads = Grads(tensors);
                if (grads.Length == 0) return 0;
                using var norms = double.IsPositiveInfinity(norm_type)
                    ? torch.stack(Array.ConvertAll(grads, grad => grad.abs().max()))
                    : torch.stack(Ops._foreach_norm_Scalar.CallList(grads, norm_type));
                using var total = double.IsPositiveInfinity(norm_type) ? norms.max() : norms.norm((float)norm_type);
                var norm = total.ToDouble();
                var factor = max_norm / (norm + 1e-6);
                if (factor < 1) Ops._foreach_mul__Scalar.Run(grads, factor);
                return norm;
            }

            public static void clip_grad_value_(IEnumerable<Modules.Parameter> tensors, double clip_value)
            {
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                foreach (var grad in Grads(tensors)) Ops.clamp_.Run(grad, -clip_value, clip_value);
            }

            private static Tensor[] Grads(IEnumerable<Modules.Parameter> parameters)
            {
                var grads = new List<Tensor>();
                foreach (var parameter in parameters)
                {
                    if (parameter.grad is { } grad) grads.Add(grad);
                }
                return [.. grads];
            }
        }
    }
}
