using System.Globalization;

namespace Ssl.Estimators.Methods;

/// <summary>
/// What a number may be, stated once on the option: validation, the sentence for a wrong value and the tables of the documentation come
/// from here. Numbers are finite; null, where the type allows it, is always fine.
/// </summary>
/// <example><code>[OptionRange(Minimum = 0, Below = 1)] public float Momentum { get; set; } = 0.99f;</code></example>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionRangeAttribute : OptionRuleAttribute
{
    /// <summary>The least value that is allowed; NaN for none.</summary>
    public double Minimum { get; set; } = double.NaN;

    /// <summary>The value must be greater than this; NaN for no limit.</summary>
    public double Above { get; set; } = double.NaN;

    /// <summary>The greatest value that is allowed; NaN for none.</summary>
    public double Maximum { get; set; } = double.NaN;

    /// <summary>The value must be less than this; NaN for no limit.</summary>
    public double Below { get; set; } = double.NaN;

    /// <inheritdoc/>
    public override string Rule => "must be " + (double.IsNaN(Minimum) || double.IsNaN(Maximum)
        ? string.Join(" and ", new[]
        {
            Phrase("at least", Minimum), Phrase("greater than", Above), Phrase("at most", Maximum), Phrase("less than", Below),
        }.OfType<string>())
        : $"between {Text(Minimum)} and {Text(Maximum)}");

    /// <inheritdoc/>
    public override bool Allows(object? value)
    {
        if (value is null)
            return true;
        var number = value is TimeSpan span ? span.TotalSeconds : Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return double.IsFinite(number) && !(number < Minimum) && !(number <= Above) && !(number > Maximum) && !(number >= Below);
    }

    private static string? Phrase(string words, double limit) => double.IsNaN(limit) ? null : $"{words} {Text(limit)}";

    private static string Text(double limit) => limit.ToString(CultureInfo.InvariantCulture);
}
