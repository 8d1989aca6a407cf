using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor conv1d(
                Tensor input, Tensor weight, Tensor? bias = null, long? stride = null, long? padding = null, long? dilation = null,
                long groups = 1) =>
                Ops.conv1d.Call(input, weight, bias, new[] { stride ?? 1 }, new[] { padding ?? 0 }, new[] { dilation ?? 1 }, groups);

            public static Tensor conv2d(
                Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null,
                long groups = 1) =>
                Ops.conv2d.Call(input, weight, bias, strides ?? [1, 1], padding ?? [0, 0], dilation ?? [1, 1], groups);

            public static Tensor max_pool1d(
                Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                Ops.max_pool1d.Call(
                    input, new[] { kernelSize }, new[] { stride ?? kernelSize }, new[] { padding ?? 0 }, new[] { dilation ?? 1 },
                    ceil_mode);

            public static Tensor max_pool2d(
                Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null,
                bool ceil_mode = false) =>
                Ops.max_pool2d.Call(input, kernelSize, strides ?? kernelSize, padding ?? [0, 0], dilation ?? [1, 1], ceil_mode);

            public static Tensor max_pool2d(
                Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                max_pool2d(input, [kernelSize, kernelSize], Twice(stride), Twice(padding), Twice(dilation), ceil_mode);

            public static Tensor avg_pool1d(
                Tensor input, long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false,
                bool count_include_pad = true) =>
                Ops.avg_pool1d.Call(input, new[] { kernel_size }, new[] { stride ?? kernel_size }, new[] { padding ?? 0 }, ceil_mode,
                    count_include_pad);

            public static Tensor avg_pool2d(
                Tensor input, long[] kernelSizes, long[]? strides = null, long[]? paddings = null, bool ceil_mode = false,
                bool count_include_pad = true) =>
                Ops.avg_pool2d.Call(input, kernelSizes, strides ?? kernelSizes, paddings ?? [0, 0], ceil_mode, count_include_pad);

            public static Tensor avg_pool2d(
                Tensor input, long kernelSize, long? stride = null, long padding = 0, bool ceil_mode = false,
                bool count_include_pad = true) =>
                avg_pool2d(input, [kernelSize, kernelSize], Twice(stride), [padding, padding], ceil_mode, count_include_pad);

            public static Tensor adaptive_avg_pool1d(Tensor input, long output_size) =>
                Ops.adaptive_avg_pool1d.Call(input, new[] { output_size });

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => Ops.adaptive_avg_pool2d.Call(input, output_size);

            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) =>
                adaptive_avg_pool2d(input, [output_size, output_size]);

            /// <summary>Pads: two numbers a dimension, the last dimension first.</summary>
            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
            {
                var rank = pad.Length / 2;
                return mode switch
                {
                    PaddingModes.Constant or PaddingModes.Zeros => Ops.constant_pad_nd.Call(input, pad, value),
                    PaddingModes.Reflect when rank == 1 => Ops.reflection_pad1d.Call(input, pad),
                    PaddingModes.Reflect when rank == 2 => Ops.reflection_pad2d.Call(input, pad),
                    PaddingModes.Reflect => Ops.reflection_pad3d.Call(input, pad),
                    PaddingModes.Replicate when rank == 1 => Ops.replication_pad1d.Call(input, pad),
                    PaddingModes.Replicate when rank == 2 => Ops.replication_pad2d.Call(input, pad),
                    PaddingModes.Replicate => Ops.replication_pad3d.Call(input, pad),
                    _ => Ops._pad_circular.Call(input, pad),
                };
            }

            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, pad.ToArray(), mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, [pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant,
                double value = 0) =>
                functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            public static Tensor pad(Tensor input, long pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, [pad, pad], mode, value);

            public static Tensor grid_sample(
                Tensor input, Tensor grid, GridSampleMode mode = GridSampleMode.Bilinear,
                GridSamplePaddingMode padding_mode = GridSamplePaddingMode.Zeros,
                bool? align_corners = null)
            {
                // libtorch numbers the modes otherwise: bilinear 0, nearest 1; zeros 0, border 1, reflection 2.
                var interpolation = mode == GridSampleMode.Bilinear ? 0L : 1L;
                var outside = padding_mode switch { GridSamplePaddingMode.Border => 1L, GridSamplePaddingMode.Reflection => 2L, _ => 0L };
                return Ops.grid_sampler.Call(input, grid, interpolation, outside, align_corners ?? false);
            }

            public static Tensor affine_grid(Tensor theta, long[]? size = null, bool align_corners = false) =>
                Ops.affine_grid_generator.Call(theta, size, align_corners);

            public static Tensor interpolate(
                Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null, bool recompute_scale_factor = false)
            {
                if (recompute_scale_factor && scale_factor is not null)
                {
                    var shape = x.shape;
                    size = new long[shape.Length - 2];
                    for (var k = 0; k < size.Length; k++)
                    {
                        size[k] = (long)Math.Floor(shape[k + 2] * scale_factor[scale_factor.Length == 1 ? 0 : k]);
                    }
                    scale_factor = null;
                }
                if (scale_factor is { Length: 1 } && x.Dimensions > 3)
                {
                    scale_factor = [.. Enumerable.Repeat(scale_factor[0], (int)x.Dimensions - 2)];
                }
                var corners = align_corners ?? false;
                return (mode, x.Dimensions) switch
                {
                    (InterpolationMode.Nearest, 3) => Ops.upsample_nearest1d_vec.Call(x, size, scale_factor),
                    (InterpolationMode.Nearest, 4) => Ops.upsample_nearest2d_vec.Call(x, size, scale_factor),
                    (InterpolationMode.Nearest, 5) => Ops.upsample_nearest3d_vec.Call(x, size, scale_factor),
                    (InterpolationMode.Linear, 3) => Ops.upsample_linear1d_vec.Call(x, size, corners, scale_factor),
                    (InterpolationMode.Bilinear, 4) => Ops.upsample_bilinear2d_vec.Call(x, size, corners, scale_factor),
                    (InterpolationMode.Bicubic, 4) => Ops.upsample_bicubic2d_vec.Call(x, size, corners, scale_factor),
                    (InterpolationMode.Trilinear, 5) => Ops.upsample_trilinear3d_vec.Call(x, size, corners, scale_factor),
                    (InterpolationMode.Area, 4) when size is not null => adaptive_avg_pool2d(x, size),
                    _ => throw new ArgumentException($"Interpolation mode {mode} cannot be used with a tensor of {x.Dimensions} "
                        + "dimensions."),
                };
            }

            private static long[]? Twice(long? value) => value is { } v ? [v, v] : null;
        }
    }
}
