using Microsoft.ML;
using Microsoft.ML.Data;
using Parquet;
using Parquet.Schema;
using Ssl.Tool.Data;

namespace Ssl.Tool.Tests;

/// <summary>Files of rows: what their columns hold, every value, and what is wrong with a file.</summary>
[TestClass]
public sealed class RowFileTests
{
    private readonly ToolRun _tool = new();

    [TestCleanup]
    public void Clean() => _tool.Dispose();

    [TestMethod]
    public void Csv_has_quoted_fields_missing_values_and_kinds_of_columns()
    {
        var path = _tool.Write("a.csv", "\ufeffId, Text,Number,Mixed,Empty\r\n1,\"a, \"\"b\"\"\nc\",1.5,1,\r\n2,,,x,\r\n3,plain,-2e3,3,\r\n");
        var file = RowFile.Open(path, new FileSettings());
        Assert.AreEqual("Id Number, Text Text, Number Number, Mixed Text, Empty Text", Columns(file));
        var view = new RecordView(file);
        for (var pass = 0; pass < 2; pass++)
        {
            CollectionAssert.AreEqual(new[] { "a, \"b\"\nc", "", "plain" }, view.GetColumn<string>("Text").ToArray());
            CollectionAssert.AreEqual(new[] { 1.5f, float.NaN, -2000f }, view.GetColumn<float>("Number").ToArray());
            CollectionAssert.AreEqual(new[] { "1", "x", "3" }, view.GetColumn<string>("Mixed").ToArray());
        }
        var named = RowFile.Open(path, new FileSettings(Kinds: new Dictionary<string, CellKind> { ["Id"] = CellKind.Text }));
        Assert.AreEqual("Id Text, Text Text, Number Number, Mixed Text, Empty Text", Columns(named));
    }

    [TestMethod]
    public void Csv_may_have_another_separator_and_no_header()
    {
        Assert.AreEqual("C0 Number, C1 Text", Columns(RowFile.Open(_tool.Write("a.csv", "1;x\n2;y\n"), new FileSettings(Separator: ';', HasHeader: false))));
        Assert.AreEqual("A Number, B Number", Columns(RowFile.Open(_tool.Write("a.tsv", "A\tB\n1\t2\n"), new FileSettings())));
        Assert.AreEqual("A Number, B Number", Columns(RowFile.Open(_tool.Write("a.data", "A\tB\n1\t2\n"), new FileSettings("tsv"))));
    }

    [TestMethod]
    public void Faults_of_csv_are_told_with_their_row()
    {
        Fault("A,B\n1,2\n1,2,3\n", "row 2 has 3 fields, the first line 2");
        Fault("A,A\n1,2\n", "has 'A' twice");
        Fault("A,\n1,2\n", "column 2 has no name");
        var number = RowFile.Open(_tool.Write("n.csv", "A\n1\n2\nx\n"), new FileSettings(Kinds: new Dictionary<string, CellKind> { ["A"] = CellKind.Number }));
        var fault = Assert.ThrowsExactly<FormatException>(() => new RecordView(number).GetColumn<float>("A").Count());
        Assert.Contains("n.csv, row 3: 'x' in column 'A' is no number", fault.Message);
        Assert.Contains("says no format", Assert.ThrowsExactly<UsageException>(() => RowFile.Open(_tool.Write("a.what", ""), new FileSettings())).Message);

        void Fault(string text, string expected)
            => Assert.Contains(expected, Assert.ThrowsExactly<FormatException>(() => RowFile.Open(_tool.Write("bad.csv", text), new FileSettings())).Message);
    }

    [TestMethod]
    public void Json_lines_have_numbers_texts_and_vectors()
    {
        var path = _tool.Write("a.jsonl", """
            {"Id": 1, "Text": "a", "Series": [1, 2.5, null], "Flag": true, "Mixed": 1, "Meta": {"x": 1}, "Words": ["a"]}

            {"Text": "b", "Id": 2, "Series": [3, 4, 5], "Flag": false, "Mixed": "one", "Late": 7}
            """);
        var file = RowFile.Open(path, new FileSettings());
        Assert.AreEqual("Id Number, Text Text, Series Vector3, Flag Text, Mixed Text, Late Number", Columns(file));
        Assert.AreEqual("Meta: objects, Words: arrays of other than numbers", string.Join(", ", file.LeftOut.Select(pair => $"{pair.Key}: {pair.Value}")));
        var view = new RecordView(file);
        CollectionAssert.AreEqual(new[] { 1f, 2.5f, float.NaN }, view.GetColumn<float[]>("Series").First());
        CollectionAssert.AreEqual(new[] { float.NaN, 7f }, view.GetColumn<float>("Late").ToArray());
        CollectionAssert.AreEqual(new[] { "1", "one" }, view.GetColumn<string>("Mixed").ToArray());
        CollectionAssert.AreEqual(new[] { "true", "false" }, view.GetColumn<string>("Flag").ToArray());
        var differing = RowFile.Open(_tool.Write("b.jsonl", "{\"S\": [1]}\n{\"S\": [1, 2]}\n"), new FileSettings());
        Assert.AreEqual("S Vector", Columns(differing));
        Assert.Contains("b.jsonl, line 2 is no JSON", Assert.ThrowsExactly<FormatException>(() => RowFile.Open(_tool.Write("b.jsonl", "{}\n{\n"), new FileSettings())).Message);
    }

    [TestMethod]
    public async Task Parquet_has_row_groups_nulls_and_lists()
    {
        var (id, name, number, flag) = (new DataField<int>("Id"), new DataField<string>("Name"), new DataField<double?>("Number"), new DataField<bool>("Flag"));
        var list = new ListField("Series", new DataField<float>("element"));
        var item = (DataField)list.Item;
        await using (var stream = File.Create(_tool.File("a.parquet")))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(id, name, number, flag, list), stream);
            for (var group = 0; group < 3; group++)
            {
                using var rows = writer.CreateRowGroup();
                await rows.WriteAsync<int>(id, new[] { group * 2, group * 2 + 1 });
                await rows.WriteAsync(name, new[] { $"n{group}", null! });
                await rows.WriteAsync<double>(number, new double?[] { null, group + 0.5 });
                await rows.WriteAsync<bool>(flag, new[] { true, false });
                var all = item.MaxDefinitionLevel;
                await rows.WriteAllPartsAsync<float>(item, new[] { 1f, 2f, 10f * group }, new[] { all, all, all }, new[] { 0, 1, 0 }, CancellationToken.None);
            }
        }
        var file = RowFile.Open(_tool.File("a.parquet"), new FileSettings());
        Assert.AreEqual("Id Number, Name Text, Number Number, Flag Text, Series Vector", Columns(file));
        var view = new RecordView(file);
        for (var pass = 0; pass < 2; pass++)
        {
            CollectionAssert.AreEqual(new[] { 0f, 1, 2, 3, 4, 5 }, view.GetColumn<float>("Id").ToArray());
            CollectionAssert.AreEqual(new[] { "n0", "", "n1", "", "n2", "" }, view.GetColumn<string>("Name").ToArray());
            CollectionAssert.AreEqual(new[] { float.NaN, 0.5f, float.NaN, 1.5f, float.NaN, 2.5f }, view.GetColumn<float>("Number").ToArray());
            CollectionAssert.AreEqual(new[] { "true", "false", "true", "false", "true", "false" }, view.GetColumn<string>("Flag").ToArray());
            Assert.AreEqual("1 2|0|1 2|10|1 2|20", string.Join('|', view.GetColumn<float[]>("Series").Select(series => string.Join(' ', series))));
        }
        Assert.Contains("is no Parquet file", Assert.ThrowsExactly<FormatException>(() => RowFile.Open(_tool.Write("b.parquet", "no"), new FileSettings())).Message);
    }

    [TestMethod]
    public void Text_has_a_text_a_line()
    {
        var view = new RecordView(RowFile.Open(_tool.Write("a.txt", "one\n\n two \nthree"), new FileSettings()));
        CollectionAssert.AreEqual(new[] { "one", " two ", "three" }, view.GetColumn<string>("Text").ToArray());
    }

    [TestMethod]
    public void Columns_are_made_of_others()
    {
        var path = _tool.Write("a.csv", "Title,Body,x0,x1,y\nHello,world,1,2,3\n,alone,4,5,6\n");
        var data = Section($$"""{ "path": "{{path.Replace("\\", "\\\\", StringComparison.Ordinal)}}", "texts": { "Text": ["Title", "Body"] }, "vectors": { "Series": ["x*", "y"] } }""");
        var view = data.Open(new MLContext(0), out _);
        CollectionAssert.AreEqual(new[] { "Hello world", " alone" }, view.GetColumn<string>("Text").ToArray());
        CollectionAssert.AreEqual(new[] { 4f, 5, 6 }, view.GetColumn<float[]>("Series").Last());
        var missing = Section($$"""{ "path": "{{path.Replace("\\", "\\\\", StringComparison.Ordinal)}}", "texts": { "Text": ["Titel"] } }""");
        Assert.Contains("has no column 'Titel' (did you mean \"Title\"?)", Assert.ThrowsExactly<UsageException>(() => missing.Open(new MLContext(0), out _)).Message);

        static DataSettings Section(string json)
        {
            var faults = new Configuration.ConfigFaults("test");
            var node = Configuration.ConfigNode.Parse("test", json);
            var section = DataSettings.Read(node, faults, node);
            faults.ThrowIfAny();
            return section!;
        }
    }

    private static string Columns(RowFile file) => string.Join(", ", file.Columns.Select(column => $"{column.Name} {column.Kind}{(column.Length > 0 ? column.Length : "")}"));
}
