using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Saved models in a process that has done nothing but load them (tests/Ssl.FreshProcess).</summary>
[TestClass]
public class FreshProcessTests
{
    private static readonly string[] Words = ["reads", "all", "lines", "of", "a", "file", "adds", "two", "matrices", "waters", "the",
        "garden"];

    private static string s_folder = "";
    private static Row[] s_rows = [];
    private static EncoderTransformer? s_encoder;

    [ClassInitialize]
    public static void Initialize(TestContext _)
    {
        s_folder = Directory.CreateTempSubdirectory("ssl-fresh-").FullName;
        var random = new Random(3);
        s_rows = [.. Enumerable.Range(0, 64).Select(i => new Row
        {
            Text = string.Join(' ', Enumerable.Range(0, 2 + i % 9).Select(_ => Words[random.Next(Words.Length)])),
            Features = [i, 1, -i],
        })];
        s_rows[5].Text = "";
        s_rows[6].Text = "\u96EA \"quoted\" unknown";
        File.WriteAllText(RowsPath, JsonSerializer.Serialize(s_rows));
        var mlContext = new MLContext(7);
        s_encoder = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            OutputColumnName = "Embedding",
            Encoder = TextEncoders.Transformer(dimension: 16, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 16),
            BatchSize = 16,
            NumberOfEpochs = 1,
        }).Fit(View(mlContext));
    }

    [ClassCleanup]
    public static void Clean()
    {
        s_encoder?.Dispose();
        Directory.Delete(s_folder, recursive: true);
    }

    private static string RowsPath => Path.Combine(s_folder, "rows.json");

    [TestMethod]
    public void An_encoder_embeds_the_same()
    {
        var mlContext = new MLContext(7);
        var path = Save(s_encoder!, "encoder.zip");
        var fresh = Bits(Run(path, "Embedding"));
        var loaded = mlContext.Model.Load(path, out _).Transform(View(mlContext)).GetColumn<float[]>("Embedding").ToArray();
        var original = s_encoder!.Transform(View(mlContext)).GetColumn<float[]>("Embedding").ToArray();
        for (var i = 0; i < s_rows.Length; i++)
        {
            AssertClose(loaded[i], fresh[i], i);
            AssertClose(original[i], fresh[i], i);
        }
    }

    [TestMethod]
    public void A_rehydrated_encoder_embeds_the_same()
    {
        var path = Save(s_encoder!, "rehydrated.zip");
        var fresh = Bits(Run(path, "Embedding", "rehydrate"));
        var original = s_encoder!.Transform(View(new MLContext(7))).GetColumn<float[]>("Embedding").ToArray();
        for (var i = 0; i < s_rows.Length; i++)
        {
            AssertClose(original[i], fresh[i], i);
        }
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("rehydrate")]
    public void A_search_over_embeddings_finds_the_same(string? mode)
    {
        var mlContext = new MLContext(7);
        var embedded = s_encoder!.Transform(View(mlContext));
        using var search = mlContext.SelfSupervised()
            .NearestNeighbors(inputColumnName: "Embedding", idColumnName: "Text", numberOfNeighbors: 3).Fit(embedded);
        var model = new TransformerChain<ITransformer>(s_encoder!, search);
        var path = Save(model, $"search{mode}.zip");
        var fresh = JsonSerializer.Deserialize<string[][]>(Run(path, "Neighbors", mode))!;
        var expected = search.Transform(embedded).GetColumn<ReadOnlyMemory<char>[]>("Neighbors")
            .Select(v => v.Select(t => t.ToString()).ToArray()).ToArray();
        var scores = search.Transform(embedded).GetColumn<float[]>("Scores").ToArray();
        for (var i = 0; i < s_rows.Length; i++)
        {
            // Rows of equal text tie; where scores differ clearly, the neighbour must be the same.
            for (var j = 0; j < 3; j++)
            {
                if ((j == 0 || scores[i][j - 1] - scores[i][j] > 1e-4) && (j == 2 || scores[i][j] - scores[i][j + 1] > 1e-4) && j < 2)
                {
                    Assert.AreEqual(expected[i][j], fresh[i][j], $"row {i}, neighbour {j}");
                }
            }
        }
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("rehydrate")]
    public void A_chain_that_pretrains_and_fine_tunes_predicts_the_same(string? mode)
    {
        var mlContext = new MLContext(7);
        var ssl = mlContext.SelfSupervised();
        var chain = ssl.Text.SimCse(new SimCseTrainer.Options
            {
                OutputColumnName = "Embedding", Encoder = TextEncoders.Bag(embeddingDimension: 8), BatchSize = 16, NumberOfEpochs = 1,
            })
            .Append(ssl.FineTune.MulticlassClassification(featureColumnName: "Embedding", numberOfEpochs: 2))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"));
        var texts = mlContext.Data.LoadFromEnumerable(s_rows.Select((r, i)
            => new ClassifiedRow { Text = r.Text, Class = $"class {i % 3}" }));
        // Outside the chain: the other process has no classes, and needs none to predict.
        var rows = mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(texts).Transform(texts);
        using var model = chain.Fit(rows);
        var path = Path.Combine(s_folder, $"fine-tuned{mode}.zip");
        mlContext.Model.Save(model, rows.Schema, path);
        var fresh = Bits(Run(path, "Score", mode));
        var predicted = JsonSerializer.Deserialize<string[]>(Run(path, "Predicted", mode))!;
        var scored = model.Transform(rows);
        var scores = scored.GetColumn<float[]>("Score").ToArray();
        var values = scored.GetColumn<string>("Predicted").ToArray();
        for (var i = 0; i < s_rows.Length; i++)
        {
            AssertClose(scores[i], fresh[i], i);
            Assert.AreEqual(values[i], predicted[i], $"row {i}");
        }
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("rehydrate")]
    public void Image_files_of_any_size_embed_the_same(string? mode)
    {
        var mlContext = new MLContext(7);
        var random = new Random(5);
        Row[] rows = [.. Enumerable.Range(0, 12).Select(i =>
        {
            var (width, height) = (1 + i * 3, 1 + i * 7 % 30);
            var pixels = new byte[width * height * 4];
            random.NextBytes(pixels);
            using var image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
            image.Save(Path.Combine(s_folder, $"{i}.png"));
            return new Row { Text = $"{i}.png", Features = [0, 0, 0] };
        })];
        var data = mlContext.Data.LoadFromEnumerable(rows);
        using var model = mlContext.Transforms.LoadImages("Image", s_folder, "Text").Append(mlContext.SelfSupervised().Images.SimClr(new()
        {
            OutputColumnName = "Embedding", Encoder = ImageEncoders.SmallConvNet(8, 3, 2, 4), BatchSize = 4, NumberOfEpochs = 1,
        })).Fit(data);
        var (path, rowsPath) = (Path.Combine(s_folder, $"images{mode}.zip"), Path.Combine(s_folder, "image-rows.json"));
        mlContext.Model.Save(model, data.Schema, path);
        File.WriteAllText(rowsPath, JsonSerializer.Serialize(rows));
        var (code, output, error) = Start(path, "Embedding", mode, rowsPath);
        Assert.AreEqual(0, code, error);
        var (fresh, expected) = (Bits(output), model.Transform(data).GetColumn<float[]>("Embedding").ToArray());
        Assert.IsGreaterThan(6, expected.Select(row => row[0]).Distinct().Count());
        for (var i = 0; i < rows.Length; i++)
            AssertClose(expected[i], fresh[i], i);
    }

    [TestMethod]
    public void A_truncated_model_says_so()
    {
        var bytes = File.ReadAllBytes(Save(s_encoder!, "whole.zip"));
        var path = Path.Combine(s_folder, "truncated.zip");
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        var (code, _, error) = Start(path, "Embedding", null);
        Assert.AreNotEqual(0, code);
        StringAssert.Contains(error, "FormatException");
    }

    private static IDataView View(MLContext mlContext) => mlContext.Data.LoadFromEnumerable(s_rows);

    private static string Save(ITransformer model, string name)
    {
        var path = Path.Combine(s_folder, name);
        var mlContext = new MLContext(7);
        mlContext.Model.Save(model, View(mlContext).Schema, path);
        return path;
    }

    private static float[][] Bits(string json) =>
        [.. JsonSerializer.Deserialize<int[][]>(json)!.Select(v => v.Select(BitConverter.Int32BitsToSingle).ToArray())];

    private static string Run(string model, string column, string? mode = null)
    {
        var (code, output, error) = Start(model, column, mode);
        Assert.AreEqual(0, code, error);
        return output;
    }

    private static (int Code, string Output, string Error) Start(string model, string column, string? mode, string? rows = null)
    {
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        var start = new ProcessStartInfo(isDotnet ? Environment.ProcessPath! : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), model, rows ?? RowsPath, column,
            mode })
        {
            if (argument is not null)
            {
                start.ArgumentList.Add(argument);
            }
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static void AssertClose(float[] expected, float[] actual, int row)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], 2e-5f, $"row {row}, value {i}");
        }
    }

    private sealed class ClassifiedRow
    {
        public string Text { get; set; } = "";

        public string Class { get; set; } = "";
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }
}
