using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Tests.Pretrained;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Saved models in a process that has done nothing but load them (tests/Ssl.FreshProcess).</summary>
[TestClass]
[TestCategory("Checkout")]
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
        var mlContext = TestDevice.Context(7);
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
        => AssertSame(s_encoder!.Transform(View(TestDevice.Context(7))).GetColumn<float[]>("Embedding"),
            Bits(Run(Save(s_encoder!, "encoder.zip"), "Embedding")));

    [TestMethod]
    public void Pretrained_weights_embed_the_same()
    {
        var folder = Path.Combine(s_folder, "pretrained");
        new SmallNetwork("bert", SmallNetwork.BertTokens).Write(folder);
        using var encoder = TestDevice.Context(7).SelfSupervised().LoadPretrained(folder, "Embedding");
        AssertSame(encoder.Transform(View(TestDevice.Context(7))).GetColumn<float[]>("Embedding"), Bits(Run(Save(encoder, "pretrained.zip"), "Embedding")));
    }

    [TestMethod]
    public void An_embedding_with_a_stock_trainer_predicts_the_same()
    {
        var mlContext = TestDevice.Context(7);
        var rows = Classified(mlContext);
        using var model = mlContext.SelfSupervised().Embed(s_encoder!)
            .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(featureColumnName: "Embedding",
                maximumNumberOfIterations: 5))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel")).Fit(rows);
        AssertPredictsTheSame(mlContext, model, rows, "trainer.zip");
    }

    [TestMethod]
    public void A_chain_that_pretrains_and_fine_tunes_predicts_the_same()
    {
        var mlContext = TestDevice.Context(7);
        var ssl = mlContext.SelfSupervised();
        var rows = Classified(mlContext);
        using var model = ssl.Text.SimCse(new SimCseTrainer.Options
            {
                OutputColumnName = "Embedding", Encoder = TextEncoders.Bag(embeddingDimension: 8), BatchSize = 16, NumberOfEpochs = 1,
            })
            .Append(ssl.FineTune.MulticlassClassification(featureColumnName: "Embedding", numberOfEpochs: 2))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel")).Fit(rows);
        AssertPredictsTheSame(mlContext, model, rows, "fine-tuned.zip");
    }

    [TestMethod]
    public void Searches_votes_and_detectors_over_embeddings_give_the_same()
    {
        var mlContext = TestDevice.Context(7);
        var ssl = mlContext.SelfSupervised();
        var embedded = s_encoder!.Transform(Classified(mlContext));
        using var search = ssl.NearestNeighbors(inputColumnName: "Embedding", idColumnName: "Text", numberOfNeighbors: 3).Fit(embedded);
        using var vote = ssl.NearestNeighborsMulticlassClassification(featureColumnName: "Embedding").Fit(embedded);
        using var detector = ssl.AnomalyScore("Embedding").Fit(embedded);
        var path = Save(new TransformerChain<ITransformer>(s_encoder!, search), "search.zip");
        AssertSame(search.Transform(embedded).GetColumn<float[]>("Scores"), Bits(Run(path, "Scores")));
        var neighbors = search.Transform(embedded).GetColumn<ReadOnlyMemory<char>[]>("Neighbors")
            .Select(row => string.Join('|', row)).ToArray();
        CollectionAssert.AreEqual(neighbors,
            JsonSerializer.Deserialize<string[][]>(Run(path, "Neighbors"))!.Select(row => string.Join('|', row)).ToArray());

        path = Save(new TransformerChain<ITransformer>(s_encoder!, vote), "vote.zip");
        AssertSame(vote.Transform(embedded).GetColumn<float[]>("Score"), Bits(Run(path, "Score")));
        path = Save(new TransformerChain<ITransformer>(s_encoder!, detector), "detector.zip");
        AssertSame(detector.Transform(embedded).GetColumn<float>("Score").Select(score => (float[])[score]), Bits(Run(path, "Score")));
    }

    [TestMethod]
    public void Image_files_of_any_size_embed_the_same()
    {
        var mlContext = TestDevice.Context(7);
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
        var (path, rowsPath) = (Path.Combine(s_folder, "images.zip"), Path.Combine(s_folder, "image-rows.json"));
        mlContext.Model.Save(model, data.Schema, path);
        File.WriteAllText(rowsPath, JsonSerializer.Serialize(rows));
        var expected = model.Transform(data).GetColumn<float[]>("Embedding").ToArray();
        Assert.IsGreaterThan(6, expected.Select(row => row[0]).Distinct().Count());
        AssertSame(expected, Bits(Run(path, "Embedding", rowsPath)));
    }

    [TestMethod]
    public void A_truncated_model_says_so()
    {
        var bytes = File.ReadAllBytes(Save(s_encoder!, "whole.zip"));
        var path = Path.Combine(s_folder, "truncated.zip");
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        var (code, _, error) = Start(path, "Embedding", RowsPath);
        Assert.AreNotEqual(0, code);
        StringAssert.Contains(error, "FormatException");
    }

    private static void AssertPredictsTheSame(MLContext mlContext, ITransformer model, IDataView rows, string name)
    {
        var path = Path.Combine(s_folder, name);
        mlContext.Model.Save(model, rows.Schema, path);
        var scored = model.Transform(rows);
        AssertSame(scored.GetColumn<float[]>("Score"), Bits(Run(path, "Score")));
        CollectionAssert.AreEqual(scored.GetColumn<string>("Predicted").ToArray(),
            JsonSerializer.Deserialize<string[]>(Run(path, "Predicted")));
    }

    // The label is made outside the chains: the other process has no classes, and needs none to predict.
    private static IDataView Classified(MLContext mlContext)
    {
        var texts = mlContext.Data.LoadFromEnumerable(s_rows.Select((row, i)
            => new ClassifiedRow { Text = row.Text, Class = $"class {i % 3}" }));
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(texts).Transform(texts);
    }

    private static IDataView View(MLContext mlContext) => mlContext.Data.LoadFromEnumerable(s_rows);

    private static string Save(ITransformer model, string name)
    {
        var path = Path.Combine(s_folder, name);
        var mlContext = TestDevice.Context(7);
        mlContext.Model.Save(model, View(mlContext).Schema, path);
        return path;
    }

    private static float[][] Bits(string json) =>
        [.. JsonSerializer.Deserialize<int[][]>(json)!.Select(v => v.Select(BitConverter.Int32BitsToSingle).ToArray())];

    private static string Run(string model, string column, string? rows = null)
    {
        var (code, output, error) = Start(model, column, rows ?? RowsPath);
        Assert.AreEqual(0, code, error);
        return output;
    }

    private static (int Code, string Output, string Error) Start(string model, string column, string rows)
    {
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        var start = new ProcessStartInfo(isDotnet ? Environment.ProcessPath! : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), model, rows, column])
            start.ArgumentList.Add(argument);

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    // To the bit.
    private static void AssertSame(IEnumerable<float[]> expected, float[][] actual)
    {
        var rows = expected.ToArray();
        Assert.HasCount(rows.Length, actual);
        for (var i = 0; i < rows.Length; i++)
            CollectionAssert.AreEqual(rows[i].Select(BitConverter.SingleToInt32Bits).ToArray(),
                actual[i].Select(BitConverter.SingleToInt32Bits).ToArray(), $"row {i}");
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
