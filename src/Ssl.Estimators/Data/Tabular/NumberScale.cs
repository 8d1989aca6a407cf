using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>Scales the numbers of one cell; learned from the training data. A cell of one value, or of none, is always 0.</summary>
internal sealed class NumberScale
{
    /// <summary>Intervals between the quantiles that are kept.</summary>
    public const int QuantileIntervals = 128;

    /// <summary>Bins of the edges that encoders get.</summary>
    public const int Bins = 16;

    private const float Limit = 10;
    private const string MeanKey = "mean", FactorKey = "factor", QuantilesKey = "quantiles", LowestKey = "lowest", EdgesKey = "edges";

    private readonly double _mean;
    private readonly double _factor;
    private readonly float[]? _quantiles;
    private readonly double _lowest;

    private NumberScale(double mean, double factor, float[]? quantiles, double lowest, float[] edges)
    {
        (_mean, _factor, _quantiles, _lowest, Edges) = (mean, factor, quantiles, lowest, edges);
    }

    /// <summary>Edges of <see cref="Bins"/> equally filled bins, scaled.</summary>
    public float[] Edges { get; private set; }

    /// <summary>Learns from the numbers of the training data.</summary>
    /// <param name="scaling">How to scale.</param>
    /// <param name="count">Numbers there were, without missing and infinite ones.</param>
    /// <param name="mean">Their mean.</param>
    /// <param name="deviation">Their standard deviation.</param>
    /// <param name="sample">Some of them; sorted here.</param>
    public static NumberScale Learn(NumericScaling scaling, long count, double mean, double deviation, Span<float> sample)
    {
        sample.Sort();
        var constant = sample.Length == 0 || sample[0] == sample[^1];
        NumberScale scale;
        if (constant || scaling == NumericScaling.ZScore)
            scale = new NumberScale(mean, constant || !(deviation > 0) ? 0 : 1 / deviation, null, 0, []);
        else
            scale = new NumberScale(0, 0, Quantiles(sample, QuantileIntervals), 0.5 / Math.Min(count, 1_000), []);
        var edges = constant ? new float[Bins + 1] : Quantiles(sample, Bins);
        for (var i = 0; i < edges.Length; i++)
            edges[i] = scale.Scale(edges[i]);
        scale.Edges = edges;
        return scale;
    }

    /// <summary>The scaled number; infinite ones go to the ends of the range. Not for NaN.</summary>
    public float Scale(float number)
    {
        if (_quantiles is not null)
            return (float)NormalQuantile(Math.Clamp(Rank(_quantiles, number), _lowest, 1 - _lowest));
        return _factor == 0 ? 0 : (float)Math.Clamp((number - _mean) * _factor, -Limit, Limit);
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject { [EdgesKey] = Array(Edges) };
        if (_quantiles is not null)
        {
            json[QuantilesKey] = Array(_quantiles);
            json[LowestKey] = _lowest;
        }
        else
        {
            json[MeanKey] = _mean;
            json[FactorKey] = _factor;
        }
        return json;
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The numbers cannot be a learned scale.</exception>
    public static NumberScale FromJson(JsonObject json)
    {
        var edges = Floats(json[EdgesKey]!);
        Require(edges.Length == Bins + 1 && Rising(edges), EdgesKey, $"{Bins + 1} finite numbers that do not fall");
        if (json[QuantilesKey] is { } node)
        {
            var quantiles = Floats(node);
            Require(quantiles.Length == QuantileIntervals + 1 && Rising(quantiles), QuantilesKey,
                $"{QuantileIntervals + 1} finite numbers that do not fall");
            var lowest = (double)json[LowestKey]!;
            Require(lowest is > 0 and <= 0.5, LowestKey, "a share above 0, at most 0.5");
            return new NumberScale(0, 0, quantiles, lowest, edges);
        }
        double mean = (double)json[MeanKey]!, factor = (double)json[FactorKey]!;
        Require(double.IsFinite(mean), MeanKey, "finite");
        Require(factor >= 0 && double.IsFinite(factor), FactorKey, "finite and not negative");
        return new NumberScale(mean, factor, null, 0, edges);
    }

    private static void Require(bool right, string key, string allowed)
    {
        if (!right)
            throw new FormatException($"The scale of a number has a wrong \"{key}\": it must be {allowed}.");
    }

    private static bool Rising(float[] numbers)
        => numbers.All(float.IsFinite) && numbers.Zip(numbers.Skip(1)).All(pair => pair.First <= pair.Second);

    // Share of the training numbers below, half of the equal ones included: from 0 to 1.
    private static double Rank(float[] quantiles, float number)
    {
        int first = LowerBound(quantiles, number), last = first;
        while (last < quantiles.Length && quantiles[last] == number)
            last++;
        double intervals = quantiles.Length - 1;
        if (last > first)
            return (first + last - 1) / 2.0 / intervals;
        if (first == 0)
            return 0;
        if (first == quantiles.Length)
            return 1;
        float low = quantiles[first - 1], high = quantiles[first];
        return (first - 1 + ((double)number - low) / ((double)high - low)) / intervals;
    }

    private static int LowerBound(float[] sorted, float number)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < number)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static float[] Quantiles(ReadOnlySpan<float> sorted, int intervals)
    {
        var quantiles = new float[intervals + 1];
        for (var i = 0; i <= intervals; i++)
        {
            var place = (double)i / intervals * (sorted.Length - 1);
            var below = (int)place;
            var above = Math.Min(below + 1, sorted.Length - 1);
            quantiles[i] = (float)(sorted[below] + (place - below) * ((double)sorted[above] - sorted[below]));
        }
        return quantiles;
    }

    // Peter Acklam's rational approximation of the normal distribution's quantile function; relative error under 1.2e-9.
    internal static double NormalQuantile(double p)
    {
        const double Low = 0.02425;
        if (p < Low)
            return Tail(Math.Sqrt(-2 * Math.Log(p)));
        if (p > 1 - Low)
            return -Tail(Math.Sqrt(-2 * Math.Log(1 - p)));
        double q = p - 0.5, r = q * q;
        return (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r
            + 138.3577518672690) * r - 30.66479806614716) * r
                + 2.506628277459239) * q
            / (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r
                + 66.80131188771972) * r - 13.28068155288572) * r + 1);

        static double Tail(double q)
            => (((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q
                + 4.374664141464968) * q
                    + 2.938163982698783)
                / ((((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1);
    }

    private static JsonArray Array(float[] values) => new([.. values.Select(value => (JsonNode)value)]);

    private static float[] Floats(JsonNode array) => [.. array.AsArray().Select(value => (float)value!)];
}
