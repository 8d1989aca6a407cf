using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace OwnMethod.Tests;

/// <summary>What a kind of column of one's own gets beside pretraining, and what only its own tests can know.</summary>
[TestClass]
public sealed class PointSetTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    [ClassInitialize]
    public static void Register(TestContext context) => PointSetFormat.Register();

    private static IDataView View(int count, int seed)
    {
        var random = new Random(seed);
        return s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => PointRow.Of(i % 4, random)).ToArray());
    }

    [TestMethod]
    public void A_fine_tuned_encoder_of_points_predicts_in_a_chain_and_after_loading()
    {
        var ssl = s_mlContext.SelfSupervised();
        var data = View(240, 1);
        using var model = s_mlContext.Transforms.Conversion.MapValueToKey("Label", "Shape")
            .Append(ssl.PointSetContrast(new PointSetContrastTrainer.Options { NumberOfEpochs = 5, BatchSize = 48 }))
            .Append(ssl.FineTune.MulticlassClassification(numberOfEpochs: 40, learningRate: 5e-3)).Fit(data);
        var test = View(120, 2);
        Assert.IsGreaterThan(0.7, s_mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        using var file = new MemoryStream();
        s_mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = s_mlContext.Model.Load(file, out _).Transform(test).GetColumn<float[]>("Score").ToArray();
        var expected = model.Transform(test).GetColumn<float[]>("Score").ToArray();
        for (var i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], loaded[i]);
    }

    [TestMethod]
    public void The_order_of_the_points_and_where_a_set_lies_change_nothing()
    {
        using var encoder = s_mlContext.SelfSupervised()
            .PointSetContrast(new PointSetContrastTrainer.Options { NumberOfEpochs = 1, BatchSize = 20 }).Fit(View(60, 1));
        PointRow[] rows = [new() { Points = [1, 2, 3, 4, 5, 7] }, new() { Points = [5, 7, 1, 2, 3, 4] }, new() { Points = [2, 3, 4, 5, 6, 8] },
            new() { Points = [1, 2, 3, 4, 5, 8] }];
        var embeddings = encoder.Transform(s_mlContext.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Features").ToArray();
        Assert.IsLessThan(1e-5f, Distance(1), "another order");
        Assert.IsLessThan(1e-4f, Distance(2), "moved as a whole");
        Assert.IsGreaterThan(1e-3f, Distance(3), "another set");

        float Distance(int row) => embeddings[0].Zip(embeddings[row], (a, b) => Math.Abs(a - b)).Max();
    }

    [TestMethod]
    public void Half_a_point_is_refused_with_a_sentence()
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(new[] { new PointRow { Points = [1, 2, 3] } });
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => s_mlContext.SelfSupervised().PointSetContrast().Fit(rows));
        StringAssert.Contains(error.Message, "A set in column 'Points' has 3 numbers");
    }
}
