using Microsoft.ML;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Methods that start from an encoder instead of from random weights.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class StartTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();
    private static readonly string[] s_topics = ["the weather in {0} is cold and rainy", "book a flight to {0} for two", "what is the balance of my account in {0}"];
    private static readonly string[] s_cities = ["paris", "rome", "oslo", "berlin", "madrid", "vienna", "london", "athens"];

    private static EncoderTransformer s_start = null!;
    private static Row[] s_rows = [];
    private static float[][] s_before = [];

    [ClassInitialize]
    public static void Load(TestContext context)
    {
        s_start = s_ssl.LoadPretrained(MiniLm.Package);
        s_rows = [.. s_cities.SelectMany(city => s_topics.Select((topic, i) => new Row
        {
            Text = string.Format(System.Globalization.CultureInfo.InvariantCulture, topic, city), Pair = $"{city} {i}", Label = $"topic {i}",
        }))];
        s_before = Embed(s_start);
    }

    [ClassCleanup]
    public static void Free() => s_start.Dispose();

    [TestMethod]
    public void SimCseStartsFromTheWeightsAndLeavesThemAsTheyAre()
    {
        using var untouched = s_ssl.Text.SimCse("Features", "Text", encoder: s_start, numberOfEpochs: 0).Fit(Rows());
        AssertEqual(s_before, Embed(untouched));

        using var near = s_ssl.Text.SimCse("Features", "Text", encoder: s_start, batchSize: 8, numberOfEpochs: 1, learningRate: 1e-7).Fit(Rows());
        var moved = Distance(s_before, Embed(near));
        Assert.IsTrue(moved is > 0 and < 1e-4, $"{moved}");

        using var far = s_ssl.Text.SimCse("Features", "Text", encoder: s_start, batchSize: 8, numberOfEpochs: 1, learningRate: 1e-4).Fit(Rows());
        Assert.IsGreaterThan(100 * moved, Distance(s_before, Embed(far)));
        AssertEqual(s_before, Embed(s_start));
    }

    [TestMethod]
    public void TheResultIsSavedAndLoadedLikeAnyOther()
    {
        using var adapted = s_ssl.Text.SimCse("Features", "Text", encoder: s_start, batchSize: 12, numberOfEpochs: 1, learningRate: 2e-5).Fit(Rows());
        var expected = Embed(adapted);
        var folder = Directory.CreateTempSubdirectory("ssl-start-").FullName;
        try
        {
            var path = Path.Combine(folder, "encoder");
            s_ssl.SaveEncoder(adapted, path);
            using (var loaded = s_ssl.LoadEncoder(path))
                AssertEqual(expected, Embed(loaded));
            s_mlContext.Model.Save(adapted, Rows().Schema, path);
            using (var loaded = (EncoderTransformer)s_mlContext.Model.Load(path, out _))
                AssertEqual(expected, Embed(loaded));
            s_ssl.SavePretrained(adapted, Path.Combine(folder, "folder"));
            using (var loaded = s_ssl.LoadPretrained(Path.Combine(folder, "folder")))
                AssertEqual(expected, Embed(loaded));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void MaskedTokensAreLearned()
    {
        using var adapted = s_ssl.Text.MaskedLanguageModel("Features", "Text", encoder: s_start, batchSize: 12, numberOfEpochs: 6, learningRate: 3e-4).Fit(Rows());
        var losses = adapted.TrainingHistory!.Epochs.Select(epoch => epoch.Loss).ToArray();
        Assert.IsLessThan(0.8 * losses[0], losses[^1], string.Join(" ", losses));
        Assert.IsGreaterThan(0.0, Distance(s_before, Embed(adapted)));
    }

    [TestMethod]
    public void PairsAreContrasted()
    {
        using var adapted = s_ssl.Text.PairedContrastive("Features", "Text", "Pair", encoder: s_start, batchSize: 12, numberOfEpochs: 4, learningRate: 1e-4).Fit(Rows());
        var losses = adapted.TrainingHistory!.Epochs.Select(epoch => epoch.Loss).ToArray();
        Assert.IsLessThan(losses[0], losses[^1], string.Join(" ", losses));
    }

    [TestMethod]
    public void FineTunes()
    {
        var data = s_mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Rows()).Transform(Rows());
        using var tuned = s_ssl.FineTune.MulticlassClassification(s_start, numberOfEpochs: 4).Fit(data);
        Assert.IsGreaterThan(0.9, s_mlContext.MulticlassClassification.Evaluate(tuned.Transform(data)).MicroAccuracy);
        AssertEqual(s_before, Embed(s_start));
    }

    [TestMethod]
    public void ARunFromOtherWeightsIsAnotherRun()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("ssl-start-").FullName, "checkpoint");
        try
        {
            SimCseTrainer.Options Options(EncoderTransformer start) => new()
            {
                Encoder = start, BatchSize = 12, NumberOfEpochs = 1, LearningRate = 1e-5, CheckpointPath = path, Seed = 1,
            };
            using var first = s_ssl.Text.SimCse(Options(s_start)).Fit(Rows());
            using var again = s_ssl.Text.SimCse(Options(s_start)).Fit(Rows());
            AssertEqual(Embed(first), Embed(again));
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => s_ssl.Text.SimCse(Options(first)).Fit(Rows()));
            StringAssert.Contains(fault.Message, "startWeights");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [TestMethod]
    public void AnotherTokenizerAnotherKindAndADisposedEncoderAreRefused()
    {
        var tokenizer = BertTokenizationTests.Create(lowerCase: false);
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_ssl.Text.SimCse(new SimCseTrainer.Options { Encoder = s_start, Tokenizer = tokenizer }));
        StringAssert.Contains(fault.Message, "Tokenizer must be null");
        Assert.ThrowsExactly<ArgumentException>(() => s_start.ToImageEncoderFactory());
        var gone = s_ssl.Embed(s_start).Fit(Rows());
        var trainer = s_ssl.Text.SimCse(encoder: gone, numberOfEpochs: 0);
        gone.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => trainer.Fit(Rows()));
        Assert.ThrowsExactly<ObjectDisposedException>(() => s_ssl.Text.SimCse(encoder: gone));
    }

    private static IDataView Rows() => s_mlContext.Data.LoadFromEnumerable(s_rows);

    private static float[][] Embed(EncoderTransformer encoder) => MiniLmTests.Embed(encoder, s_rows.Select(row => row.Text));

    private static double Distance(float[][] a, float[][] b) => a.Zip(b).Max(rows => rows.First.Zip(rows.Second).Max(pair => Math.Abs(pair.First - pair.Second)));

    private static void AssertEqual(float[][] expected, float[][] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], actual[i]);
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Pair { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
