using System.Xml;
using System.Xml.Linq;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet.Tests.FineTuning;

namespace Ssl.MLNet.Tests.Reporting;

[TestClass]
public sealed class ReportTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    private SelfSupervisedCatalog Ssl => _mlContext.SelfSupervised();

    [TestMethod]
    public void A_page_of_texts_has_every_section_and_the_figures_of_the_evaluations()
    {
        var data = FineTuningData.View(_mlContext);
        Directory.CreateDirectory(Path.Combine(_folder, "private"));
        using var encoder = Ssl.Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 32, NumberOfEpochs = 6, VocabularySize = 300, MinimumTokenCount = 1,
            ValidationFraction = 0.2, Temperature = 0.07f, CheckpointPath = Path.Combine(_folder, "private", "checkpoint"),
        }).Fit(data);
        var told = new List<string>();
        var report = Ssl.Report(data, encoder, new ReportOptions
        {
            LabelColumnName = "Subject", NumberOfExamples = 3, NumberOfNeighbors = 2, Progress = new Collect(told),
            LabelEfficiency = new LabelEfficiencyOptions
            {
                Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [3, 6], NumberOfDraws = 2,
            },
        });
        var page = Parse(report.Html);
        CollectionAssert.AreEqual(new[] { "Data", "Training", "The embedding", "Few labels", "Map", "Nearest neighbors", "How this was made" }, Sections(page));
        Assert.HasCount(6, page.Descendants("figure").ToArray(), "classes, losses, spread, few labels and two maps");
        Assert.AreEqual("SimCse of Text", report.Title);
        CollectionAssert.Contains(report.Findings.ToArray(), report.LabelEfficiency!.Conclusion);
        CollectionAssert.AreEqual(report.Findings.ToArray(), page.Descendants("ul").Single().Elements("li").Select(item => item.Value).ToArray());

        // The options that were set, and not the path, which is nobody's business.
        StringAssert.Contains(report.Html, "Temperature 0.07");
        Assert.DoesNotContain("private", report.Html);
        StringAssert.Contains(report.Html, "weights kept");

        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Subject").Fit(data).Transform(data);
        var alone = Ssl.LabelEfficiency(keyed, encoder, new LabelEfficiencyOptions
        {
            Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], LabelsPerClass = [3, 6], NumberOfDraws = 2, LabelColumnName = "Subject", Seed = 0,
        });
        Assert.AreEqual(alone.ToString(), report.LabelEfficiency!.ToString(), "on the report's own embeddings as on new ones");
        var embedded = encoder.Transform(keyed);
        var expected = Ssl.EvaluateRepresentation(embedded, new RepresentationEvaluationOptions { LabelColumnName = "Subject", Seed = 0 });
        Assert.AreEqual(expected.ToString(), report.Metrics.ToString());
        Assert.AreNotEqual(expected.Spread, report.UntrainedMetrics.Spread);
        var table = page.Descendants("table").Single(item => item.Value.Contains("Effective rank", StringComparison.Ordinal));
        StringAssert.Contains(table.Value, FormattableString.Invariant($"{expected.LinearProbeAccuracy:0.000}"));
        StringAssert.Contains(table.Value, FormattableString.Invariant($"{report.UntrainedMetrics.LinearProbeAccuracy:0.000}"));

        // Three rows with two neighbors each, which are the nearest by cosine of all rows.
        var examples = Examples(page);
        Assert.HasCount(3, examples);
        var texts = data.GetColumn<string>("Text").ToArray();
        var vectors = encoder.Transform(data).GetColumn<float[]>("Features").ToArray();
        foreach (var example in examples)
        {
            var shown = ((XText)example.Element("th")!.FirstNode!).Value.Trim();
            var query = Array.IndexOf(texts, shown);
            Assert.IsGreaterThanOrEqualTo(0, query, shown);
            var nearest = Enumerable.Range(0, texts.Length).Where(i => i != query).Max(i => Cosine(vectors[query], vectors[i]));
            var first = example.Descendants("li").First();
            StringAssert.EndsWith(first.Value, FormattableString.Invariant($"{nearest:0.00}"));
            Assert.HasCount(2, example.Descendants("li").ToArray());
            // A mark where the label is the same, and nowhere else.
            foreach (var item in example.Descendants("li"))
            {
                Assert.AreEqual(Label(example.Element("th")!) == Label(item), (string?)item.Attribute("class") == "same");
            }
        }

        static string Label(XElement shown) => shown.Elements("span").First().Value;

        CollectionAssert.Contains(told, "drawing the map");
    }

    [TestMethod]
    public void Nothing_is_fetched_and_texts_stay_texts()
    {
        var rows = FineTuningData.Rows(40);
        foreach (var row in rows.Take(20))
            row.Text += " <script>alert(1)</script> <img src='https://example.org/x'> & \"quoted\"";
        var data = _mlContext.Data.LoadFromEnumerable(rows);
        using var encoder = FineTuningData.Pretrainer(_mlContext).Fit(data);
        var report = Ssl.Report(data, encoder, new ReportOptions { Title = "<b>&", NumberOfExamples = 40, LabelColumnName = "Answer", LabelEfficiency = null });
        var page = Parse(report.Html);
        Assert.IsEmpty(page.Descendants("script").Concat(page.Descendants("link")).Concat(page.Descendants("iframe")).Concat(page.Descendants("img")).ToArray());
        Assert.AreEqual("<b>&", page.Descendants("h1").Single().Value);
        Assert.IsTrue(page.Descendants().Attributes().All(attribute => !attribute.Value.Contains("//", StringComparison.Ordinal) || attribute.Parent!.Name == "svg"),
            "no address stands in an attribute");
        StringAssert.Contains(page.Value, "<script>alert(1)</script>");
        CollectionAssert.DoesNotContain(Sections(page), "Few labels");
    }

    [TestMethod]
    [DataRow("tables")]
    [DataRow("images")]
    [DataRow("series")]
    [DataRow("images with texts")]
    public void Rows_are_shown_as_what_they_are(string kind)
    {
        var options = new ReportOptions { NumberOfMapRows = 12, NumberOfExamples = 2, NumberOfNeighbors = 1 };
        var (data, encoder) = Fit(kind);
        using (encoder)
        {
            var page = Parse(Ssl.Report(data, encoder, options).Html);
            CollectionAssert.DoesNotContain(Sections(page), "Few labels");
            var shown = Examples(page).Select(row => row.Element("th")!).ToArray();
            Assert.HasCount(2, shown);
            switch (kind)
            {
                case "tables":
                    StringAssert.Matches(shown[0].Value, new(@"^Age \d+, HoursPerWeek \d+, Workclass (state|private)$"));
                    break;
                case "series":
                    Assert.AreEqual("spark", (string?)shown[0].Element("span")!.Attribute("class"));
                    break;
                default:
                    var source = (string)shown[0].Element("img")!.Attribute("src")!;
                    StringAssert.StartsWith(source, "data:image/png;base64,");
                    using (var image = MLImage.CreateFromStream(new MemoryStream(Convert.FromBase64String(source[(source.IndexOf(',') + 1)..]))))
                        Assert.AreEqual(kind == "images" ? (28, 28) : (16, 16), (image.Width, image.Height));
                    if (kind != "images")
                        Assert.IsGreaterThan(3, shown[0].Value.Trim().Length, "its sentence");
                    break;
            }
        }
    }

    [TestMethod]
    public void Where_there_are_no_plain_features_the_report_says_so()
    {
        // Of differing length: neither a linear model nor trees could read them.
        var data = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new
        {
            Series = Enumerable.Range(0, 24 + i % 8).Select(t => MathF.Sin(t * (i % 2 == 0 ? 0.2f : 0.7f))).ToArray(), Kind = i % 2 == 0 ? "slow" : "fast",
        }).ToArray());
        using var encoder = Ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options { InputColumnName = "Series", NumberOfEpochs = 1, BatchSize = 8 }).Fit(data);
        var report = Ssl.Report(data, encoder, new ReportOptions { LabelColumnName = "Kind", NumberOfMapRows = 0, NumberOfExamples = 0 });
        Assert.IsNull(report.LabelEfficiency);
        StringAssert.StartsWith(report.Findings[0], "Few labels were not compared");
        CollectionAssert.DoesNotContain(Sections(Parse(report.Html)), "Few labels");
        Assert.IsNotNull(report.Metrics.LinearProbeAccuracy);
    }

    [TestMethod]
    public void Pixels_are_those_of_the_row()
    {
        var (data, encoder) = Fit("images");
        using (encoder)
        {
            var page = Parse(Ssl.Report(data, encoder, new ReportOptions { NumberOfMapRows = 0, NumberOfExamples = 16 }).Html);
            CollectionAssert.DoesNotContain(Sections(page), "Map");
            var rows = data.GetColumn<byte[]>("Image").Select(Convert.ToHexString).ToHashSet();
            var seen = Examples(page).Select(row => row.Element("th")!).Select(item =>
            {
                var source = (string)item.Element("img")!.Attribute("src")!;
                using var image = MLImage.CreateFromStream(new MemoryStream(Convert.FromBase64String(source[(source.IndexOf(',') + 1)..])));
                return Convert.ToHexString([.. Enumerable.Range(0, 28 * 28).Select(i => image.Pixels[4 * i])]);
            }).ToHashSet();
            Assert.IsTrue(rows.SetEquals(seen));
        }
    }

    [TestMethod]
    public void A_column_can_be_named_to_show_rows_by()
    {
        var data = FineTuningData.View(_mlContext);
        using var encoder = FineTuningData.Encoder(_mlContext);
        var page = Parse(Ssl.Report(data, encoder, new ReportOptions { DisplayColumnName = "Id", NumberOfExamples = 1 }).Html);
        StringAssert.Matches(Examples(page).Single().Element("th")!.Value, new(@"^\d+$"));
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.Report(encoder.Transform(data), encoder, new ReportOptions { DisplayColumnName = "Features" }));
        StringAssert.Contains(fault.Message, "display column 'Features'");
    }

    [TestMethod]
    public void A_loaded_encoder_tells_its_options_and_epochs()
    {
        var data = FineTuningData.View(_mlContext);
        using var encoder = FineTuningData.Pretrainer(_mlContext, epochs: 3).Fit(data);
        var path = Path.Combine(_folder, "encoder.zip");
        Ssl.SaveEncoder(encoder, path);
        using var loaded = Ssl.LoadEncoder(path);
        var page = Parse(Ssl.Report(data, loaded, new ReportOptions { NumberOfMapRows = 0, NumberOfExamples = 0 }).Html);
        StringAssert.Contains(page.Value, "BatchSize 32, Encoder.kind text.bag");
        CollectionAssert.AreEqual(new[] { "Data", "Training", "The embedding", "How this was made" }, Sections(page));
        StringAssert.Contains(page.Value, "epoch");
    }

    [TestMethod]
    public void Of_many_rows_some_are_drawn_from_all_over()
    {
        // Sorted by class, as files often are: the first rows alone would be of one.
        var rows = FineTuningData.Rows(120).OrderBy(row => row.Subject, StringComparer.Ordinal).ToArray();
        var data = _mlContext.Data.LoadFromEnumerable(rows);
        using var encoder = FineTuningData.Encoder(_mlContext);
        var report = Ssl.Report(data, encoder, new ReportOptions { MaximumNumberOfRows = 40, LabelColumnName = "Subject", LabelEfficiency = null });
        Assert.AreEqual(40, report.Metrics.NumberOfRows);
        StringAssert.Contains(report.Html, "120 rows, of which 40 drawn at random");
        StringAssert.Contains(report.Html, "4 classes");
    }

    [TestMethod]
    public void The_file_is_written_whole_and_a_bad_path_is_told_before_the_work()
    {
        var data = FineTuningData.View(_mlContext);
        using var encoder = FineTuningData.Encoder(_mlContext);
        var path = Path.Combine(_folder, "report.html");
        File.WriteAllText(path, "old");
        var report = Ssl.Report(data, encoder, path);
        Assert.AreEqual(report.Html, File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(_folder));
        Assert.ThrowsExactly<IOException>(() => Ssl.Report(_mlContext.Data.LoadFromEnumerable(NoRows()), encoder, Path.Combine(_folder, "missing", "report.html")));

        static IEnumerable<LabeledRow> NoRows()
        {
            Assert.Fail("rows are not read before the path is known to be good");
            yield break;
        }
    }

    [TestMethod]
    public void Bad_settings_and_data_are_told()
    {
        var data = FineTuningData.View(_mlContext);
        using var encoder = FineTuningData.Encoder(_mlContext);
        var faults = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.Report(data, encoder, new ReportOptions
        {
            MaximumNumberOfRows = 1, NumberOfMapRows = -1, NumberOfExamples = 101, NumberOfNeighbors = 0, Title = "",
        }));
        foreach (var name in new[] { "MaximumNumberOfRows", "NumberOfMapRows", "NumberOfExamples", "NumberOfNeighbors", "Title" })
            StringAssert.Contains(faults.Message, name);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.Report(data, encoder, new ReportOptions { LabelColumnName = "Team" })).Message, "'Team'");
        var one = _mlContext.Data.LoadFromEnumerable(FineTuningData.Rows(40).Where(row => row.Answer).ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Ssl.Report(one, encoder, new ReportOptions { LabelColumnName = "Answer" })).Message, "fewer than two classes");
        using var canceled = new CancellationTokenSource();
        Assert.ThrowsExactly<OperationCanceledException>(() => Ssl.Report(data, encoder, new ReportOptions
        {
            CancellationToken = canceled.Token, Progress = new Cancel(canceled),
        }));
    }

    [TestMethod]
    public void A_collapsed_embedding_and_a_short_training_are_told()
    {
        var data = FineTuningData.View(_mlContext);
        using var encoder = Ssl.Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 32, NumberOfEpochs = 5, VocabularySize = 300, MinimumTokenCount = 1, LearningRate = 1e-3,
        }).Fit(data);
        var report = Ssl.Report(data, encoder, new ReportOptions { NumberOfMapRows = 0, NumberOfExamples = 0 });
        Assert.IsTrue(report.Findings.Any(finding => finding.Contains("was still falling", StringComparison.Ordinal)), string.Join("\n", report.Findings));
        Assert.IsFalse(report.Findings.Any(finding => finding.Contains("collapsed:", StringComparison.Ordinal)), string.Join("\n", report.Findings));

        var collapsed = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(i => new LabeledRow { Text = "the same words" }));
        Assert.IsTrue(Ssl.Report(collapsed, encoder, new ReportOptions { NumberOfExamples = 0 }).Findings[0].StartsWith("The embedding has collapsed", StringComparison.Ordinal));
    }

    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-report-").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    private static (IDataView Data, EncoderTransformer Encoder) Fit(string kind) => kind switch
    {
        "tables" => (Samples.Tables.data, Samples.Tables.ssl.Tabular.MaskedCells(new MaskedCellsTrainer.Options
        {
            InputColumnNames = ["Age", "HoursPerWeek", "Workclass"], NumberOfEpochs = 1,
        }).Fit(Samples.Tables.data)),
        "images" => (Samples.Images.data, Samples.Images.ssl.Images.SimClr(new SimClrTrainer.Options
        {
            InputColumnName = "Image", NumberOfEpochs = 1, BatchSize = 8, Encoder = ImageEncoders.SmallConvNet(28, 1, 2, 8),
        }).Fit(Samples.Images.data)),
        "series" => (Samples.Series.data, Samples.Series.ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
        {
            InputColumnName = "Series", NumberOfEpochs = 1, BatchSize = 8,
        }).Fit(Samples.Series.data)),
        _ => (Samples.ImageTexts.data, Samples.ImageTexts.ssl.ImageText.Clip(new ClipTrainer.Options
        {
            ImageColumnName = "Image", TextColumnName = "Text", NumberOfEpochs = 1, BatchSize = 8,
            ImageEncoder = ImageEncoders.SmallConvNet(16, 1, 2, 8), TextEncoder = TextEncoders.Bag(16), VocabularySize = 100, MinimumTokenCount = 1,
        }).Fit(Samples.ImageTexts.data)),
    };

    private static XElement Parse(string html)
    {
        // A page that is well-formed: no tag is left open, no text breaks out of its place.
        using var reader = XmlReader.Create(new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader);
    }

    // The rows of the table of neighbors.
    private static XElement[] Examples(XElement page)
        => [.. page.Descendants("div").Single(item => (string?)item.Attribute("class") == "neighbors").Descendants("tbody").Single().Elements("tr")];

    private static string[] Sections(XElement page) => [.. page.Descendants("h2").Select(heading => heading.Value)];

    private static double Cosine(float[] a, float[] b)
        => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));

    private sealed class Collect(List<string> told) : IProgress<string>
    {
        public void Report(string value) => told.Add(value);
    }

    private sealed class Cancel(CancellationTokenSource source) : IProgress<string>
    {
        public void Report(string value) => source.Cancel();
    }
}
