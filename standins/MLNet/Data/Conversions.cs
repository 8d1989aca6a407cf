using System.Globalization;
using System.Numerics;

namespace Microsoft.ML.Data;

internal delegate void ValueConverter<TSource, TTarget>(in TSource source, ref TTarget target);

/// <summary>Which column values can be converted into which, and how.</summary>
internal static class Conversions
{
    private static readonly Dictionary<(Type Source, Type Target), Delegate> _known = Build();

    /// <summary>The conversion, or null if there is none.</summary>
    public static ValueConverter<TSource, TTarget> Find<TSource, TTarget>() =>
        (ValueConverter<TSource, TTarget>)Find(typeof(TSource), typeof(TTarget));

    public static Delegate Find(Type source, Type target) => _known.GetValueOrDefault((source, target));

    private static Dictionary<(Type Source, Type Target), Delegate> Build()
    {
        var table = new Dictionary<(Type, Type), Delegate>();
        void Add<TSource, TTarget>(ValueConverter<TSource, TTarget> convert) => table[(typeof(TSource), typeof(TTarget))] = convert;

        void Number<TSource, TTarget>()
            where TSource : INumberBase<TSource>
            where TTarget : INumberBase<TTarget> =>
                Add((in TSource source, ref TTarget target) => target = TTarget.CreateTruncating(source));

        // What does not fit into a smaller unsigned type becomes 0.
        void Unsigned<TSource, TTarget>()
            where TSource : INumber<TSource>
            where TTarget : INumber<TTarget>, IMinMaxValue<TTarget> =>
            Add((in TSource source, ref TTarget target) =>
                target = ulong.CreateTruncating(source) <= ulong.CreateTruncating(TTarget.MaxValue) ? TTarget.CreateTruncating(source) : TTarget.Zero);

        void Common<TSource>()
            where TSource : INumberBase<TSource>
        {
            Number<TSource, float>();
            Number<TSource, double>();
            Add((in TSource source, ref bool target) => target = !TSource.IsZero(source));
            Add((in bool source, ref TSource target) => target = source ? TSource.One : TSource.Zero);
        }

        void Signed<TSource>()
            where TSource : INumber<TSource>
        {
            Number<TSource, sbyte>();
            Number<TSource, short>();
            Number<TSource, int>();
            Number<TSource, long>();
            Common<TSource>();
        }

        void UnsignedAll<TSource>()
            where TSource : INumber<TSource>
        {
            Unsigned<TSource, byte>();
            Unsigned<TSource, ushort>();
            Unsigned<TSource, uint>();
            Unsigned<TSource, ulong>();
            Common<TSource>();
            table.Remove((typeof(bool), typeof(TSource)));
        }

        void Parsed<TTarget>() => Add((in ReadOnlyMemory<char> source, ref TTarget target) => TextParsing.TryParse(source, out target));

        Signed<sbyte>();
        Signed<short>();
        Signed<int>();
        Signed<long>();
        UnsignedAll<byte>();
        UnsignedAll<ushort>();
        UnsignedAll<uint>();
        UnsignedAll<ulong>();
        Common<float>();
        Common<double>();
        Parsed<sbyte>();
        Parsed<byte>();
        Parsed<short>();
        Parsed<ushort>();
        Parsed<int>();
        Parsed<uint>();
        Parsed<long>();
        Parsed<ulong>();
        Parsed<float>();
        Parsed<double>();
        Parsed<bool>();
        Parsed<TimeSpan>();
        Parsed<DateTime>();
        Parsed<DateTimeOffset>();
        Add((in ReadOnlyMemory<char> source, ref ReadOnlyMemory<char> target) => target = source);
        Add((in bool source, ref bool target) => target = source);
        Add((in TimeSpan source, ref long target) => target = source.Ticks);
        Add((in TimeSpan source, ref float target) => target = source.Ticks);
        Add((in TimeSpan source, ref double target) => target = source.Ticks);
        Add((in DateTime source, ref long target) => target = source.Ticks);
        Add((in DateTime source, ref float target) => target = source.Ticks);
        Add((in DateTime source, ref double target) => target = source.Ticks);
        Add((in DateTime source, ref DateTime target) => target = source);
        Add((in DateTimeOffset source, ref long target) => target = source.UtcDateTime.Ticks);
        Add((in DateTimeOffset source, ref float target) => target = source.UtcDateTime.Ticks);
        Add((in DateTimeOffset source, ref double target) => target = source.UtcDateTime.Ticks);
        return table;
    }
}

/// <summary>Values out of text.</summary>
internal static class TextParsing
{
    private static readonly HashSet<string> _true = new(["true", "t", "yes", "y", "1", "+1", "+"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> _false = new(["", "false", "f", "no", "n", "0", "-1", "-"], StringComparer.OrdinalIgnoreCase);

    /// <summary>False where the text is no such value. Reals never fail: what is no number is NaN. Empty is the default value.</summary>
    public static bool TryParse<T>(ReadOnlyMemory<char> text, out T value, bool emptyIsMissing = false, char decimalMarker = '.')
    {
        object parsed = Parse(typeof(T), text.Span.Trim(), emptyIsMissing, decimalMarker);
        value = parsed is T typed ? typed : default;
        return parsed != null;
    }

    private static object Parse(Type type, ReadOnlySpan<char> text, bool emptyIsMissing, char decimalMarker)
    {
        if (type == typeof(float) || type == typeof(double))
        {
            var real = Real(text, emptyIsMissing, decimalMarker, type == typeof(float));
            return type == typeof(float) ? (object)(float)real : real;
        }

        if (type == typeof(bool))
        {
            var word = text.ToString();
            return _true.Contains(word) ? true : _false.Contains(word) ? false : null;
        }

        if (text.IsEmpty)
        {
            return Activator.CreateInstance(type);
        }

        const NumberStyles integer = NumberStyles.AllowLeadingSign;
        var culture = CultureInfo.InvariantCulture;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.SByte => sbyte.TryParse(text, integer, culture, out var value) ? value : null,
            TypeCode.Byte => byte.TryParse(text, NumberStyles.None, culture, out var value) ? value : null,
            TypeCode.Int16 => short.TryParse(text, integer, culture, out var value) ? value : null,
            TypeCode.UInt16 => ushort.TryParse(text, NumberStyles.None, culture, out var value) ? value : null,
            TypeCode.Int32 => int.TryParse(text, integer, culture, out var value) ? value : null,
            TypeCode.UInt32 => uint.TryParse(text, NumberStyles.None, culture, out var value) ? value : null,
            TypeCode.Int64 => long.TryParse(text, integer, culture, out var value) ? value : null,
            TypeCode.UInt64 => ulong.TryParse(text, NumberStyles.None, culture, out var value) ? value : null,
            TypeCode.DateTime => DateTime.TryParse(text, culture, DateTimeStyles.None, out var value) ? value : null,
            _ when type == typeof(TimeSpan) => TimeSpan.TryParse(text, culture, out var value) ? value : null,
            _ when type == typeof(DateTimeOffset) =>
                DateTimeOffset.TryParse(text, culture, DateTimeStyles.None, out var value) ? value : null,
            _ => null,
        };
    }

    private static double Real(ReadOnlySpan<char> text, bool emptyIsMissing, char decimalMarker, bool single)
    {
        if (text.IsEmpty)
        {
            return emptyIsMissing ? double.NaN : 0;
        }

        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var format = decimalMarker == '.'
            ? NumberFormatInfo.InvariantInfo
            : new NumberFormatInfo { NumberDecimalSeparator = decimalMarker.ToString() };
        if (char.IsAsciiLetter(text.TrimStart("+-")[..Math.Min(1, text.TrimStart("+-").Length)] is { Length: 1 } first ? first[0] : '0'))
        {
            return text.TrimStart("+-").Equals("Infinity", StringComparison.OrdinalIgnoreCase)
                ? text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity
                : double.NaN;
        }

        // Floats are read as floats: rounding twice gives other last bits.
        return single
            ? float.TryParse(text, styles, format, out var small) ? small : double.NaN
            : double.TryParse(text, styles, format, out var value) ? value : double.NaN;
    }
}
