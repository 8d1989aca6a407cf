using System.Globalization;
using System.Net;
using System.Text;

namespace Ssl.Estimators.Reporting;

/// <summary>A page under construction: sections of words, tables and pictures.</summary>
internal sealed class Page
{
    private static readonly Lazy<string> s_style = new(() =>
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream("Ssl.Estimators.Report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });

    private readonly StringBuilder _body = new();
    private readonly List<(string Id, string Title)> _sections = [];
    private bool _isOpen;

    /// <summary>Text as it may stand in HTML.</summary>
    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>How everything looks, in light, dark and on paper.</summary>
    public static string Style => s_style.Value;

    /// <summary>Begins a section, which the page's contents name.</summary>
    public void Section(string title)
    {
        var id = $"s{_sections.Count + 1}";
        _sections.Add((id, title));
        _body.Append(_isOpen ? "</section>" : "").Append(CultureInfo.InvariantCulture, $"<section id=\"{id}\"><h2>{Encode(title)}</h2>");
        _isOpen = true;
    }

    /// <summary>A heading within a section.</summary>
    public void Heading(string text) => _body.Append(CultureInfo.InvariantCulture, $"<h3>{Encode(text)}</h3>");

    /// <summary>A paragraph of plain words.</summary>
    public void Paragraph(string text) => _body.Append(CultureInfo.InvariantCulture, $"<p>{Encode(text)}</p>");

    /// <summary>HTML as it is.</summary>
    public void Html(string html) => _body.Append(html);

    /// <summary>A table.</summary>
    /// <param name="headers">Plain words, one a column.</param>
    /// <param name="rows">HTML, one cell a column; the first is the row's own header.</param>
    /// <param name="numbers">Whether all but the first column are numbers.</param>
    public void Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows, bool numbers = false)
    {
        _body.Append("<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table").Append(numbers ? " class=\"numbers\"" : "").Append("><thead><tr>");
        foreach (var header in headers)
            _body.Append(header.Length == 0 ? "<td></td>" : $"<th scope=\"col\">{Encode(header)}</th>");
        _body.Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{row[0]}</th>");
            foreach (var cell in row.Skip(1))
                _body.Append(CultureInfo.InvariantCulture, $"<td>{cell}</td>");
            _body.Append("</tr>");
        }
        _body.Append("</tbody></table></div>");
    }

    /// <summary>The contents alone, to stand in another page.</summary>
    public string ToFragment() => $"{_body}{(_isOpen ? "</section>" : "")}";

    /// <summary>The whole page.</summary>
    /// <param name="title">Its title.</param>
    /// <param name="subtitle">What it is of.</param>
    /// <param name="findings">What follows, a sentence each.</param>
    public string ToHtml(string title, string subtitle, IEnumerable<string> findings)
    {
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>{Encode(title)}</title>
            <style>
            {Style}</style>
            </head>
            <body>
            <header><h1>{Encode(title)}</h1><p>{Encode(subtitle)}</p>
            <ul class="findings">{string.Concat(findings.Select(finding => $"<li>{Encode(finding)}</li>"))}</ul>
            <nav aria-label="Sections">{string.Concat(_sections.Select(section => $"<a href=\"#{section.Id}\">{Encode(section.Title)}</a>"))}</nav></header>
            <main>
            {ToFragment()}
            </main>
            </body>
            </html>

            """;
    }
}
