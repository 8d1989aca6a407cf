using Ssl.Estimators.Data;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>The scaling of numbers as a graph: <see cref="NumberScale.Scale"/>, in Double as there.</summary>
internal static class NumberScaling
{
    // Of Peter Acklam's approximation of the normal distribution's quantile function, as in NumberScale.
    private static readonly double[] s_centerAbove = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239];
    private static readonly double[] s_centerBelow = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
    private static readonly double[] s_tailAbove = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
    private static readonly double[] s_tailBelow = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];

    private const double LowRank = 0.02425;

    /// <summary>Scaled numbers; any number where one is missing.</summary>
    /// <param name="numbers">Double [N, C] or [N, C, T].</param>
    /// <param name="scales">One for each of C.</param>
    /// <param name="sides">Sides of a scale beside those numbers: [C], or [C, 1].</param>
    /// <returns>Single, as many.</returns>
    public static OnnxValue Scale(OnnxValue numbers, IReadOnlyList<NumberScale> scales, params long[] sides)
    {
        var linear = (numbers - Row(scale => scale.Center, "centers")) * Row(scale => scale.Factor, "factors");
        // NaN of an infinite number times the factor 0 of a constant.
        linear = Flags(scale => scale.Factor == 0, "constants").Choose(numbers.Graph.Constant(0.0), linear);
        // Clip takes one limit for all.
        linear = linear.Maximum(Row(scale => -scale.Limit, "lowest")).Minimum(Row(scale => scale.Limit, "highest"));
        if (!scales.Any(scale => scale.TrainingQuantiles is not null))
            return linear.To(DataType.Float);
        var lowest = Row(scale => scale.TrainingQuantiles is null ? 0.5 : scale.LowestRank, "lowest_ranks");
        var rank = Rank(numbers, scales, sides).Maximum(lowest).Minimum(numbers.Graph.Constant(1.0) - lowest);
        return Flags(scale => scale.TrainingQuantiles is not null, "ranked").Choose(NormalQuantile(rank), linear).To(DataType.Float);

        OnnxValue Row(Func<NumberScale, double> value, string name)
        {
            using var row = tensor(scales.Select(value).ToArray(), sides);
            return numbers.Graph.Weight(row, $"scale_{name}");
        }

        OnnxValue Flags(Func<NumberScale, bool> value, string name)
        {
            using var row = tensor(scales.Select(value).ToArray(), sides);
            return numbers.Graph.Weight(row, $"scale_{name}");
        }
    }

    // Share of the training numbers below, half of the equal ones included.
    private static OnnxValue Rank(OnnxValue numbers, IReadOnlyList<NumberScale> scales, long[] sides)
    {
        var graph = numbers.Graph;
        var count = NumberScale.QuantileIntervals + 1;
        double[] all = [.. scales.SelectMany(scale => scale.TrainingQuantiles ?? new double[count])];
        using var scope = NewDisposeScope();
        var quantiles = graph.Weight(tensor(all, [.. sides, count]), "quantiles");                      // [C, 1?, Q]
        var flat = graph.Weight(tensor(all), "quantiles_in_a_row");
        long[] offsets = [.. Enumerable.Range(0, scales.Count).Select(channel => (long)channel * count)];
        var starts = graph.Weight(tensor(offsets, sides), "quantile_starts");
        var number = numbers.Unsqueeze(-1);
        var below = (quantiles < number).To(DataType.Int64).Sum(false, -1);                             // quantiles below, as many as numbers
        var equal = quantiles.EqualTo(number).To(DataType.Int64).Sum(false, -1);
        var place = below.Clip(graph.Integer(1), graph.Integer(count - 1));
        var low = flat.Gather(starts + place - graph.Integer(1));
        var high = flat.Gather(starts + place);
        var intervals = graph.Constant((double)(count - 1));
        var between = (place.To(DataType.Double) - graph.Constant(1.0) + (numbers - low) / (high - low)) / intervals;
        var amid = (below.To(DataType.Double) * graph.Constant(2.0) + equal.To(DataType.Double) - graph.Constant(1.0)) / graph.Constant(2.0) / intervals;
        var outside = (below > graph.Integer(0)).Choose(graph.Constant(1.0), graph.Constant(0.0));
        var isOutside = below.EqualTo(graph.Integer(0)) | below.EqualTo(graph.Integer(count));
        return (equal > graph.Integer(0)).Choose(amid, isOutside.Choose(outside, between));
    }

    private static OnnxValue NormalQuantile(OnnxValue p)
    {
        var graph = p.Graph;
        var (low, one) = (graph.Constant(LowRank), graph.Constant(1.0));
        var q = p - graph.Constant(0.5);
        var r = q * q;
        var center = Polynomial(r, s_centerAbove) * q / Polynomial(r, s_centerBelow);
        // Both tails at once: the quantile of the smaller side, with its sign.
        var far = (graph.Constant(-2.0) * p.Minimum(one - p).Log()).Sqrt();
        var tail = Polynomial(far, s_tailAbove) / Polynomial(far, s_tailBelow);
        return (p < low).Choose(tail, (p > one - low).Choose(graph.Constant(0.0) - tail, center));
    }

    private static OnnxValue Polynomial(OnnxValue x, ReadOnlySpan<double> coefficients)
    {
        var sum = x.Graph.Constant(coefficients[0]);
        foreach (var coefficient in coefficients[1..])
            sum = sum * x + x.Graph.Constant(coefficient);
        return sum;
    }
}
