using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>
/// Fine-tuning, embedding and saving know no modality: an encoder of numbers, texts, keys or all of them goes the same way.
/// </summary>
[TestClass]
public sealed class ModalityTests
{
    private sealed class Row
    {
        public float Size { get; set; }
        public int Number { get; set; }
        public bool Flag { get; set; }
        public string Word { get; set; } = "";
        public string Color { get; set; } = "";
        public string Class { get; set; } = "";
    }

    private static readonly (string, TableColumnKind)[] Numbers = [("Size", TableColumnKind.Number), ("Number", TableColumnKind.Number),
        ("Flag", TableColumnKind.Number)];
    private static readonly (string, TableColumnKind)[] Texts = [("Word", TableColumnKind.Text), ("ColorKey", TableColumnKind.Key)];

    private static IDataView View(MLContext mlContext, int count = 120)
    {
        var random = new Random(4);
        string[] words = ["ash", "birch", "cedar wood"], colors = ["blue", "green", "red"];
        var view = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row
        {
            Size = i % 3 + 0.1f * random.NextSingle(),
            Number = i % 3,
            Flag = random.Next(2) == 0,
            Word = words[i % 3],
            Color = colors[random.Next(3)],
            Class = "c" + (i % 3),
        }).ToArray());
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("ColorKey", "Color")).Fit(view).Transform(view);
    }

    [TestMethod]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void Any_columns_embed_fine_tune_and_survive_saving(bool numbers, bool texts)
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var encoder = new EncoderTransformer(mlContext,
            CellEncoderModel.Create([.. numbers ? Numbers : [], .. texts ? Texts : []]));
        using var model = mlContext.SelfSupervised().FineTune
            .MulticlassClassification(encoder, batchSize: 16, numberOfEpochs: 30, learningRate: 0.02).Fit(data);
        var scored = model.Transform(data);
        Assert.IsGreaterThan(0.95, mlContext.MulticlassClassification.Evaluate(scored).MicroAccuracy);
        Same(mlContext, encoder, data, "Features");
        Same(mlContext, model, data, "Score");
    }

    [TestMethod]
    public void Answers_and_numbers_are_predicted_from_mixed_columns_too()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var encoder = new EncoderTransformer(mlContext, CellEncoderModel.Create([("Number", TableColumnKind.Number), .. Texts]));
        var tasks = mlContext.SelfSupervised().FineTune;
        using var binary = tasks.BinaryClassification(encoder, "Flag", numberOfEpochs: 2).Fit(data);
        using var regression = tasks.Regression(encoder, "Size", numberOfEpochs: 30, learningRate: 0.02).Fit(data);
        Assert.IsGreaterThan(0.9, mlContext.Regression.Evaluate(regression.Transform(data), "Size").RSquared);
        foreach (var model in new[] { binary, regression })
        {
            using var file = new MemoryStream();
            mlContext.Model.Save(model, data.Schema, file);
            file.Position = 0;
            var loaded = mlContext.Model.Load(file, out _).Transform(data).GetColumn<float>("Score").ToArray();
            var expected = model.Transform(data).GetColumn<float>("Score").ToArray();
            for (var i = 0; i < expected.Length; i++)
                Assert.AreEqual(expected[i], loaded[i], 2e-5f);
        }
    }

    [TestMethod]
    public void One_name_cannot_stand_for_several_input_columns()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = new EncoderTransformer(mlContext, CellEncoderModel.Create(Numbers));
        var error = Assert.ThrowsExactly<ArgumentException>(() => mlContext.SelfSupervised().Embed(encoder, "E", "Other"));
        StringAssert.Contains(error.Message, "reads 3 columns (Size, Number, Flag)");
    }

    private static void Same(MLContext mlContext, ITransformer model, IDataView data, string column)
    {
        var expected = model.Transform(data).GetColumn<float[]>(column).ToArray();
        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = mlContext.Model.Load(file, out _);
        FineTuningData.AssertEqual(expected, [.. loaded.Transform(data).GetColumn<float[]>(column)], TestDevice.Repeatability);
    }
}
