using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The networks of time series and sounds as graphs.</summary>
/// <remarks>N series, C channels, T timestamps, S steps, D the length of a step's vector.</remarks>
internal static class SeriesGraphs
{
    /// <summary>The embedding of a series: its steps' vectors behind each other, or one vector of them all.</summary>
    /// <param name="factory">The network's sizes.</param>
    /// <param name="layout">The series.</param>
    /// <param name="weights">The network's.</param>
    /// <param name="series">The series.</param>
    /// <returns>Single [N, D], or [N, S x D].</returns>
    public static OnnxValue Encode(TimeSeriesEncoderFactory factory, SeriesLayout layout, NetworkWeights weights, SeriesValues series)
    {
        var (steps, inside) = factory switch
        {
            DilatedConvolutionEncoderFactory sizes => Dilated(sizes, weights, series),
            PatchTransformerEncoderFactory sizes => Patches(sizes, layout, weights, series),
            PooledConvolutionEncoderFactory sizes => Pooled(sizes, weights, series),
            SeriesSummaryEncoderFactory sizes => Summary(sizes, layout, weights.Graph, series),
            SoundTransformerEncoderFactory sizes => Sound(sizes, layout, weights, series),
            SpectrogramConvolutionEncoderFactory => Spectrogram(weights, series),
            _ => throw Unsupported.Network(factory),
        };
        if (layout.PerTimestamp)
            return steps.Reshape(0, factory.DimensionFor(layout));
        var largest = inside.Unsqueeze(2).Choose(steps, weights.Graph.Constant(float.MinValue)).Max(false, 1);                          // [N, D]
        if (factory is not SpectrogramConvolutionEncoderFactory)
            return largest;
        var counted = inside.To(DataType.Float);
        return counted.Unsqueeze(1).MatMul(steps).Squeeze(1) / counted.Sum(true, 1) + largest;
    }

    // Means of segments and statistics as the one step, [N, 1, D].
    private static (OnnxValue Steps, OnnxValue Inside) Summary(SeriesSummaryEncoderFactory sizes, SeriesLayout layout, OnnxBuilder graph, SeriesValues series)
    {
        var (inside, segments) = (series.Inside.Unsqueeze(1), sizes.NumberOfSegments);                  // [N, 1, T]
        var values = (inside.Choose(series.Values, graph.Constant(0f))).To(DataType.Double);            // [N, C, T]
        var counts = inside.To(DataType.Int64).Sum(true, 2);                                            // [N, 1, 1]
        var lengths = counts.To(DataType.Double);
        var (mean, square) = (values.Sum(true, 2) / lengths, (values * values).Sum(true, 2) / lengths);
        var deviation = (square - mean * mean).Maximum(graph.Constant(0.0)).Sqrt();
        var lowest = graph.Constant(0.0) - inside.Choose(graph.Constant(0.0) - values, graph.Constant(double.NegativeInfinity)).Max(true, 2);
        var highest = inside.Choose(values, graph.Constant(double.NegativeInfinity)).Max(true, 2);
        var changes = graph.Node("Abs", [values.Slice(2, 1, long.MaxValue) - values.Slice(2, 0, -1)]) * inside.Slice(2, 1, long.MaxValue).To(DataType.Double);
        var steps = changes.Sum(true, 2) / (lengths - graph.Constant(1.0)).Maximum(graph.Constant(1.0));
        var sums = graph.Node("CumSum", [graph.Node("Pad", [values, graph.Integers(0, 0, 1, 0, 0, 0)]), graph.Integer(2)]);                 // [N, C, T + 1]
        using var scope = NewDisposeScope();
        var places = graph.Weight(tensor(Enumerable.Range(0, segments + 1).Select(i => (long)i).ToArray()), "segments");
        var bounds = places * counts / graph.Integer(segments);                                         // [N, 1, S + 1]
        var starts = bounds.Slice(2, 0, segments);
        var ends = bounds.Slice(2, 1, long.MaxValue).Maximum(starts + graph.Integer(1));
        var all = OnnxValue.Concat(2, (At(ends) - At(starts)) / (ends - starts).To(DataType.Double), mean, deviation, lowest, highest, steps).To(DataType.Float);
        return (all.Reshape(0, 1, layout.Channels * sizes.EmbeddingDimension), graph.Integers(1).Expand(OnnxValue.Concat(0, series.Inside.Length(0), graph.Integers(1))) > graph.Integer(0));

        OnnxValue At(OnnxValue wanted) => graph.Node("GatherElements",
            [sums, wanted.Expand(OnnxValue.Concat(0, wanted.Length(0), graph.Integers(layout.Channels, segments)))], ("axis", 2L));
    }

    private static (OnnxValue Steps, OnnxValue Inside) Dilated(DilatedConvolutionEncoderFactory sizes, NetworkWeights weights, SeriesValues series)
    {
        var steps = weights.Linear(series.Values.Transpose(0, 2, 1), "input") * series.Observed.To(DataType.Float).Unsqueeze(2);        // [N, T, H]
        var inside = series.Inside.To(DataType.Float).Unsqueeze(2);                                     // [N, T, 1]
        for (var i = 0; i <= sizes.Depth; i++)
        {
            var block = weights.Part($"blocks.{i}");
            var residual = block.Has("projector.weight") ? block.Linear(steps, "projector") : steps;
            var hidden = block.Linear(Neighbors(steps.Gelu() * inside, 1L << i), "conv1");
            steps = block.Linear(Neighbors(hidden.Gelu() * inside, 1L << i), "conv2") + residual;
        }
        return (steps, series.Inside);
    }

    // Every timestamp beside those a dilation before and behind it, zeros beyond the ends: [N, T, 3 x width].
    private static OnnxValue Neighbors(OnnxValue steps, long dilation)
    {
        var padded = Pad(steps, [0, dilation, 0, 0, dilation, 0]);
        var before = padded.Slice(1, steps.Graph.Integers(0), steps.Length(1));
        return OnnxValue.Concat(2, before, steps, padded.Slice(1, 2 * dilation, long.MaxValue));
    }

    private static (OnnxValue Steps, OnnxValue Inside) Patches(PatchTransformerEncoderFactory sizes, SeriesLayout layout, NetworkWeights weights, SeriesValues series)
    {
        var graph = weights.Graph;
        var values = series.Values;
        if (sizes.InstanceNormalization)
        {
            var observed = series.Observed.To(DataType.Float).Unsqueeze(1);                             // [N, 1, T]
            var count = observed.Sum(true, 2).Maximum(graph.Constant(1f));
            var centered = (values - (values * observed).Sum(true, 2) / count) * observed;
            values = centered / ((centered * centered).Sum(true, 2) / count + 1e-5f).Sqrt();
        }
        var (channels, inside, length) = ((long)layout.Channels, series.Inside, (long)sizes.PatchLength);
        if (sizes.ChannelIndependence)
        {
            inside = EachChannel(inside, channels);
            values = values.Reshape(OnnxValue.Concat(0, inside.Length(0), graph.Integers(1), series.Values.Length(2)));                // [N x C, 1, T]
            channels = 1;
        }
        // Timestamps that fill the last patch.
        var missing = ToMultiple(values.Length(2), length);
        var zeros = graph.Integers(0);
        var patches = graph.Node("Pad", [values, OnnxValue.Concat(0, zeros, zeros, zeros, zeros, zeros, missing)])
            .Reshape(0, channels, -1, length).Transpose(0, 2, 1, 3).Reshape(0, 0, channels * length);  // [M, S, values of a patch]
        var inPatches = graph.Node("Pad", [inside.To(DataType.Float), OnnxValue.Concat(0, zeros, zeros, zeros, missing)])
            .Reshape(0, -1, length).Max(false, 2) > graph.Constant(0f);                                 // [M, S]
        var steps = weights.Linear(patches, "input");
        steps = TransformerGraphs.Stack(weights.Part("encoder"), steps + Positions(steps, sizes.EmbeddingDimension), sizes.NumberOfLayers, sizes.NumberOfHeads, inPatches);
        var inSteps = inPatches;
        if (sizes.ChannelIndependence && layout.Channels > 1)
        {
            // [N x C, S, D] to [N, S, C x D]; the steps of all channels of a series are the same ones.
            var shape = OnnxValue.Concat(0, graph.Integers(-1, layout.Channels), steps.Length(1), graph.Integers(sizes.EmbeddingDimension));
            steps = steps.Reshape(shape).Transpose(0, 2, 1, 3).Reshape(0, 0, (long)layout.Channels * sizes.EmbeddingDimension);
            inSteps = inPatches.Reshape(OnnxValue.Concat(0, graph.Integers(-1, layout.Channels), inPatches.Length(1))).Select(1, 0);
        }
        return (steps, inSteps);
    }

    // [N, T] to [N x C, T]: the same for each channel.
    private static OnnxValue EachChannel(OnnxValue rows, long channels)
    {
        var graph = rows.Graph;
        var all = rows.Unsqueeze(1).Expand(OnnxValue.Concat(0, rows.Length(0), graph.Integers(channels), rows.Length(1)));
        return all.Reshape(OnnxValue.Concat(0, graph.Integers(-1), rows.Length(1)));
    }

    // Sines and cosines of the steps' places: [S, D].
    private static OnnxValue Positions(OnnxValue steps, int dimension)
    {
        using var scope = NewDisposeScope();
        var graph = steps.Graph;
        var pairs = (dimension + 1) / 2;
        float[] each = [.. Enumerable.Range(0, pairs).Select(pair => (float)Math.Exp(pair * -2 * Math.Log(10_000) / dimension))];
        var rates = graph.Weight(tensor(each), "position_rates");
        var places = graph.Places(steps.Length(1)).To(DataType.Float);
        var angles = places.Unsqueeze(1) * rates;                                                       // [S, pairs]
        return OnnxValue.Concat(1, angles.Sin(), angles.Cos()).Slice(1, 0, dimension);
    }

    private static (OnnxValue Steps, OnnxValue Inside) Pooled(PooledConvolutionEncoderFactory sizes, NetworkWeights weights, SeriesValues series)
    {
        var (maps, inside) = (series.Values, series.Inside.To(DataType.Float).Unsqueeze(1));            // [N, C, T], [N, 1, T]
        for (var i = 0; i < sizes.NumberOfBlocks; i++)
        {
            var block = weights.Part($"blocks.{i}");
            maps = weights.Graph.Node("Conv", [maps, block.Value("weight")], ("pads", (long[])[sizes.KernelSize / 2, (sizes.KernelSize - 1) / 2]));
            maps = HalfOf(block.BatchNorm(maps, "norm").Relu() * inside, 2);
            inside = HalfOf(inside, 2);
        }
        return (maps.Transpose(0, 2, 1), inside.Squeeze(1) > weights.Graph.Constant(0f));
    }

    // The largest of so many neighbors along the last axis of [N, C, T]; the last has fewer where they are not even.
    private static OnnxValue HalfOf(OnnxValue maps, long neighbors)
        => maps.Graph.Node("MaxPool", [maps], ("kernel_shape", (long[])[neighbors]), ("strides", (long[])[neighbors]), ("ceil_mode", 1L));

    private static (OnnxValue Steps, OnnxValue Inside) Sound(SoundTransformerEncoderFactory sizes, SeriesLayout layout, NetworkWeights weights, SeriesValues series)
    {
        var graph = weights.Graph;
        var (maps, inside) = (series.Values, series.Inside.To(DataType.Float).Unsqueeze(1));            // [N, C, T], [N, 1, T]
        for (var i = 0; i < sizes.NumberOfConvolutions; i++)
        {
            var (layer, inputs) = (weights.Part($"convolutions.{i}"), i == 0 ? layout.Channels : sizes.ConvolutionWidth);
            var (stride, kernel) = (i == 0 ? SoundConvolution.FirstStride : 2L, layer.Tensor("linear.weight").shape[1] / inputs);
            var kernels = layer.Value("linear.weight", weight => weight.view(weight.shape[0], inputs, kernel));
            var steps = graph.Node("Conv", [maps, kernels, layer.Value("linear.bias")], ("strides", (long[])[stride]), ("pads", (long[])[0, kernel - 1]));
            inside = HalfOf(inside, stride);
            maps = layer.LayerNorm(steps.Transpose(0, 2, 1), "norm").Gelu().Transpose(0, 2, 1) * inside;
        }
        var latents = weights.Linear(weights.LayerNorm(maps.Transpose(0, 2, 1), "norm"), "input");      // [N, S, D]
        var mask = inside.Squeeze(1) > graph.Constant(0f);
        latents += Positions(latents, sizes.EmbeddingDimension);
        return (TransformerGraphs.Stack(weights.Part("encoder"), latents, sizes.NumberOfLayers, sizes.NumberOfHeads, mask), mask);
    }

    private static (OnnxValue Steps, OnnxValue Inside) Spectrogram(NetworkWeights weights, SeriesValues series)
    {
        var graph = weights.Graph;
        var missing = ToMultiple(series.Values.Length(2), SpectrogramConvolutionEncoderFactory.StepLength);
        var zeros = graph.Integers(0);
        var maps = graph.Node("Pad", [series.Values.Unsqueeze(1), OnnxValue.Concat(0, zeros, zeros, zeros, zeros, zeros, zeros, zeros, missing)]);  // [N, 1, C, T]
        var inside = graph.Node("Pad", [series.Inside.To(DataType.Float).Unsqueeze(1, 2), OnnxValue.Concat(0, zeros, zeros, zeros, zeros, zeros, zeros, zeros, missing)]);
        for (var i = 0; i < SpectrogramConvolutionEncoderFactory.NumberOfBlocks; i++)
        {
            var block = weights.Part($"blocks.{i}");
            maps = block.BatchNorm(block.Convolution(maps, "convolution", 1), "norm").Relu() * inside;
            maps = graph.Node("MaxPool", [maps], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[2, 2]));
            inside = graph.Node("MaxPool", [inside], ("kernel_shape", (long[])[1, 2]), ("strides", (long[])[1, 2]));
        }
        var inputs = weights.Tensor("hidden.weight").shape[1];
        var steps = maps.Transpose(0, 3, 1, 2).Reshape(0, 0, inputs);                                   // [N, S, W C / 8]
        steps = weights.Linear(weights.Linear(steps, "hidden").Relu(), "output").Relu();
        return (steps, inside.Squeeze(1, 2) > graph.Constant(0f));
    }

    // What a length lacks to a multiple of a step: from 0 to less than the step.
    private static OnnxValue ToMultiple(OnnxValue length, long step)
    {
        var (graph, whole) = (length.Graph, length.Graph.Integers(step));
        return graph.Node("Mod", [whole - graph.Node("Mod", [length, whole]), whole]);
    }

    // Zeros around a value.
    private static OnnxValue Pad(OnnxValue value, ReadOnlySpan<long> edges) => value.Graph.Node("Pad", [value, value.Graph.Integers(edges)]);
}
