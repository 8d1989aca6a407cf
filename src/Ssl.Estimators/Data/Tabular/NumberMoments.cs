namespace Ssl.Estimators.Data;

/// <summary>
/// Count, mean, deviation and range of numbers that come one by one, whatever their unit: neither the squares of 1e200 nor those of 1e-200
/// are lost. Missing and infinite ones are left out.
/// </summary>
internal sealed class NumberMoments
{
    // What the arithmetic of whoever made the column may leave of a single value: 0.1 + 0.2 is not 0.3.
    private const double Rounding = 4 * 2.220446049250313e-16;

    // A power of two above every number so far, by which they are divided: exact, and no square overflows or vanishes.
    private double _unit;
    private double _mean;
    private double _squares;

    /// <summary>Numbers so far.</summary>
    public long Count { get; private set; }

    /// <summary>Their mean; 0 without any.</summary>
    public double Mean => _mean * _unit;

    /// <summary>Their standard deviation; 0 without any.</summary>
    public double Deviation => Count > 0 ? Math.Sqrt(_squares / Count) * _unit : 0;

    /// <summary>The least of them; infinite without any.</summary>
    public double Minimum { get; private set; } = double.PositiveInfinity;

    /// <summary>The greatest of them; infinite without any.</summary>
    public double Maximum { get; private set; } = double.NegativeInfinity;

    /// <summary>Whether they are one value, up to rounding, or none. Measured by their own size: a column in small units is none.</summary>
    public bool IsConstant => Count == 0 || AreSame(Minimum, Maximum);

    /// <summary>Whether two numbers are the same up to rounding.</summary>
    public static bool AreSame(double low, double high)
        => Math.Abs(high - low) <= Rounding * Math.Max(Math.Abs(low), Math.Abs(high));

    /// <summary>Takes a number into account.</summary>
    public void Add(double value)
    {
        if (!double.IsFinite(value))
            return;
        if (Math.Abs(value) > _unit)
            Grow(Math.Abs(value));
        (Minimum, Maximum) = (Math.Min(Minimum, value), Math.Max(Maximum, value));
        Count++;
        // Welford: sums of squares of large values would lose the deviation.
        var scaled = _unit > 0 ? value / _unit : 0;
        var difference = scaled - _mean;
        _mean += difference / Count;
        _squares += difference * (scaled - _mean);
    }

    private void Grow(double size)
    {
        var unit = Math.ScaleB(1, Math.Min(1023, Math.ILogB(size) + 1));
        var ratio = _unit / unit;
        (_unit, _mean, _squares) = (unit, _mean * ratio, _squares * ratio * ratio);
    }
}
