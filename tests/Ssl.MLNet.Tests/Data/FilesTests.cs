using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Tests.Data;

[TestClass]
public sealed class FilesTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("files-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Rows_of_many_files_stand_behind_each_other()
    {
        var view = _mlContext.SelfSupervised().Data.LoadFiles(Write(3, 0, 4), Load);
        CollectionAssert.AreEqual((string[])["part0 row0", "part0 row1", "part0 row2", "part2 row0", "part2 row1", "part2 row2", "part2 row3"],
            view.GetColumn<string>("Text").ToArray());
        using var cursor = view.GetRowCursor(view.Schema);
        var get = cursor.GetGetter<float>(view.Schema["Number"]);
        var (sum, value, rows) = (0f, 0f, 0);
        while (cursor.MoveNext())
        {
            Assert.AreEqual(rows++, cursor.Position);
            get(ref value);
            sum += value;
        }
        Assert.AreEqual((7, 0f + 1 + 2 + 0 + 1 + 2 + 3), (rows, sum));
        Assert.AreEqual(-1, cursor.Position);
        Assert.IsFalse(cursor.MoveNext());
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => get(ref value));
        StringAssert.Contains(fault.Message, "not on a row");
    }

    [TestMethod]
    public void They_go_through_stages_like_any_others()
    {
        var view = _mlContext.SelfSupervised().Data.LoadFiles(Write(5, 6), Load);
        var model = _mlContext.Transforms.NormalizeMinMax("Number").Append(_mlContext.Transforms.Text.FeaturizeText("Features", "Text")).Fit(view);
        Assert.HasCount(11, model.Transform(view).GetColumn<float[]>("Features").ToArray());
        Assert.HasCount(4, _mlContext.Data.TakeRows(_mlContext.Data.SkipRows(view, 3), 4).GetColumn<string>("Text").ToArray());
        var copy = Path.Combine(_folder, "copy.idv");
        using (var stream = File.Create(copy))
            _mlContext.Data.SaveAsBinary(view, stream);
        CollectionAssert.AreEqual(view.GetColumn<string>("Text").ToArray(), _mlContext.SelfSupervised().Data.LoadFiles([copy]).GetColumn<string>("Text").ToArray());
    }

    [TestMethod]
    public void Files_of_other_columns_are_named()
    {
        var paths = Write(2, 2);
        var fault = Assert.ThrowsExactly<ArgumentException>(() => _mlContext.SelfSupervised().Data.LoadFiles(paths,
            path => path == paths[0] ? Load(path) : _mlContext.Data.LoadFromTextFile<Other>(path)));
        StringAssert.Contains(fault.Message, $"'{paths[1]}' differs from '{paths[0]}': column 1 is 'Number' of String in place of 'Number' of Single");
        Assert.ThrowsExactly<ArgumentException>(() => _mlContext.SelfSupervised().Data.LoadFiles([]));
    }

    [TestMethod]
    public void What_was_transformed_is_not_transformed_again()
    {
        var ssl = _mlContext.SelfSupervised();
        var inputs = Write(3, 1, 2);
        var model = _mlContext.Transforms.CopyColumns("Copy", "Number").Fit(Load(inputs[0]));
        var output = Path.Combine(_folder, "out");
        var (done, loaded) = (new List<string>(), 0);
        string[] Run() => [.. ssl.TransformFiles(model, inputs, path => { loaded++; return Load(path); }, output, ["Copy"], new Teller(done))];
        var paths = Run();
        CollectionAssert.AreEqual(paths, done);
        CollectionAssert.AreEqual(inputs.Select(Path.GetFileNameWithoutExtension).ToArray(), paths.Select(Path.GetFileNameWithoutExtension).ToArray());
        var all = ssl.Data.LoadFiles(paths);
        Assert.AreEqual("Copy", all.Schema.Single().Name);
        CollectionAssert.AreEqual((float[])[0, 1, 2, 0, 0, 1], all.GetColumn<float>("Copy").ToArray());
        done.Clear();
        File.Delete(paths[1]);
        CollectionAssert.AreEqual(paths, Run());
        CollectionAssert.AreEqual((string[])[paths[1]], done);
        Assert.AreEqual(4, loaded);
        File.SetLastWriteTimeUtc(inputs[2], DateTime.UtcNow.AddMinutes(1));
        done.Clear();
        Run();
        CollectionAssert.AreEqual((string[])[paths[2]], done, "older than its input");
    }

    [TestMethod]
    public void A_failure_leaves_no_half_file_and_the_whole_ones()
    {
        var ssl = _mlContext.SelfSupervised();
        var inputs = Write(2, 2);
        var model = _mlContext.Transforms.CustomMapping<Row, Copied>((row, copied) =>
            copied.Copy = row.Text == "part1 row1" ? throw new InvalidDataException("row 1 cannot be read") : row.Number, contractName: null).Fit(Load(inputs[0]));
        var output = Path.Combine(_folder, "out");
        Assert.Throws<Exception>(() => ssl.TransformFiles(model, inputs, Load, output, ["Copy"]));
        CollectionAssert.AreEqual((string[])["part0.idv"], Directory.GetFiles(output).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    public void Inputs_are_checked_before_any_work()
    {
        var ssl = _mlContext.SelfSupervised();
        var inputs = Write(1);
        var model = _mlContext.Transforms.CopyColumns("Copy", "Number").Fit(Load(inputs[0]));
        var output = Path.Combine(_folder, "out");
        Assert.ThrowsExactly<ArgumentException>(() => ssl.TransformFiles(model, [], Load, output));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => ssl.TransformFiles(model, [inputs[0], "elsewhere/part0.csv"], Load, output)).Message,
            "2 inputs are called 'part0'");
        Assert.ThrowsExactly<FileNotFoundException>(() => ssl.TransformFiles(model, [inputs[0], "missing.txt"], Load, output));
        Assert.IsFalse(Directory.Exists(output));
    }

    private string[] Write(params int[] rows) => [.. rows.Select((count, i) =>
    {
        var path = Path.Combine(_folder, $"part{i}.txt");
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(row => $"part{i} row{row}\t{row}"));
        return path;
    })];

    private IDataView Load(string path) => _mlContext.Data.LoadFromTextFile<Row>(path);

    private sealed class Teller(List<string> done) : IProgress<string>
    {
        public void Report(string value) => done.Add(value);
    }

    private sealed class Row
    {
        [LoadColumn(0)]
        public string Text { get; set; } = "";

        [LoadColumn(1)]
        public float Number { get; set; }
    }

    private sealed class Copied
    {
        public float Copy { get; set; }
    }

    private sealed class Other
    {
        [LoadColumn(0)]
        public string Text { get; set; } = "";

        [LoadColumn(1)]
        public string Number { get; set; } = "";
    }
}
