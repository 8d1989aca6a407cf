using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>
/// PermutationFeatureImportance takes a fine-tuned encoder of one numeric vector column as it takes ML.NET's own transformers. See
/// docs/decisions for what it cannot do with transformers of other assemblies.
/// </summary>
[TestClass]
public sealed class FeatureImportanceTests
{
    private sealed class Row
    {
        [VectorType(3)]
        public float[] Values { get; set; } = [];
        public float Number { get; set; }
        public bool Answer { get; set; }
        public string Class { get; set; } = "";
    }

    // The middle slot decides everything, the others are noise.
    private static IDataView View(MLContext mlContext)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, 240).Select(i => new Row
        {
            Values = [random.NextSingle(), i % 3 - 1, random.NextSingle()],
            Number = 5 * (i % 3),
            Answer = i % 3 == 2,
            Class = "c" + (i % 3),
        }).ToArray();
        var view = mlContext.Data.LoadFromEnumerable(rows);
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(view).Transform(view);
    }

    private static EncoderTransformer Encoder(MLContext mlContext)
        => new(mlContext, CellEncoderModel.Create(3, ("Values", TableColumnKind.Number)));

    [TestMethod]
    public void The_slot_that_decides_is_the_important_one_in_every_task()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var encoder = Encoder(mlContext);
        var tasks = mlContext.SelfSupervised().FineTune;
        using var classes = tasks.MulticlassClassification(encoder, numberOfEpochs: 40, learningRate: 0.02).Fit(data);
        var drops = mlContext.MulticlassClassification.PermutationFeatureImportance(classes, data, permutationCount: 2);
        Check([.. drops.Select(drop => drop.MicroAccuracy)]);

        using var binary = tasks.BinaryClassification(encoder, "Answer", numberOfEpochs: 40, learningRate: 0.02).Fit(data);
        Check([.. mlContext.BinaryClassification.PermutationFeatureImportance(binary, data, "Answer", permutationCount: 2)
            .Select(drop => drop.Accuracy)]);

        using var regression = tasks.Regression(encoder, "Number", numberOfEpochs: 40, learningRate: 0.02).Fit(data);
        Check([.. mlContext.Regression.PermutationFeatureImportance(regression, data, "Number", permutationCount: 2)
            .Select(drop => drop.RSquared)]);

        static void Check(MetricStatistics[] slots)
        {
            Assert.HasCount(3, slots);
            Assert.AreEqual(2, slots[1].Count);
            Assert.IsLessThan(-0.25, slots[1].Mean);
            Assert.IsGreaterThan(-0.1, slots[0].Mean);
            Assert.IsGreaterThan(-0.1, slots[2].Mean);
        }
    }

    [TestMethod]
    public void Several_input_columns_are_no_feature_column()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var encoder = new EncoderTransformer(mlContext,
            CellEncoderModel.Create(("Number", TableColumnKind.Number), ("Class", TableColumnKind.Text)));
        using var model = mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, numberOfEpochs: 1).Fit(data);
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => mlContext.MulticlassClassification.PermutationFeatureImportance(model, data));
        StringAssert.Contains(error.Message, "predicts from 2 columns (Number, Class)");
    }

    [TestMethod]
    public void In_a_chain_a_stock_trainer_on_the_embedding_is_found_and_a_fine_tuned_stage_is_not()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var encoder = Encoder(mlContext);
        var embedded = encoder.Transform(data);
        ITransformer probe = mlContext.Transforms.CopyColumns("Copy", "Number")
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy()).Fit(embedded);
        var drops = mlContext.MulticlassClassification.PermutationFeatureImportance(probe, embedded);
        Assert.HasCount(encoder.EmbeddingDimension, drops);
        Assert.IsTrue(drops.ContainsKey("Features.0"));

        ITransformer tuned = mlContext.Transforms.CopyColumns("Copy", "Number")
            .Append(mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, numberOfEpochs: 1)).Fit(data);
        var error = Assert.Throws<ArgumentException>(
            () => mlContext.MulticlassClassification.PermutationFeatureImportance(tuned, data));
        StringAssert.Contains(error.Message, "The model provided does not have a compatible predictor");
    }
}
