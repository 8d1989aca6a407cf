using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ssl.Estimators.Diagnostics;

/// <summary>Collects the faults of a set of options, so that the user sees all of them at once.</summary>
/// <remarks>
/// A sentence says what is allowed and what came: "Temperature must be greater than 0, got 0.". One fault is thrown as an
/// <see cref="ArgumentOutOfRangeException"/> that names the option as its parameter, several as one such exception with all
/// sentences and the first option as its parameter.
/// </remarks>
public sealed class OptionFaults
{
    private readonly List<(string Option, string Sentence)> _faults = [];

    /// <summary>How many faults were found so far.</summary>
    public int Count => _faults.Count;

    /// <summary>Adds a fault in the caller's own words.</summary>
    /// <param name="option">Name of the option.</param>
    /// <param name="sentence">The full sentence: what is wrong, what is allowed, what came.</param>
    public OptionFaults Add(string option, string sentence)
    {
        _faults.Add((option, sentence));
        return this;
    }

    /// <summary>The number must be greater than 0 (and finite).</summary>
    public OptionFaults Positive<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "") where T : INumber<T>
        => Require(T.IsFinite(value) && value > T.Zero, option, "must be greater than 0", value);

    /// <summary>The number must be 0 or more (and finite).</summary>
    public OptionFaults NotNegative<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "") where T : INumber<T>
        => Require(T.IsFinite(value) && value >= T.Zero, option, "must be at least 0", value);

    /// <summary>The number must be <paramref name="minimum"/> or more (and finite).</summary>
    public OptionFaults AtLeast<T>(T value, T minimum, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : INumber<T>
        => Require(T.IsFinite(value) && value >= minimum, option, $"must be at least {Text(minimum)}", value);

    /// <summary>The number must lie in the closed range from <paramref name="minimum"/> to <paramref name="maximum"/>.</summary>
    public OptionFaults InRange<T>(T value, T minimum, T maximum, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : INumber<T>
        => Require(value >= minimum && value <= maximum, option, $"must be between {Text(minimum)} and {Text(maximum)}", value);

    /// <summary>The number must be at least <paramref name="minimum"/> and less than <paramref name="limit"/>.</summary>
    public OptionFaults InHalfOpenRange<T>(T value, T minimum, T limit, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : INumber<T>
        => Require(value >= minimum && value < limit, option, $"must be at least {Text(minimum)} and less than {Text(limit)}", value);

    /// <summary>The number must be greater than <paramref name="low"/> and less than <paramref name="high"/>.</summary>
    public OptionFaults Between<T>(T value, T low, T high, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : INumber<T>
        => Require(value > low && value < high, option, $"must be greater than {Text(low)} and less than {Text(high)}", value);

    /// <summary>The value must be one that its enumeration names.</summary>
    public OptionFaults Defined<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "") where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            Add(Name(option), $"{Name(option)} must be one of {string.Join(", ", Enum.GetNames<T>())}, got {value}.");
        return this;
    }

    /// <summary>The object must be there.</summary>
    public OptionFaults NotNull(object? value, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (value is null)
            Add(Name(option), $"{Name(option)} must be set, got null.");
        return this;
    }

    /// <summary>The text must have at least one character that is not white space.</summary>
    public OptionFaults NotEmpty(string? value, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (string.IsNullOrWhiteSpace(value))
            Add(Name(option), $"{Name(option)} must not be empty, got {(value is null ? "null" : $"\"{value}\"")}.");
        return this;
    }

    /// <summary>A time span, where given, must be longer than zero.</summary>
    public OptionFaults Positive(TimeSpan? value, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (value is { } span && span <= TimeSpan.Zero)
            Add(Name(option), $"{Name(option)} must be longer than 0, got {span}.");
        return this;
    }

    /// <summary>Anything else that must hold.</summary>
    /// <param name="condition">Whether the option is fine.</param>
    /// <param name="option">Name of the option.</param>
    /// <param name="rule">What is allowed, as the middle of the sentence: "must be a multiple of BatchSize 500".</param>
    /// <param name="value">What came.</param>
    public OptionFaults Require(bool condition, string option, string rule, object? value)
    {
        if (!condition)
            Add(Name(option), $"{Name(option)} {rule}, got {Text(value)}.");
        return this;
    }

    /// <summary>Throws if there was a fault.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There was at least one fault; the message has a sentence for each.</exception>
    public void ThrowIfAny()
    {
        if (_faults.Count > 0)
            throw new ArgumentOutOfRangeException(_faults[0].Option, string.Join(" ", _faults.Select(fault => fault.Sentence)));
    }

    // "options.BatchSize" is BatchSize to the user.
    private static string Name(string expression) => expression[(expression.LastIndexOf('.') + 1)..].TrimEnd('!');

    private static string Text(object? value)
        => value is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture) : value?.ToString() ?? "null";
}
