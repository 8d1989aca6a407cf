using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;
using Ssl.Tool.Data;

namespace Ssl.Tool.Tests;

/// <summary>The commands one after the other, as somebody without C# uses them.</summary>
[TestClass]
public sealed class CommandTests
{
    private readonly ToolRun _tool = new();

    private string Model => _tool.File("model");

    [TestCleanup]
    public void Clean() => _tool.Dispose();

    [TestMethod]
    public void A_table_is_learned_from_embedded_evaluated_and_exported()
    {
        _tool.WriteTable("rows.csv");
        Assert.Contains("Tabular.Scarf, ", _tool.Succeed("pretrain", _tool.WriteTableSettings(), "-o", Model));
        Assert.IsFalse(File.Exists(Path.Combine(Model, ModelFolder.CheckpointName)));

        // The numbers are those of the library.
        var mlContext = new MLContext(0);
        using var encoder = mlContext.SelfSupervised().LoadEncoder(Path.Combine(Model, ModelFolder.EncoderName));
        var expected = encoder.Transform(new RecordView(RowFile.Open(_tool.File("rows.csv"), new FileSettings()))).GetColumn<float[]>("Features").ToArray();
        _tool.Succeed("embed", Model, _tool.File("rows.csv"), "-o", _tool.File("e.csv"), "--keep", "Id", "Color");
        var written = File.ReadAllLines(_tool.File("e.csv"));
        Assert.HasCount(121, written);
        Assert.StartsWith("Id,Color,Features0,Features1,", written[0]);
        AssertEqual(expected, [.. written.Skip(1).Select(line => line.Split(',').Skip(2).Select(float.Parse).ToArray())]);

        _tool.Succeed("embed", Model, _tool.File("rows.csv"), "-o", _tool.File("e.npy"));
        var bytes = File.ReadAllBytes(_tool.File("e.npy"));
        Assert.AreEqual(128 + 4 * 120 * encoder.EmbeddingDimension, bytes.Length);
        CollectionAssert.AreEqual(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 118, 0 }, bytes[..10]);
        Assert.StartsWith($"{{'descr': '<f4', 'fortran_order': False, 'shape': (120, {encoder.EmbeddingDimension}), }} ", Encoding.ASCII.GetString(bytes[10..128]));
        Assert.AreEqual(expected[7][3], BitConverter.ToSingle(bytes, 128 + 4 * (7 * encoder.EmbeddingDimension + 3)));

        _tool.Succeed("embed", Model, _tool.File("rows.csv"), "-o", _tool.File("e.parquet"), "--keep", "Id,Color");
        var parquet = new RecordView(RowFile.Open(_tool.File("e.parquet"), new FileSettings()));
        AssertEqual(expected, [.. parquet.GetColumn<float[]>("Features")]);
        Assert.AreEqual(119f, parquet.GetColumn<float>("Id").Last());

        var table = _tool.Succeed("evaluate", Model, _tool.File("rows.csv"));
        foreach (var line in new[] { "| pretrained     |", "| not trained    |", "| plain features |", "| largest class  |", "Label: 2 classes, 120 rows." })
            Assert.Contains(line, table);
        var report = JsonDocument.Parse(_tool.Succeed("evaluate", Model, _tool.File("rows.csv"), "--json", "--rows", "100")).RootElement;
        Assert.AreEqual(100, report.GetProperty("rows").GetInt32());
        var features = report.GetProperty("features").EnumerateArray().ToDictionary(entry => entry.GetProperty("name").GetString()!);
        Assert.AreEqual("pretrained, not trained, plain features", string.Join(", ", features.Keys));
        Assert.IsTrue(features.Values.All(entry => entry.GetProperty("nearestNeighborAccuracy").GetDouble() is > 0.6 and <= 1));
        Assert.AreNotEqual(features["pretrained"].GetProperty("effectiveRank").GetDouble(), features["not trained"].GetProperty("effectiveRank").GetDouble());

        Assert.Contains("differ by", _tool.Succeed("export", Model, "-o", _tool.File("out/m.onnx")));
        Assert.IsGreaterThan(1000, new FileInfo(_tool.File("out/m.onnx")).Length);
        Assert.AreEqual(SslCommand.Failure, _tool.Run("export", Model, "-o", _tool.File("folder")));
        Assert.Contains("has no layout that transformers", _tool.Errors);

        static void AssertEqual(float[][] expected, float[][] actual)
        {
            Assert.HasCount(expected.Length, actual);
            for (var i = 0; i < expected.Length; i++)
                CollectionAssert.AreEqual(expected[i], actual[i], $"row {i}");
        }
    }

    [TestMethod]
    public void A_model_is_reported_on()
    {
        _tool.WriteTable("rows.csv");
        _tool.Succeed("pretrain", _tool.WriteTableSettings(epochs: 2), "-o", Model);
        var page = _tool.File("pages/report.html");
        var told = _tool.Succeed("report", Model, _tool.File("rows.csv"), "-o", page, "--label", "Label", "--display", "Id", "--title", "Rows of ours", "--rows", "100");
        Assert.StartsWith("Rows of ours", told);
        Assert.Contains("Pretraining ", told);
        Assert.EndsWith(page, told.TrimEnd());
        Assert.Contains("Drawing the map ...", _tool.Errors);
        var html = File.ReadAllText(page);
        foreach (var part in new[] { "<title>Rows of ours</title>", "120 rows, of which 100 drawn at random", "Few labels", "Nearest neighbors" })
            Assert.Contains(part, html);

        Assert.Contains("--label Team: ", _tool.Refuse("report", Model, _tool.File("rows.csv"), "-o", _tool.File("r.html"), "--label", "Team"));
        Assert.Contains("--rows must be at least 10", _tool.Refuse("report", Model, _tool.File("rows.csv"), "-o", _tool.File("r.html"), "--rows", "5"));
        using var interrupt = new CancellationTokenSource();
        interrupt.Cancel();
        Assert.AreEqual(SslCommand.Canceled, _tool.Run(interrupt.Token, "report", Model, _tool.File("rows.csv"), "-o", _tool.File("r.html")), _tool.Errors);
        Assert.IsEmpty(Directory.GetFiles(_tool.Folder, "r.html*"));
    }

    // In a file of its own, a category that looks like a number would be one.
    [TestMethod]
    public void Columns_of_another_file_have_the_kinds_that_they_had_in_training()
    {
        _tool.Write("rows.csv", "A,B,Color\n" + string.Join('\n', Enumerable.Range(0, 64).Select(i => $"{i},{i % 5},{(i % 3 == 0 ? "x" : i % 3)}")));
        _tool.Succeed("pretrain", _tool.WriteTableSettings(epochs: 1), "-o", Model);
        _tool.Write("other.csv", "A,B,Color\n1,2,1\n2,3,2\n");
        _tool.Succeed("embed", Model, _tool.File("other.csv"), "-o", _tool.File("e.csv"));
        _tool.Write("other.csv", "A,B,Color\n1,2,1\nmany,3,2\n");
        Assert.AreEqual(SslCommand.Failure, _tool.Run("embed", Model, _tool.File("other.csv"), "-o", _tool.File("f.csv")));
        Assert.Contains("row 2: 'many' in column 'A' is no number", _tool.Errors);
        Assert.IsEmpty(Directory.GetFiles(_tool.Folder, "f.csv*"));
        Assert.Contains("Could not find input column 'A'", _tool.Refuse("embed", Model, _tool.Write("less.csv", "B,Color\n1,2\n"), "-o", _tool.File("f.csv")));
    }

    [TestMethod]
    public void An_interrupted_training_keeps_what_it_has_and_goes_on()
    {
        _tool.WriteTable("rows.csv");
        var settings = _tool.WriteTableSettings(epochs: 400);
        using var interrupt = new CancellationTokenSource();
        var checkpoint = Path.Combine(Model, ModelFolder.CheckpointName);
        using var watch = new Timer(_ =>
        {
            if (File.Exists(checkpoint))
                interrupt.Cancel();
        }, null, 0, 5);
        Assert.AreEqual(SslCommand.Canceled, _tool.Run(interrupt.Token, "pretrain", settings, "-o", Model), _tool.Errors);
        Assert.Contains("--resume", _tool.Errors);
        Assert.IsTrue(File.Exists(checkpoint));
        _tool.Succeed("embed", Model, _tool.File("rows.csv"), "-o", _tool.File("e.csv"));

        Assert.Contains("An interrupted training lies in", _tool.Refuse("pretrain", settings, "-o", Model));
        _tool.Succeed("pretrain", settings, "-o", Model, "--resume");
        Assert.IsFalse(File.Exists(checkpoint));
        // As one that was never interrupted.
        _tool.Succeed("pretrain", settings, "-o", _tool.File("whole"));
        _tool.Succeed("embed", Model, _tool.File("rows.csv"), "-o", _tool.File("a.csv"));
        _tool.Succeed("embed", _tool.File("whole"), _tool.File("rows.csv"), "-o", _tool.File("b.csv"));
        Assert.AreEqual(File.ReadAllText(_tool.File("b.csv")), File.ReadAllText(_tool.File("a.csv")));

        Assert.Contains("--overwrite replaces it", _tool.Refuse("pretrain", settings, "-o", Model));
        Assert.Contains("nothing to go on with", _tool.Refuse("pretrain", settings, "-o", Model, "--resume"));
    }

    // The program itself: the interrupt of a terminal, the exit code, lines in place of bars.
    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void An_interrupt_from_outside_ends_the_program_with_130()
    {
        _tool.WriteTable("rows.csv");
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Ssl.Tool.dll"), "pretrain", _tool.WriteTableSettings(epochs: 1_000_000), "-o", Model];
        // Where the tests run in the background, a shell may have had the interrupt ignored.
        string[] line = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", .. command] : command;
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        while (!File.Exists(Path.Combine(Model, ModelFolder.CheckpointName)) && !process.HasExited)
            Thread.Sleep(20);
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            kill.WaitForExit();
        var ended = process.WaitForExit(TimeSpan.FromMinutes(1));
        if (!ended)
            process.Kill();
        Assert.IsTrue(ended, "the interrupt ends it");
        Assert.AreEqual(SslCommand.Canceled, process.ExitCode, errors.Result);
        Assert.Contains("Tabular.Scarf", output.Result);
        Assert.Contains("epoch 1/1000000", errors.Result);
        Assert.IsTrue(File.Exists(Path.Combine(Model, ModelFolder.EncoderName)));
    }

    [TestMethod]
    public void Texts_of_several_columns_start_from_an_earlier_model_and_become_safetensors_or_onnx()
    {
        var rows = string.Join('\n', Enumerable.Range(0, 96).Select(i => $"\"a {(i % 2 == 0 ? "late, lost" : "broken")} parcel\",please help with number {i % 7},{(i % 2 == 0 ? "post" : "shop")}"));
        var path = _tool.Write("rows.csv", "Title,Body,Team\n" + rows);
        var settings = _tool.Write("a.json", Settings("\"Transformer\""));
        _tool.Succeed("pretrain", settings, "-o", Model);
        _tool.Succeed("pretrain", _tool.Write("b.json", Settings($$"""{ "model": {{JsonSerializer.Serialize(Model)}} }""")), "-o", _tool.File("second"));
        _tool.Succeed("embed", _tool.File("second"), path, "-o", _tool.File("e.csv"), "--keep", "Team");
        var table = _tool.Succeed("evaluate", _tool.File("second"), path, "--label", "Team");
        Assert.Contains("plain features", table);
        _tool.Succeed("export", _tool.File("second"), "-o", _tool.File("m.onnx"));
        Assert.Contains("has no column 'Tema' of labels", _tool.Refuse("evaluate", Model, path, "--label", "Tema"));

        string Settings(string encoder) => $$"""
            {
              "data": { "path": {{JsonSerializer.Serialize(path)}}, "texts": { "Text": ["Title", "Body"] } }, "method": "Text.SimCse", "seed": 1,
              "options": { "NumberOfEpochs": 1, "BatchSize": 16, "MinimumNumberOfSteps": 0, "Encoder": {{encoder}} }
            }
            """;
    }

    [TestMethod]
    public void Images_of_a_folder_are_learned_from()
    {
        foreach (var i in Enumerable.Range(0, 24))
        {
            var folder = Directory.CreateDirectory(_tool.File(i % 2 == 0 ? "images/dark" : "images/light")).FullName;
            var rgba = new byte[12 * 12 * 4];
            new Random(i).NextBytes(rgba);
            for (var p = 0; p < rgba.Length; p++)
                rgba[p] = p % 4 == 3 ? (byte)255 : (byte)(rgba[p] / 3 + (i % 2 == 0 ? 0 : 160));
            using var image = MLImage.CreateFromPixels(12, 12, MLPixelFormat.Rgba32, rgba);
            image.Save(Path.Combine(folder, $"{i}.png"));
        }
        File.WriteAllText(_tool.File("images/dark/broken.png"), "no");
        _tool.Write("a.json", $$"""
            {
              "data": { "path": {{JsonSerializer.Serialize(_tool.File("images"))}} }, "method": "SimClr", "seed": 1,
              "options": { "NumberOfEpochs": 1, "BatchSize": 8, "Encoder": { "name": "SmallConvNet", "imageSize": 8, "numberOfStages": 2, "width": 4 } },
              "output": {{JsonSerializer.Serialize(Model)}}
            }
            """);
        _tool.Succeed("pretrain", _tool.File("a.json"));
        Assert.Contains("warning: 1 of 25 files in", _tool.Errors);
        _tool.Succeed("embed", Model, _tool.File("images"), "-o", _tool.File("e.csv"), "--keep", "Path,Label");
        Assert.HasCount(25, File.ReadAllLines(_tool.File("e.csv")));
        Assert.Contains("Label: 2 classes, 24 rows.", _tool.Succeed("evaluate", Model, _tool.File("images")));
    }

    [TestMethod]
    public void The_command_line_is_checked()
    {
        Assert.Contains("\"ssl pretrain --help\"", _tool.Refuse("pretrain"));
        Assert.Contains("train", _tool.Refuse("train"));
        Assert.Contains("must end in .csv, .parquet or .npy", _tool.Refuse("embed", "model", "rows.csv", "-o", "e.txt"));
        Assert.Contains("--format must be one of", _tool.Refuse("embed", "model", "rows.csv", "-o", "e.csv", "--format", "xml"));
        Assert.Contains("is no folder that \"ssl pretrain\" wrote", _tool.Refuse("embed", _tool.File("none"), "rows.csv", "-o", "e.csv"));
        Assert.Contains("--rows must be at least 2", _tool.Refuse("evaluate", "model", "rows.csv", "--rows", "1"));
        Assert.AreEqual(0, _tool.Run("--help"));
        Assert.Contains("evaluate", _tool.Output);
    }
}
