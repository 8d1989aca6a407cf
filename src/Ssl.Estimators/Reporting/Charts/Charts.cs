using System.Net;

namespace Ssl.Estimators.Reporting;

/// <summary>A line or a row of dots with its name.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Points">In the order of their X.</param>
/// <param name="Errors">Half the length of the bar through each point; null for none.</param>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points, IReadOnlyList<double>? Errors = null);

/// <summary>A dot of a map.</summary>
/// <param name="X">To the right, any unit.</param>
/// <param name="Y">Up, the same unit.</param>
/// <param name="Group">Index of its group's name; -1 for none.</param>
/// <param name="Hover">What it is, for whoever points at it.</param>
internal readonly record struct MapDot(double X, double Y, int Group, string Hover);

/// <summary>The few pictures that a report needs, as HTML.</summary>
internal static class Charts
{
    private const int Width = 640, Height = 300, Left = 64, Right = 620, Top = 14, Bottom = 252;
    private const int MostPoints = 400;

    /// <summary>Lines over a whole number, such as losses over steps.</summary>
    /// <param name="description">What is seen, in a sentence.</param>
    /// <param name="x">What goes to the right, and its unit.</param>
    /// <param name="y">What goes up, and its unit.</param>
    /// <param name="series">The lines.</param>
    /// <param name="level">A level to compare with, and what it is.</param>
    /// <param name="place">A place on the way that matters, and why.</param>
    public static string Lines(string description, string x, string y, IReadOnlyList<Series> series,
        (double Value, string Text)? level = null, (double Value, string Text)? place = null)
    {
        var points = series.SelectMany(line => line.Points).Where(point => double.IsFinite(point.Y)).ToArray();
        if (points.Length == 0)
            return "";
        var heights = points.Select(point => point.Y).Concat(level is { } some ? [some.Value] : []).ToArray();
        var across = new Scale(points.Min(point => point.X), points.Max(point => point.X), Left, Right, endsAtMarks: false, isWhole: true);
        var up = new Scale(heights.Min(), heights.Max(), Bottom, Top);
        var svg = Frame(description, x, y, across.Marks.Select(mark => (across.At(mark.Value), mark.Text)), up);
        if (level is { } compared)
        {
            svg.Line(Left, up.At(compared.Value), Right, up.At(compared.Value), "level");
            svg.Text(Right, up.At(compared.Value) - 4, compared.Text, "end");
        }
        if (place is { } marked)
        {
            svg.Line(across.At(marked.Value), Top, across.At(marked.Value), Bottom, "level");
            svg.Text(across.At(marked.Value) - 4, Top + 10, marked.Text, "end");
        }
        foreach (var (i, line) in series.Index())
        {
            var shown = Thinned(line.Points);
            svg.Path(shown.Select(point => (across.At(point.X), up.At(point.Y))), Svg.LineOf(i));
            if (shown.Count <= 20)
            {
                foreach (var (px, py) in shown.Where(point => double.IsFinite(point.Y)))
                    svg.Dot(across.At(px), up.At(py), 3, Svg.FillOf(i), FormattableString.Invariant($"{line.Name}: {py:0.####}"));
            }
        }
        return Figure(svg, series.Select(line => line.Name));
    }

    /// <summary>Means with their deviations at a few places, such as accuracies by number of labels.</summary>
    /// <param name="description">What is seen, in a sentence.</param>
    /// <param name="x">What the places are.</param>
    /// <param name="y">What goes up, and its unit.</param>
    /// <param name="places">Names of the places; a point's X is the index of one.</param>
    /// <param name="series">The values.</param>
    public static string Means(string description, string x, string y, IReadOnlyList<string> places, IReadOnlyList<Series> series)
    {
        var ends = series.SelectMany(line => line.Points.Select((point, i) => (point.Y, Error: line.Errors?[i] ?? 0))).ToArray();
        if (ends.Length == 0)
            return "";
        var up = new Scale(ends.Min(end => end.Y - end.Error), ends.Max(end => end.Y + end.Error), Bottom, Top);
        double At(double index) => Left + (Right - Left) * (index + 0.5) / places.Count;
        var svg = Frame(description, x, y, places.Select((name, i) => (At(i), name)), up);
        foreach (var (i, line) in series.Index())
        {
            // Side by side, so that bars of equal means are all seen.
            double Beside(double index) => At(index) + (i - (series.Count - 1) / 2.0) * 8;
            svg.Path(line.Points.Select(point => (Beside(point.X), up.At(point.Y))), Svg.LineOf(i));
            foreach (var (number, (px, py)) in line.Points.Index())
            {
                var error = line.Errors?[number] ?? 0;
                if (error > 0)
                    svg.Line(Beside(px), up.At(py - error), Beside(px), up.At(py + error), Svg.LineOf(i));
                svg.Dot(Beside(px), up.At(py), 4, Svg.FillOf(i), FormattableString.Invariant($"{line.Name}, {places[(int)px]}: {py:0.000} ±{error:0.000}"));
            }
        }
        return Figure(svg, series.Select(line => line.Name));
    }

    /// <summary>Counts as bars, one below the other.</summary>
    /// <param name="description">What is seen, in a sentence.</param>
    /// <param name="bars">Names and counts.</param>
    public static string Bars(string description, IReadOnlyList<(string Name, double Count)> bars)
    {
        const int RowHeight = 22, Names = 180;
        var most = bars.Max(bar => bar.Count);
        var svg = new Svg(Width, bars.Count * RowHeight + 4, description);
        foreach (var (i, (name, count)) in bars.Index())
        {
            var (y, width) = (i * RowHeight + 4, (Right - Names - 60) * count / most);
            svg.Text(Names - 8, y + 13, Words.Short(name, 26), "end");
            svg.Bar(Names, y, width, RowHeight - 6, Svg.FillOf(0), FormattableString.Invariant($"{name}: {count:N0}"));
            svg.Text(Names + width + 6, y + 13, FormattableString.Invariant($"{count:N0}"));
        }
        return Figure(svg, []);
    }

    /// <summary>A map: what lies together is alike. Its axes have no meaning of their own.</summary>
    /// <param name="description">What is seen, in a sentence.</param>
    /// <param name="dots">The dots.</param>
    /// <param name="groups">Names of the groups, the largest first: beyond the colors there are, all have one.</param>
    public static string Map(string description, IReadOnlyList<MapDot> dots, IReadOnlyList<string> groups)
    {
        const int Side = 480, Margin = 10;
        var svg = new Svg(Side, Side, description);
        var (left, right) = (dots.Min(dot => dot.X), dots.Max(dot => dot.X));
        var (low, high) = (dots.Min(dot => dot.Y), dots.Max(dot => dot.Y));
        // One unit for both directions: distances stay comparable.
        var unit = (Side - 2 * Margin) / Math.Max(Math.Max(right - left, high - low), 1e-12);
        var radius = dots.Count > 1_000 ? 2.5 : dots.Count > 300 ? 3 : 4;
        // Gray ones first, below the colored ones.
        foreach (var dot in dots.OrderBy(dot => dot.Group >= 0 && dot.Group < Svg.Colors))
        {
            svg.Dot(Side / 2.0 + (dot.X - (left + right) / 2) * unit, Side / 2.0 - (dot.Y - (low + high) / 2) * unit, radius,
                Svg.FillOf(groups.Count == 0 ? 0 : dot.Group < 0 ? Svg.Colors : dot.Group), dot.Hover);
        }
        return Figure(svg, groups.Count <= Svg.Colors ? groups : [.. groups.Take(Svg.Colors), $"{groups.Count - Svg.Colors} others"], "map");
    }

    /// <summary>A small line without axes, such as a series in a row of a table.</summary>
    public static string Sparkline(string description, ReadOnlySpan<float> values)
    {
        const int Length = 160, High = 40;
        var svg = new Svg(Length, High, description);
        // Of many values the least and the largest of each stretch: a sound is not flat.
        var stretch = Math.Max(1, (values.Length + Length - 1) / Length);
        var points = new List<(double X, double Y)>();
        for (var start = 0; start < values.Length; start += stretch)
        {
            var (least, largest) = (float.PositiveInfinity, float.NegativeInfinity);
            foreach (var value in values[start..Math.Min(start + stretch, values.Length)])
            {
                if (float.IsFinite(value))
                    (least, largest) = (Math.Min(least, value), Math.Max(largest, value));
            }
            points.Add((start, least));
            if (largest > least)
                points.Add((start, largest));
        }
        var finite = points.Where(point => double.IsFinite(point.Y)).Select(point => point.Y).DefaultIfEmpty(0).ToArray();
        var (low, high) = (finite.Min(), finite.Max());
        var last = Math.Max(1, values.Length - 1);
        svg.Path(points.Select(point => (2 + point.X * (Length - 4) / last,
            high > low ? High - 3 - (point.Y - low) / (high - low) * (High - 6) : High / 2.0)), Svg.LineOf(0));
        return $"<span class=\"spark\">{svg}</span>";
    }

    private static Svg Frame(string description, string x, string y, IEnumerable<(double Place, string Text)> marks, Scale up)
    {
        var svg = new Svg(Width, Height, description);
        foreach (var (value, text) in up.Marks)
        {
            svg.Line(Left, up.At(value), Right, up.At(value), "grid");
            svg.Text(Left - 6, up.At(value) + 4, text, "end");
        }
        foreach (var (place, text) in marks)
            svg.Text(place, Bottom + 18, text, "middle");
        svg.Text((Left + Right) / 2.0, Height - 10, x, "middle");
        svg.Text(14, (Top + Bottom) / 2.0, y, "middle", -90);
        return svg;
    }

    private static string Figure(Svg svg, IEnumerable<string> legend, string style = "chart")
    {
        string[] names = [.. legend];
        var list = names.Length == 0 ? "" : $"<figcaption>{string.Concat(names.Select((name, i)
            => $"<span class=\"key\"><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><circle cx=\"5\" cy=\"5\" r=\"4.5\" class=\"{Svg.FillOf(i)}\"/></svg>{WebUtility.HtmlEncode(name)}</span>"))}</figcaption>";
        // In reach of the keyboard: on a phone it is scrolled.
        return $"<figure class=\"{style}\" tabindex=\"0\">{svg}{list}</figure>";
    }

    // Means of neighbors: no more than the eye can tell apart.
    private static IReadOnlyList<(double X, double Y)> Thinned(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
            return points;
        var size = (points.Count + MostPoints - 1) / MostPoints;
        return [.. points.Chunk(size).Select(chunk => (chunk[^1].X, chunk.Average(point => point.Y)))];
    }
}
