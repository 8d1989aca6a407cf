using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Interactive.Tests;

/// <summary>Maps and tables of neighbors, as cells show them.</summary>
[TestClass]
public sealed class EmbeddingViewTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();
    private static IDataView s_data = null!;
    private static EncoderTransformer s_encoder = null!;

    [ClassInitialize]
    public static void Prepare(TestContext context)
    {
        Notebook.RegisterFormatters();
        s_data = ContractData.View(s_mlContext);
        s_encoder = ViewTests.Train(s_ssl, s_data);
    }

    [ClassCleanup]
    public static void Clean() => s_encoder.Dispose();

    [TestMethod]
    public void A_map_has_a_dot_for_every_row_in_the_color_of_its_label()
    {
        var map = s_ssl.EmbeddingMap(s_data, s_encoder, "Label", "Id");
        var view = ViewTests.Parse(map.ToDisplayString(HtmlFormatter.MimeType));
        Assert.AreEqual(view.ToString(), ViewTests.Parse(map.Html).ToString());
        var labels = s_data.GetColumn<string>("Label").ToArray();
        var figures = view.Descendants("figure").ToArray();
        Assert.HasCount(2, figures, "t-SNE and principal components");
        foreach (var figure in figures)
        {
            var key = figure.Descendants("span").ToDictionary(span => span.Value, span => (string)span.Descendants("circle").Single().Attribute("class")!);
            CollectionAssert.AreEquivalent(ContractData.Subjects, key.Keys.ToArray());
            var dots = figure.Element("svg")!.Elements("circle").ToArray();
            CollectionAssert.AreEquivalent(labels.Select((label, i) => $"{i} ({label})").ToArray(), dots.Select(dot => dot.Element("title")!.Value).ToArray());
            foreach (var dot in dots)
            {
                var hover = dot.Element("title")!.Value;
                Assert.AreEqual(key[hover[(hover.IndexOf('(', StringComparison.Ordinal) + 1)..^1]], (string?)dot.Attribute("class"), hover);
            }
        }
        Assert.IsEmpty(view.Descendants("script").Concat(view.Descendants("img")).Concat(view.Descendants("link")).ToArray());
        StringAssert.Contains(map.ToString(), "96 rows in the colors of Label");
    }

    [TestMethod]
    public void A_map_of_fewer_rows_is_drawn_by_its_seed_and_needs_no_labels()
    {
        string[] Hovers(int seed) => [.. ViewTests.Parse(s_ssl.EmbeddingMap(s_data, s_encoder, displayColumnName: "Id", numberOfRows: 20, seed: seed).Html).Descendants("figure").First().Descendants("title").Select(title => title.Value)];
        var hovers = Hovers(1);
        Assert.HasCount(20, hovers.Distinct().ToArray());
        CollectionAssert.AreEqual(hovers, Hovers(1));
        CollectionAssert.AreNotEquivalent(hovers, Hovers(2));
        Assert.IsTrue(hovers.Any(hover => int.Parse(hover, System.Globalization.CultureInfo.InvariantCulture) > 40), "not the first rows");
    }

    [TestMethod]
    public void Neighbors_are_the_nearest_of_all_rows_and_never_the_row_itself()
    {
        var texts = s_data.GetColumn<string>("Text").ToArray();
        var labels = s_data.GetColumn<string>("Label").ToArray();
        var vectors = s_encoder.Transform(s_data).GetColumn<float[]>("Features").ToArray();
        var table = s_ssl.NeighborTable(s_data, s_encoder, labelColumnName: "Label", displayColumnName: "Id", numberOfExamples: 7, numberOfNeighbors: 3);
        var rows = Rows(table);
        Assert.HasCount(7, rows);
        foreach (var row in rows)
        {
            var query = Number(row.Element("th")!);
            StringAssert.Contains(row.Element("th")!.Value, $"[{labels[query]}]");
            var found = row.Descendants("li").ToArray();
            double[] nearest = [.. Enumerable.Range(0, texts.Length).Where(i => i != query).Select(i => Cosine(vectors[query], vectors[i])).OrderDescending().Take(3)];
            foreach (var (item, cosine) in found.Zip(nearest))
            {
                Assert.AreNotEqual(query, Number(item));
                StringAssert.EndsWith(item.Value, FormattableString.Invariant($"{cosine:0.00}"));
                Assert.AreEqual(cosine, Cosine(vectors[query], vectors[Number(item)]), 1e-5);
                Assert.AreEqual(labels[query] == labels[Number(item)] ? "same" : null, (string?)item.Attribute("class"));
            }
            Assert.HasCount(3, found);
            StringAssert.Contains(table.ToString(), $"{query} [{labels[query]}]");
        }

        static int Number(XElement shown) => int.Parse(((XText)shown.FirstNode!).Value.Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }

    [TestMethod]
    public void Queries_of_ones_own_stay_in_their_order_and_need_only_what_the_encoder_reads()
    {
        var queries = s_mlContext.Data.LoadFromEnumerable(new[] { new { Text = "reads bytes & opens <file>" }, new { Text = "roses" } });
        var rows = Rows(s_ssl.NeighborTable(s_data, s_encoder, queries, "Label", "Id", numberOfNeighbors: 2));
        CollectionAssert.AreEqual(new[] { "reads bytes & opens <file>", "roses" }, rows.Select(row => row.Element("th")!.Value.Trim()).ToArray());
        Assert.IsTrue(rows.All(row => row.Descendants("li").Count() == 2 && row.Descendants("li").All(item => item.Attribute("class") is null)));
        // One is enough, and a row that is also among the data is found there.
        var one = s_mlContext.Data.LoadFromEnumerable(new[] { new { Text = s_data.GetColumn<string>("Text").First() } });
        var only = Rows(s_ssl.NeighborTable(s_data, s_encoder, one)).Single();
        StringAssert.EndsWith(only.Descendants("li").First().Value, "1.00");
        StringAssert.Contains(only.Descendants("li").First().Value, only.Element("th")!.Value.Trim());
    }

    [TestMethod]
    public void Images_are_shown_as_pictures()
    {
        var random = new Random(1);
        var type = new VectorDataViewType(NumberDataViewType.Byte, 1, 8, 8);
        var schema = SchemaDefinition.Create(typeof(Picture));
        schema["Image"].ColumnType = type;
        var data = s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 12).Select(i => new Picture { Image = [.. Enumerable.Range(0, 64).Select(_ => (byte)random.Next(256))] }).ToArray(), schema);
        using var encoder = s_ssl.Images.SimClr(new SimClrTrainer.Options { NumberOfEpochs = 1, BatchSize = 4, Encoder = ImageEncoders.SmallConvNet(8, 1, 1, 4) }).Fit(data);
        var rows = Rows(s_ssl.NeighborTable(data, encoder, numberOfExamples: 2, numberOfNeighbors: 3));
        Assert.HasCount(8, rows.SelectMany(row => row.Descendants("img")).Where(image => ((string)image.Attribute("src")!).StartsWith("data:image/png;base64,", StringComparison.Ordinal)).ToArray());
    }

    [TestMethod]
    public void What_cannot_be_shown_is_told()
    {
        Told<ArgumentOutOfRangeException>(() => s_ssl.EmbeddingMap(s_data, s_encoder, numberOfRows: 3), "numberOfRows must be from 4 to 3,000, got 3.");
        Told<ArgumentOutOfRangeException>(() => s_ssl.NeighborTable(s_data, s_encoder, numberOfExamples: 0), "numberOfExamples must be from 1 to 100, got 0.");
        Told<ArgumentOutOfRangeException>(() => s_ssl.NeighborTable(s_data, s_encoder, numberOfNeighbors: 21), "numberOfNeighbors must be from 1 to 20, got 21.");
        Told<ArgumentOutOfRangeException>(() => s_ssl.EmbeddingMap(s_data, s_encoder, "Team"), "'Team'");
        Told<ArgumentOutOfRangeException>(() => s_ssl.NeighborTable(s_data, s_encoder, labelColumnName: "Team"), "'Team'");
        Told<InvalidOperationException>(() => s_ssl.EmbeddingMap(s_mlContext.Data.TakeRows(s_data, 3), s_encoder), "at least 4 are needed");
        var elsewhere = s_mlContext.Transforms.SelectColumns("Id").Fit(s_data).Transform(s_data);
        Told<ArgumentOutOfRangeException>(() => s_ssl.NeighborTable(s_data, s_encoder, elsewhere), "'Text'");

        static void Told<T>(Action action, string message) where T : Exception => StringAssert.Contains(Assert.ThrowsExactly<T>(action).Message, message);
    }

    private static XElement[] Rows(NotebookView view) => [.. ViewTests.Parse(view.Html).Descendants("tbody").Single().Elements("tr")];

    private static double Cosine(float[] a, float[] b)
        => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));

    private sealed class Picture
    {
        public byte[] Image { get; set; } = [];
    }
}
