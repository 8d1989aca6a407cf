using System.Globalization;
using System.Net;
using System.Text;

namespace Ssl.Estimators.Reporting;

/// <summary>A picture in the page: lines, dots and words in the page's own colors, which follow its light or dark scheme.</summary>
internal sealed class Svg
{
    /// <summary>Colors of series that the page's style has, from 0; the one after them is for all others.</summary>
    public const int Colors = 7;

    private readonly StringBuilder _content = new();
    private readonly int _width, _height;
    private readonly string _description;

    /// <param name="width">Of the coordinates; the page scales them to the room there is.</param>
    /// <param name="height">The same.</param>
    /// <param name="description">What the picture shows, for those who do not see it.</param>
    public Svg(int width, int height, string description) => (_width, _height, _description) = (width, height, description);

    /// <summary>Class of the lines of a series.</summary>
    public static string LineOf(int series) => $"line c{Math.Min(series, Colors)}";

    /// <summary>Class of the dots and bars of a series.</summary>
    public static string FillOf(int series) => $"fill c{Math.Min(series, Colors)}";

    public void Line(double x1, double y1, double x2, double y2, string style)
        => Add($"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" class=\"{style}\"/>");

    /// <summary>A line through points; one that is not finite makes a gap.</summary>
    public void Path(IEnumerable<(double X, double Y)> points, string style)
    {
        var (path, isOpen) = (new StringBuilder(), false);
        foreach (var (x, y) in points)
        {
            if (double.IsFinite(x) && double.IsFinite(y))
                path.Append(CultureInfo.InvariantCulture, $"{(isOpen ? 'L' : 'M')}{x:0.#} {y:0.#}");
            isOpen = double.IsFinite(x) && double.IsFinite(y);
        }
        Add($"<path d=\"{path}\" class=\"{style}\"/>");
    }

    public void Dot(double x, double y, double radius, string style, string? hover = null)
        => Add($"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"{radius:0.#}\" class=\"{style}\"{End("circle", hover)}");

    public void Bar(double x, double y, double width, double height, string style, string? hover = null)
        => Add($"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{Math.Max(0, width):0.#}\" height=\"{Math.Max(0, height):0.#}\" class=\"{style}\"{End("rect", hover)}");

    /// <param name="x">Where it is held.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="text">The words.</param>
    /// <param name="anchor">start, middle or end: which part of it stands at <paramref name="x"/>.</param>
    /// <param name="turn">Degrees that it is turned by around its place.</param>
    public void Text(double x, double y, string text, string anchor = "start", int turn = 0)
        => Add($"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\"{(turn == 0 ? "" : $" transform=\"rotate({turn} {x:0.#} {y:0.#})\"")}>{Encode(text)}</text>");

    public override string ToString()
        => $"<svg viewBox=\"0 0 {_width} {_height}\" role=\"img\" aria-label=\"{Encode(_description)}\">{_content}</svg>";

    private static string End(string element, string? hover) => hover is null ? "/>" : $"><title>{Encode(hover)}</title></{element}>";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private void Add(FormattableString element) => _content.Append(element.ToString(CultureInfo.InvariantCulture));
}
