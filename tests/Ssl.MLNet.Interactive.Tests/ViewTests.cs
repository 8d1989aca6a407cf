using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.MLNet.Interactive.Tests;

[TestClass]
public sealed partial class ViewTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();
    private static IDataView s_data = null!;
    private static EncoderTransformer s_encoder = null!;

    [ClassInitialize]
    public static void Prepare(TestContext context)
    {
        Notebook.RegisterFormatters();
        var rows = ContractData.View(s_mlContext);
        s_data = s_mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
        s_encoder = Train(s_ssl, s_data);
    }

    internal static EncoderTransformer Train(SelfSupervisedCatalog ssl, IDataView data) => ssl.Text.SimCse(new SimCseTrainer.Options
    {
        Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 32, NumberOfEpochs = 3, VocabularySize = 300, MinimumTokenCount = 1,
    }).Fit(data);

    [ClassCleanup]
    public static void Clean() => s_encoder.Dispose();

    [TestMethod]
    public void An_encoder_and_its_history_show_what_they_are()
    {
        var encoder = Parse(Html(s_encoder));
        StringAssert.Contains(encoder.Value, "Features, 16 numbers");
        StringAssert.Contains(encoder.Value, "3 epochs");
        Assert.HasCount(2, encoder.Descendants("figure").ToArray());
        Assert.HasCount(2, Parse(Html(s_encoder.TrainingHistory!)).Descendants("figure").ToArray());
    }

    [TestMethod]
    public void Evaluations_show_their_figures()
    {
        var metrics = s_ssl.EvaluateRepresentation(s_encoder.Transform(s_data), "Label");
        var table = Parse(Html(metrics)).Descendants("tr").Where(row => row.Elements("td").Any()).ToDictionary(row => row.Element("th")!.Value, row => row.Element("td")!.Value);
        Assert.AreEqual(FormattableString.Invariant($"{metrics.NearestNeighborAccuracy:0.####}"), table["nearest neighbor accuracy"]);
        Assert.AreEqual(FormattableString.Invariant($"{metrics.Spread:0.####}"), table["spread"]);
        Assert.DoesNotContain("alignment", string.Join(' ', table.Keys), "what was not measured is not shown");
        var retrieval = s_ssl.EvaluateRetrieval(s_mlContext.Transforms.CopyColumns("Other", "Features").Fit(s_encoder.Transform(s_data)).Transform(s_encoder.Transform(s_data)), "Features", "Other");
        StringAssert.Contains(Parse(Html(retrieval)).Value, "recall at k 5");
    }

    [TestMethod]
    public void A_verdict_and_what_was_tried_are_shown()
    {
        var report = s_ssl.LabelEfficiency(s_data, s_encoder, new LabelEfficiencyOptions
        {
            Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [2, 4], NumberOfDraws = 2,
        });
        var verdict = Parse(Html(report));
        StringAssert.Contains(verdict.Value, report.Conclusion);
        Assert.HasCount(1, verdict.Descendants("figure").ToArray());
        using var model = s_ssl.FewLabels.MulticlassClassification(new FewLabelsTrainer.Options { Adaptation = FewLabelsTrainer.Usage.Never }).Fit(s_encoder.Transform(s_data));
        var tried = Parse(Html(model));
        Assert.HasCount(model.Candidates.Count, tried.Descendants("tbody").Single().Elements("tr").ToArray());
        StringAssert.Contains(tried.Value, "class shares");
    }

    [TestMethod]
    public void A_report_stands_in_a_frame_of_its_own()
    {
        var report = s_ssl.Report(s_data, s_encoder, new ReportOptions { NumberOfMapRows = 0, NumberOfExamples = 1, Title = "\"quoted\" & <b>" });
        var frame = XElement.Parse(Html(report));
        Assert.AreEqual("iframe", frame.Name.LocalName);
        Assert.AreEqual("", (string?)frame.Attribute("sandbox"));
        Assert.AreEqual(Spaces().Replace(report.Html, " ").Trim(), Spaces().Replace((string)frame.Attribute("srcdoc")!, " ").Trim());
    }

    // Well-formed, with a style that is for this view alone.
    internal static XElement Parse(string html)
    {
        var (start, end) = (html.IndexOf("<style>", StringComparison.Ordinal), html.IndexOf("</style>", StringComparison.Ordinal));
        var style = html[(start + "<style>".Length)..end].Trim();
        var view = XElement.Parse(html.Remove(start, end + "</style>".Length - start));
        Assert.AreEqual("ssl-view", (string?)view.Attribute("class"));
        StringAssert.StartsWith(style, ".ssl-view.ssl-view.ssl-view { background: var(--ground); color: var(--ink);", "colors on a ground of their own");
        StringAssert.EndsWith(style, "}");
        Assert.DoesNotContain(":root", style);
        var depth = 0;
        foreach (var character in style[style.IndexOf('{', StringComparison.Ordinal)..^1])
        {
            depth += character switch { '{' => 1, '}' => -1, _ => 0 };
            Assert.IsGreaterThan(0, depth, "all rules stand inside of the view's");
        }
        Assert.AreEqual(1, depth);
        return view;
    }

    private static string Html(object value) => value.ToDisplayString(HtmlFormatter.MimeType);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
