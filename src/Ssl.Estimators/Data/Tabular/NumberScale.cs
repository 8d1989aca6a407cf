using System.Globalization;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>
/// Scales the numbers of one cell; learned from the training data, in Double, and only the result is a Single. A cell of one value, or of
/// none, is always 0.
/// </summary>
internal sealed class NumberScale
{
    /// <summary>Intervals between the quantiles that are kept.</summary>
    public const int QuantileIntervals = 128;

    /// <summary>Bins of the edges that encoders get.</summary>
    public const int Bins = 16;

    /// <summary>Where scaled numbers are cut, unless it is said otherwise.</summary>
    public const double UsualLimit = 10;

    private const string MeanKey = "mean", FactorKey = "factor", QuantilesKey = "quantiles", LowestKey = "lowest", EdgesKey = "edges",
        LimitKey = "limit", PrecisionKey = "precision", DoublePrecision = "double";

    // Shares of the numbers between two quantiles, and how many deviations lie between those in a normal distribution. The widest is for
    // cells of which nearly all numbers are the same.
    private static readonly (double Low, double Deviations)[] s_ranges = [(0.25, 1.3490), (0.1, 2.5631), (0.05, 3.2897), (0.01, 4.6527)];

    private readonly double? _center;
    private readonly double _factor;
    private readonly double[]? _quantiles;
    private readonly double _lowest;
    private readonly double _limit;
    private readonly bool _ofSingle;

    private NumberScale(double? center, double factor, double[]? quantiles, double lowest, double limit, bool ofSingle, float[] edges)
    {
        (_center, _factor, _quantiles, _lowest, _limit, _ofSingle) = (center, factor, quantiles, lowest, limit, ofSingle);
        Edges = edges;
    }

    /// <summary>Edges of <see cref="Bins"/> equally filled bins, scaled.</summary>
    public float[] Edges { get; private set; }

    /// <summary>Subtracted first; 0 where there was no number.</summary>
    public double Center => _center ?? 0;

    /// <summary>Multiplied with then; 0 for a cell of one value.</summary>
    public double Factor => _factor;

    /// <summary>The training data's quantiles, which become those of the normal distribution; null scales by <see cref="Factor"/>.</summary>
    public IReadOnlyList<double>? TrainingQuantiles => _quantiles;

    /// <summary>The lowest rank that is told from others, as a share.</summary>
    public double LowestRank => _lowest;

    /// <summary>Where numbers that <see cref="Factor"/> scaled are cut.</summary>
    public double Limit => _limit;

    /// <summary>Whether the training data had one value at most, and every number is 0 therefore.</summary>
    public bool IsConstant => _quantiles is null && _factor == 0;

    /// <summary>The one value in words, where <see cref="IsConstant"/>.</summary>
    public string ConstantText => _center is { } value ? NumberText.Of(value) : "no value";

    /// <summary>Learns from the numbers of the training data.</summary>
    /// <param name="scaling">How to scale.</param>
    /// <param name="moments">Of all of them.</param>
    /// <param name="sample">Some of them, finite; sorted here.</param>
    /// <param name="limit">Where scaled numbers are cut.</param>
    public static NumberScale Learn(NumericScaling scaling, NumberMoments moments, Span<double> sample, double limit = UsualLimit)
    {
        sample.Sort();
        NumberScale scale;
        if (moments.IsConstant)
        {
            double? only = moments.Count == 0 ? null : moments.Minimum;
            return new NumberScale(only, 0, null, 0, limit, false, new float[Bins + 1]);
        }
        // Numbers so rare that none of them is among the sampled rows.
        if (sample.IsEmpty)
            sample = (double[])[moments.Minimum, moments.Maximum];
        if (scaling == NumericScaling.Quantile)
            scale = new NumberScale(0, 0, Quantiles(sample, QuantileIntervals), 0.5 / Math.Min(moments.Count, 1_000), limit, false, []);
        else if (scaling == NumericScaling.Robust && RobustDeviation(sample) is > 0 and var robust)
            scale = new NumberScale(Quantile(sample, 0.5), Inverse(robust), null, 0, limit, false, []);
        else
            scale = new NumberScale(moments.Mean, Inverse(moments.Deviation), null, 0, limit, false, []);
        var edges = Quantiles(sample, Bins);
        scale.Edges = [.. edges.Select(scale.Scale)];
        return scale;
    }

    /// <summary>The scaled number; infinite ones go to the ends of the range. Not for NaN.</summary>
    public float Scale(double number)
    {
        // What a scale of an older model was learned of.
        if (_ofSingle)
            number = (float)number;
        if (_quantiles is not null)
            return (float)NormalQuantile(Math.Clamp(Rank(_quantiles, number), _lowest, 1 - _lowest));
        return _factor == 0 ? 0 : (float)Math.Clamp((number - _center!.Value) * _factor, -_limit, _limit);
    }

    /// <summary>Whether a number is another one than the only one of the training data, which <see cref="Scale"/> does not tell.</summary>
    public bool Hides(double number)
        => IsConstant && !double.IsNaN(number) && !(_center is { } only && double.IsFinite(number)
            && NumberMoments.AreSame(_ofSingle ? (float)number : number, only));

    /// <summary>
    /// The deviation of a normal distribution whose middle half is as wide as that of the numbers: outliers do not change it. Where half of
    /// the numbers are the same, wider shares are taken; 0 where nearly all are.
    /// </summary>
    public static double RobustDeviation(ReadOnlySpan<double> sorted)
    {
        foreach (var (low, deviations) in s_ranges)
        {
            if (sorted.Length > 0 && Quantile(sorted, 1 - low) / deviations - Quantile(sorted, low) / deviations is > 0 and var deviation)
                return deviation;
        }
        return 0;
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject { [EdgesKey] = Array(Edges) };
        if (!_ofSingle)
            json[PrecisionKey] = DoublePrecision;
        if (_quantiles is not null)
        {
            json[QuantilesKey] = new JsonArray([.. _quantiles.Select(value => (JsonNode)value)]);
            json[LowestKey] = _lowest;
        }
        else
        {
            json[MeanKey] = _center;
            json[FactorKey] = _factor;
            json[LimitKey] = _limit;
        }
        return json;
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote. Without a word on precision, numbers were narrowed to Single before scaling.</summary>
    /// <exception cref="FormatException">The numbers cannot be a learned scale.</exception>
    public static NumberScale FromJson(JsonObject json)
    {
        float[] edges = [.. json[EdgesKey]!.AsArray().Select(value => (float)value!)];
        Require(edges.Length == Bins + 1 && Rising([.. edges]), EdgesKey, $"{Bins + 1} finite numbers that do not fall");
        var ofSingle = json[PrecisionKey] is null;
        if (json[QuantilesKey] is { } node)
        {
            double[] quantiles = [.. node.AsArray().Select(value => ofSingle ? (float)value! : (double)value!)];
            Require(quantiles.Length == QuantileIntervals + 1 && Rising(quantiles), QuantilesKey,
                $"{QuantileIntervals + 1} finite numbers that do not fall");
            var lowest = (double)json[LowestKey]!;
            Require(lowest is > 0 and <= 0.5, LowestKey, "a share above 0, at most 0.5");
            return new NumberScale(0, 0, quantiles, lowest, UsualLimit, ofSingle, edges);
        }
        var factor = (double)json[FactorKey]!;
        Require(factor >= 0 && double.IsFinite(factor), FactorKey, "finite and not negative");
        var mean = (double?)json[MeanKey];
        Require(mean is null ? factor == 0 : double.IsFinite(mean.Value), MeanKey, "finite");
        var limit = (double?)json[LimitKey] ?? UsualLimit;
        Require(limit > 0 && double.IsFinite(limit), LimitKey, "finite and above 0");
        return new NumberScale(mean, factor, null, 0, limit, ofSingle, edges);
    }

    // Finite for the smallest numbers, too.
    private static double Inverse(double deviation) => 1 / Math.Max(deviation, 1e-300);

    private static void Require(bool right, string key, string allowed)
    {
        if (!right)
            throw new FormatException($"The scale of a number has a wrong \"{key}\": it must be {allowed}.");
    }

    private static bool Rising(double[] numbers)
        => numbers.All(double.IsFinite) && numbers.Zip(numbers.Skip(1)).All(pair => pair.First <= pair.Second);

    // Share of the training numbers below, half of the equal ones included: from 0 to 1.
    private static double Rank(double[] quantiles, double number)
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
        double low = quantiles[first - 1], high = quantiles[first];
        // The difference of the largest numbers is infinite, that of their halves is not.
        var share = double.IsFinite(high - low) ? (number - low) / (high - low) : (number / 2 - low / 2) / (high / 2 - low / 2);
        return (first - 1 + share) / intervals;
    }

    private static int LowerBound(double[] sorted, double number)
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

    private static double[] Quantiles(ReadOnlySpan<double> sorted, int intervals)
    {
        var quantiles = new double[intervals + 1];
        for (var i = 0; i <= intervals; i++)
            quantiles[i] = Quantile(sorted, (double)i / intervals);
        return quantiles;
    }

    private static double Quantile(ReadOnlySpan<double> sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        double low = sorted[below], high = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return double.IsFinite(high - low) ? low + (place - below) * (high - low) : 2 * (low / 2 + (place - below) * (high / 2 - low / 2));
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
}

/// <summary>Numbers in sentences.</summary>
internal static class NumberText
{
    /// <summary>Six digits, whatever the size.</summary>
    public static string Of(double number) => number.ToString("G6", CultureInfo.InvariantCulture);
}
