using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class TableLearnerTests
{
    private static readonly MLContext Context = TestDevice.Context(1);

    private static TableColumns Learn(IDataView data, params string[] columns)
        => TableLearner.Learn(data, columns, new TableLearner.Settings(NumericScaling.ZScore, 2, 100), default).Columns;

    // The scaled numbers and the entries of every row.
    private static List<(float[] Numbers, int[] Codes)> Encode(TableColumns learned, IDataView data)
    {
        string[] names = [.. learned.Columns.Select(c => c.Name)];
        using var cursor = data.GetRowCursor(names.Select(name => data.Schema[name]));
        var (read, buffer) = (RowReader.Open(cursor, names), new RowBuffer());
        var rows = new List<(float[] Numbers, int[] Codes)>();
        while (cursor.MoveNext())
        {
            var (numbers, codes) = (new float[learned.Layout.NumericCount], new int[learned.Layout.CategoricalCount]);
            learned.Encode(read(buffer), numbers, codes);
            rows.Add((numbers, codes));
        }
        return rows;
    }

    [TestMethod]
    public void EveryTypeOfColumnIsRead()
    {
        var view = Context.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new AllTypes
        {
            Float = i, Double = i * 2.0, Int = -i, Byte = (byte)i, ULong = (ulong)i, Bool = i % 2 == 0, Text = i % 3 == 0 ? "a" : "b",
            Vector = [i, 2 * i],
        }));
        var data = Context.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(view).Transform(view);
        string[] all = ["Float", "Double", "Int", "Byte", "ULong", "Bool", "Text", "Key", "Vector"];
        var learned = Learn(data, all);
        CollectionAssert.AreEqual((string[])["Float", "Double", "Int", "Byte", "ULong", "Vector.0", "Vector.1"],
            learned.Layout.NumericNames.ToArray());
        CollectionAssert.AreEqual((string[])["Bool", "Text", "Key"], learned.Layout.CategoricalNames.ToArray());
        CollectionAssert.AreEqual((int[])[5, 5, 5], learned.Layout.CategoryCounts.ToArray());
        var rows = Encode(learned, data);
        foreach (var (numbers, codes) in rows)
        {
            // All numeric columns are the row's number times a constant: equal z-scores up to the sign.
            Assert.IsTrue(numbers.All(n => Math.Abs(Math.Abs(n) - Math.Abs(numbers[0])) < 1e-5));
            Assert.IsTrue(codes.All(c => c >= TableLayout.SpecialCount));
        }
        Assert.AreEqual(2, rows.Select(r => r.Codes[0]).Distinct().Count());
        Assert.AreEqual(2, rows.Select(r => r.Codes[2]).Distinct().Count());
        var read = TableColumns.FromJson(JsonNode.Parse(learned.ToJson().ToJsonString())!.AsArray());
        foreach (var (before, after) in rows.Zip(Encode(read, data)))
        {
            CollectionAssert.AreEqual(before.Numbers, after.Numbers);
            CollectionAssert.AreEqual(before.Codes, after.Codes);
        }
    }

    [TestMethod]
    public void MissingUnseenAndRareHaveEntriesOfTheirOwn()
    {
        string[] texts = ["common", "common", "common", "common ", "rare", "", "  ", "other", "other"];
        var data = Context.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }));
        var learned = Learn(data, "Text");
        var codes = Encode(learned,
            Context.Data.LoadFromEnumerable(((string[])["common", "other", "rare", "new", "", " "]).Select(t => new TextRow { Text = t })))
            .Select(row => row.Codes[0]).ToArray();
        CollectionAssert.AreEqual((int[])[3, 4, TableLayout.RareCode, TableLayout.UnseenCode, TableLayout.MissingCode,
            TableLayout.MissingCode], codes);
    }

    [TestMethod]
    public void NumbersThatAreMissingInfiniteOrAllTheSame()
    {
        var data = Context.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new NumberRow
        {
            Some = i % 5 == 0 ? float.NaN : i % 7 == 0 ? float.PositiveInfinity : i, None = float.NaN, Constant = 3,
        }));
        var learned = Learn(data, "Some", "None", "Constant");
        foreach (var (numbers, _) in Encode(learned, data))
        {
            Assert.IsTrue(float.IsNaN(numbers[0]) || Math.Abs(numbers[0]) <= 10);
            Assert.IsTrue(float.IsNaN(numbers[1]));
            Assert.AreEqual(0, numbers[2]);
        }
        Assert.AreEqual(4, Encode(learned, data).Count(row => float.IsNaN(row.Numbers[0])));
    }

    [TestMethod]
    public void TenThousandCategoriesKeepTheMostFrequent()
    {
        var random = new Random(1);
        var data = Context.Data.LoadFromEnumerable(Enumerable.Range(0, 30_000)
            .Select(i => new TextRow { Text = $"c{(i < 20_000 ? i % 10_000 : i % 50)}" }).ToArray());
        var learned = Learn(data, "Text");
        Assert.AreEqual(TableLayout.SpecialCount + 100, learned.Layout.CategoryCounts[0]);
        var codes = Encode(learned,
            Context.Data.LoadFromEnumerable(((string[])["c1", "c9999", "never"]).Select(t => new TextRow { Text = t })))
            .Select(r => r.Codes[0]).ToArray();
        Assert.IsGreaterThanOrEqualTo(TableLayout.SpecialCount, codes[0]);
        Assert.AreEqual(TableLayout.RareCode, codes[1]);
        Assert.AreEqual(TableLayout.UnseenCode, codes[2]);
    }

    [TestMethod]
    public void SlotNamesNameTheCells()
    {
        var data = Context.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new NumberRow { Some = i, None = i, Constant = 1 }));
        var view = Context.Transforms.Concatenate("All", "Some", "Constant").Fit(data).Transform(data);
        CollectionAssert.AreEqual((string[])["All.Some", "All.Constant"], Learn(view, "All").Layout.NumericNames.ToArray());
    }

    [TestMethod]
    public void AMissingKeyIsMissing()
    {
        var data = Context.Data.LoadFromEnumerable(((string[])["x", "y", "x", "y"]).Select(t => new TextRow { Text = t }));
        var keys = Context.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(data);
        var learned = Learn(keys.Transform(data), "Key");
        var other = keys.Transform(Context.Data.LoadFromEnumerable(((string[])["y", "z"]).Select(t => new TextRow { Text = t })));
        var codes = Encode(learned, other).Select(r => r.Codes[0]).ToArray();
        CollectionAssert.AreEqual((int[])[4, TableLayout.MissingCode], codes);
        // Keys are categories by their values: another numbering changes nothing.
        var renumbered = Context.Data.LoadFromEnumerable(((string[])["y", "x"]).Select(t => new TextRow { Text = t }));
        var mapped = Context.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(renumbered).Transform(renumbered);
        CollectionAssert.AreEqual((int[])[4, 3], Encode(learned, mapped).Select(r => r.Codes[0]).ToArray());
    }

    private sealed class AllTypes
    {
        public float Float { get; set; }
        public double Double { get; set; }
        public int Int { get; set; }
        public byte Byte { get; set; }
        public ulong ULong { get; set; }
        public bool Bool { get; set; }
        public string Text { get; set; } = "";
        [VectorType(2)] public float[] Vector { get; set; } = [];
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class NumberRow
    {
        public float Some { get; set; }
        public float None { get; set; }
        public float Constant { get; set; }
    }
}
