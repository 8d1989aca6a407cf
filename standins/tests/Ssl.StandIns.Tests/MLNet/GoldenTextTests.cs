using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Text files against the recorded facts.</summary>
[TestClass]
public sealed class GoldenTextTests
{
    private string _folder = null!;

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ssl-standins-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private string Recorded() => Write("t.csv", Golden.Of("13.file")!.GetValue<string>());

    private static object Load(string path, Action<TextLoader.Options> set)
    {
        var context = new MLContext(42);
        var warnings = new List<string>();
        context.Log += (_, message) =>
        {
            if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            {
                warnings.Add(message.RawMessage);
            }
        };
        var options = new TextLoader.Options
        {
            HasHeader = true,
            Separators = [','],
            Columns =
            [
                new("Id", DataKind.Int32, 0),
                new("X", DataKind.Single, 1),
                new("Name", DataKind.String, 2),
                new("Flag", DataKind.Boolean, 3),
                new("Y", DataKind.Double, 4),
            ],
        };
        set(options);
        var data = context.Data.LoadFromTextFile(path, options);
        var rows = new
        {
            Id = data.GetColumn<int>("Id").ToArray(),
            X = data.GetColumn<float>("X").ToArray(),
            Name = data.GetColumn<string>("Name").ToArray(),
            Flag = data.GetColumn<bool>("Flag").ToArray(),
            Y = data.GetColumn<double>("Y").ToArray(),
        };
        var columns = data.Schema.Select(column => $"{column.Name}:{column.Type}").ToArray();
        return new { Columns = columns, Rows = rows, Warnings = warnings.Distinct().ToArray() };
    }

    [TestMethod]
    public void FilesAreReadAsRecorded()
    {
        var path = Recorded();
        Golden.Check("13.load comma,header,allowQuoting", Load(path, options => options.AllowQuoting = true));
        Golden.Check("13.load comma,header,allowQuoting,trimWhitespace,MissingRealsAsNaNs", Load(path, options =>
        {
            options.AllowQuoting = true;
            options.TrimWhitespace = true;
            options.MissingRealsAsNaNs = true;
        }));
    }

    [TestMethod]
    public void FormatErrorsNameValueLineAndColumn()
    {
        var path = Recorded();
        void Outer(string key, Action<TextLoader.Options> set)
        {
            var error = Golden.ErrorOf(() => Load(path, set));
            Golden.Check(key, error is string[] chain ? chain[0] : error);
        }

        Outer("13.load comma,header,noQuoting", _ => { });
        Outer("13.load comma,NO header", options => (options.HasHeader, options.AllowQuoting) = (false, true));
        Outer("13.load default separator (tab) on a comma file", options => options.Separators = ['\t']);
        Golden.CheckError(
            "13.missing file",
            () => new MLContext().Data.LoadFromTextFile("/nonexistent.csv", [new("A", DataKind.Single, 0)]));
    }

    [TestMethod]
    public void VectorsKeysAndSparseRows()
    {
        var context = new MLContext(42);
        var vectors = context.Data.LoadFromTextFile(
            Write("v.csv", "a,b,c,d\n1,2,3,4\n0,,7,x\n"),
            [new("F", DataKind.Single, 1, 3), new("L", DataKind.Single, 0)],
            ',',
            hasHeader: true);
        Golden.Check("13.vector column F<-1..3 with header: schema (SlotNames?)", Golden.Schema(vectors.Schema));
        Golden.Check("13.vector column values", vectors.GetColumn<float[]>("F"));
        var keys = context.Data.LoadFromTextFile(Write("k.txt", "0\n1\n2\n3\nx\n"), [new("K", DataKind.UInt32, [new(0)], new KeyCount(3))]);
        Golden.Check("13.key column (UInt32, KeyCount 3) on text lines 0,1,2,3,x: raw keys", keys.GetColumn<uint>("K"));
        var sparse = context.Data.LoadFromTextFile(
            Write("s.txt", "1 5 2:0.5 4:7\n0 5 1:3\n"),
            [new("L", DataKind.Single, 0), new("F", DataKind.Single, 1, 5)],
            ' ',
            allowSparse: true);
        Golden.Check("13.sparse values", sparse.GetColumn<float[]>("F"));
        var empty = context.Data.LoadFromTextFile(Write("e.csv", string.Empty), [new("A", DataKind.Single, 0)], ',', hasHeader: true);
        Golden.Check("13.empty file rows", empty.GetColumn<float>("A"));
    }

    [TestMethod]
    public void SaveAsTextWritesWhatLoadReads()
    {
        var context = new MLContext(42);
        var data = context.Data.TakeRows(Row.Data(context), 3);
        using var stream = new MemoryStream();
        context.Data.SaveAsText(data, stream, ',');
        var text = Encoding.UTF8.GetString(stream.ToArray());
        Golden.Check("13.SaveAsText(separator ',') of 3 rows", text);
        var back = context.Data.LoadFromTextFile(
            Write("back.csv", text),
            [new("A", DataKind.Single, 1), new("Cat", DataKind.String, 4)],
            ',',
            hasHeader: true,
            allowQuoting: true);
        CollectionAssert.AreEqual(data.GetColumn<float>("A").ToArray(), back.GetColumn<float>("A").ToArray());
        CollectionAssert.AreEqual(data.GetColumn<string>("Cat").ToArray(), back.GetColumn<string>("Cat").ToArray());
    }

    [TestMethod]
    public void BinaryViewsGiveBackWhatWasSaved()
    {
        var context = new MLContext(42);
        var data = context.Transforms.Concatenate("F", "A", "V").Fit(Row.Data(context)).Transform(Row.Data(context));
        var path = Path.Combine(_folder, "rows.idv");
        using (var stream = File.Create(path))
        {
            context.Data.SaveAsBinary(data, stream);
        }

        var back = context.Data.LoadFromBinary(path);
        Assert.AreEqual(string.Join("; ", data.Schema), string.Join("; ", back.Schema));
        CollectionAssert.AreEqual(data.GetColumn<string>("Cat").ToArray(), back.GetColumn<string>("Cat").ToArray());
        CollectionAssert.AreEqual(
            data.GetColumn<float[]>("F").SelectMany(f => f).ToArray(),
            back.GetColumn<float[]>("F").SelectMany(f => f).ToArray());
        VBuffer<ReadOnlyMemory<char>> names = default;
        back.Schema["F"].GetSlotNames(ref names);
        Assert.AreEqual("A", names.GetItemOrDefault(0).ToString());
    }

    private sealed class Loaded
    {
        [LoadColumn(0)]
        public float Label { get; set; }

        [LoadColumn(1, 2)]
        [ColumnName("Features")]
        [VectorType(2)]
        public float[]? Values { get; set; }

        [LoadColumn(3)]
        public string? Text { get; set; }
    }

    [TestMethod]
    public void ColumnsFromAttributes()
    {
        var context = new MLContext();
        var path = Write("a.csv", "1,2,3,one\n4,5,6,two\n");
        var data = context.Data.LoadFromTextFile<Loaded>(path, ',');
        Assert.AreEqual("Label: Single; Features: Vector<Single, 2>; Text: String", string.Join("; ", data.Schema));
        var rows = context.Data.CreateEnumerable<Loaded>(data, reuseRowObject: false).ToArray();
        CollectionAssert.AreEqual(new[] { 5f, 6f }, rows[1].Values);
        Assert.AreEqual("two", rows[1].Text);
        var loader = context.Data.CreateTextLoader<Loaded>(',');
        CollectionAssert.AreEqual(new[] { 1f, 4f }, loader.Load(path).GetColumn<float>("Label").ToArray());
    }
}
