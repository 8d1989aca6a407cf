using System.Globalization;

namespace Ssl.Estimators.Reporting;

/// <summary>Texts of a page.</summary>
internal static class Words
{
    /// <summary>At most so many characters, on one line.</summary>
    public static string Short(string text, int most)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= most)
            return line;
        var end = most - 1;
        // Not between the halves of a character.
        if (char.IsHighSurrogate(line[end - 1]))
            end--;
        return line[..end] + "…";
    }

    /// <summary>"3 h 12 min", "4 min 5 s", "7.2 s".</summary>
    public static string Duration(TimeSpan time) => time.TotalHours >= 1 ? FormattableString.Invariant($"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? FormattableString.Invariant($"{time.Minutes} min {time.Seconds} s")
        : FormattableString.Invariant($"{time.TotalSeconds:0.#} s");

    /// <summary>A number that is read, not computed with.</summary>
    public static string Number(double value) => double.IsFinite(value) ? value.ToString("0.####", CultureInfo.InvariantCulture) : "not a number";

    /// <summary>A share as "81.3 %".</summary>
    public static string Percent(double share) => FormattableString.Invariant($"{share * 100:0.0} %");
}
