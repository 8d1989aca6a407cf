using System.Collections;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using Ssl.Estimators;
using Ssl.Estimators.Reporting;

namespace Ssl.MLNet.Interactive;

/// <summary>Objects as HTML for the output of a cell, with a style that touches nothing else in the notebook.</summary>
internal static class Views
{
    private const int ReportHeight = 900;

    // The colors follow the browser's scheme, which may be another than the notebook's: so they bring their ground along.
    private const string Ground = "background: var(--ground); color: var(--ink); padding: .5rem 1rem; border-radius: 4px; overflow-wrap: anywhere; tr, tr:hover { background: none; }";

    // Three times: notebooks style tables and their rows by up to two classes of their own.
    private const string Root = ".ssl-view.ssl-view.ssl-view";

    /// <summary>What an encoder reads and gives, and how it was trained.</summary>
    public static string Of(EncoderTransformer encoder)
    {
        var page = new Page();
        page.Table(["Encoder", ""],
        [
            ["reads", Page.Encode(string.Join(", ", encoder.InputColumnNames))],
            ["gives", Page.Encode(FormattableString.Invariant($"{encoder.OutputColumnName}, {encoder.EmbeddingDimension} numbers"))],
        ]);
        var facts = JsonNode.Parse(encoder.Model.TrainingFacts.ToJsonString())!.AsObject();
        if (TrainingSection.NameOf(facts) is not null)
            TrainingSection.Add(page, facts, encoder.TrainingHistory);
        return Fragment(page);
    }

    /// <summary>The losses of a training.</summary>
    public static string Of(TrainingHistory history)
    {
        var page = new Page();
        if (history.Epochs.Count == 0)
            page.Paragraph("No epoch was finished.");
        else
            TrainingSection.AddCurves(page, history);
        return Fragment(page);
    }

    /// <summary>Whether pretraining pays, as a sentence, a picture and a table.</summary>
    public static string Of(LabelEfficiencyReport report)
    {
        var page = new Page();
        ComparisonSection.Add(page, report);
        return Fragment(page);
    }

    /// <summary>The whole page in a frame of its own: its style is for a page.</summary>
    public static string Of(EncoderReport report)
        => $"<iframe title=\"{WebUtility.HtmlEncode(report.Title)}\" sandbox=\"\" style=\"box-sizing:border-box;width:100%;height:{ReportHeight}px;border:1px solid #8888\" srcdoc=\"{WebUtility.HtmlEncode(report.Html)}\"></iframe>";

    /// <summary>What was tried on few labels, and how much it counts.</summary>
    public static string Of(FewLabelsTransformer model)
    {
        var page = new Page();
        page.Table(["tried on the labeled rows", "settings", "held-out metric", "held-out loss", "share"], model.Candidates.Select(candidate => (IReadOnlyList<string>)
        [
            Page.Encode(candidate.Name), Page.Encode(candidate.Settings), FormattableString.Invariant($"{candidate.Metric:0.000}"), FormattableString.Invariant($"{candidate.Loss:0.000}"),
            FormattableString.Invariant($"{candidate.Share:0.00}"),
        ]), numbers: true);
        return Fragment(page);
    }

    /// <summary>Figures by their names.</summary>
    public static string OfFigures(object metrics)
    {
        var page = new Page();
        page.Table([Spaced(metrics.GetType().Name), ""], metrics.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0)
            .SelectMany(property => Figures(Spaced(property.Name), property.GetValue(metrics))), numbers: true);
        return Fragment(page);
    }

    /// <summary>A page's contents as the output of a cell.</summary>
    public static string Fragment(Page page) => $"<div class=\"ssl-view\"><style>{Root} {{ {Ground} {Page.Style.Replace(":root", "&", StringComparison.Ordinal)} }}</style>{page.ToFragment()}</div>";

    private static IEnumerable<IReadOnlyList<string>> Figures(string name, object? value) => value switch
    {
        null => [],
        string text => [[Page.Encode(name), Page.Encode(text)]],
        IDictionary entries => entries.Keys.Cast<object>().Select(key => (IReadOnlyList<string>)[Page.Encode($"{name} {Convert.ToString(key, CultureInfo.InvariantCulture)}"), Text(entries[key])]),
        IEnumerable => [],
        _ => [[Page.Encode(name), Text(value)]],
    };

    private static string Text(object? value) => Page.Encode(value is double number ? Words.Number(number) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");

    // "NearestNeighborAccuracy": "nearest neighbor accuracy".
    private static string Spaced(string name)
        => string.Concat(name.Select((character, i) => i > 0 && char.IsUpper(character) ? $" {char.ToLowerInvariant(character)}" : i == 0 ? $"{char.ToLowerInvariant(character)}" : $"{character}"));
}
