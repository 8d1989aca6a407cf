using Microsoft.ML;

namespace Ssl.MLNet.Tests.Evaluation;

/// <summary>Metrics of entities and answers against numbers worked out by hand.</summary>
[TestClass]
public sealed class TokenMetricsTests
{
    [TestMethod]
    public void Entities_count_where_kind_beginning_and_end_are_right()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(new[]
        {
            new Row { Actual = ["B-A", "I-A", "O", "B-B"], Predicted = ["B-A", "I-A", "O", "B-B"] },        // two found
            new Row { Actual = ["B-A", "I-A", "O", "O"], Predicted = ["B-A", "O", "O", "B-B"] },            // half of one is none; one too many
            new Row { Actual = ["O", "B-A"], Predicted = ["O", "B-B"] },                                    // the wrong kind
        });
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Actual").Append(mlContext.Transforms.Conversion.MapValueToKey("PredictedLabel", "Predicted"));
        var metrics = mlContext.SelfSupervised().EvaluateTagging(keys.Fit(data).Transform(data));
        Assert.AreEqual(3, metrics.NumberOfRows);
        Assert.AreEqual(4, metrics.NumberOfEntities);
        Assert.AreEqual(5, metrics.NumberOfPredicted);
        Assert.AreEqual(2 / 5.0, metrics.Precision, 1e-12);
        Assert.AreEqual(2 / 4.0, metrics.Recall, 1e-12);
        Assert.AreEqual(4 / 9.0, metrics.F1, 1e-12);
        Assert.AreEqual(7 / 10.0, metrics.WordAccuracy!.Value, 1e-12);
        // A: 1 of 2 predicted, 1 of 3 there. B: 1 of 3 predicted, 1 of 1 there.
        CollectionAssert.AreEqual(new[] { 2 / 5.0, 1 / 2.0 }, metrics.Kinds.Select(kind => kind.F1).ToArray());
        Assert.AreEqual(0.45, metrics.MacroF1, 1e-12);
    }

    [TestMethod]
    public void Places_are_compared_one_by_one()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(new[]
        {
            new Row { Actual = ["A", "B"], Start = [0, 5], Length = [3, 2], EntityLabel = ["A", "B"], EntityStart = [0, 5], EntityLength = [3, 1] },
            new Row { Actual = [], Start = [], Length = [], EntityLabel = ["A"], EntityStart = [1], EntityLength = [1] },
        });
        var metrics = mlContext.SelfSupervised().EvaluateTagging(data, "Actual", startColumnName: "Start", lengthColumnName: "Length");
        Assert.AreEqual(1 / 3.0, metrics.Precision, 1e-12);
        Assert.AreEqual(1 / 2.0, metrics.Recall, 1e-12);
        Assert.IsNull(metrics.WordAccuracy);
    }

    [TestMethod]
    public void Answers_are_compared_as_SQuAD_does()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(new[]
        {
            new Row { Right = "The Eiffel Tower!", Given = ["eiffel tower", "paris"] },         // exact
            new Row { Right = "in the year 1889", Given = ["1889", "in year 1889"] },           // 2 * 1 / (1 + 3); the second is exact
            new Row { Right = "", Given = ["", "x"] },                                          // none, rightly
            new Row { Right = "", Given = ["x", ""] },                                          // one too many
            new Row { Right = "y", Given = ["", "y"] },                                         // one that is not given
        });
        var metrics = mlContext.SelfSupervised().EvaluateAnswers(data, "Right", "Given");
        Assert.AreEqual(2 / 5.0, metrics.ExactMatch, 1e-12);
        Assert.AreEqual((1 + 0.5 + 1) / 5, metrics.F1, 1e-12);
        Assert.AreEqual(3, metrics.NumberOfAnswered);
        Assert.AreEqual(1 / 3.0, metrics.AnsweredExactMatch!.Value, 1e-12);
        Assert.AreEqual(1.5 / 3, metrics.AnsweredF1!.Value, 1e-12);
        Assert.AreEqual(1 / 2.0, metrics.UnansweredAccuracy!.Value, 1e-12);
        Assert.AreEqual(1, metrics.AnyExactMatch, 1e-12);
    }

    [TestMethod]
    public void What_cannot_be_compared_is_refused_with_a_sentence()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable([new Row { Actual = ["A", "O"], Predicted = ["A"], Start = [1] }]);
        var ssl = mlContext.SelfSupervised();
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ssl.EvaluateTagging(data, "Actual", "Predicted")).Message, "Map");
        var keyed = mlContext.Transforms.Conversion.MapValueToKey("Label", "Actual").Append(mlContext.Transforms.Conversion.MapValueToKey("PredictedLabel", "Predicted"))
            .Fit(data).Transform(data);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => ssl.EvaluateTagging(keyed)).Message,
            "Row 0 (from 0) has 2 values in column 'Label' and 1 in 'PredictedLabel'");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => ssl.EvaluateTagging(data, "Actual", startColumnName: "Start", lengthColumnName: "Length")).Message,
            "2 labels, 1 starts and 0 lengths");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => ssl.EvaluateTagging(data, startColumnName: "Start")).Message, "need both columns");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => ssl.EvaluateAnswers(mlContext.Data.SkipRows(data, 1), "Right", "Given")).Message,
            "no rows to evaluate");
    }

    public sealed class Row
    {
        public string[] Actual { get; set; } = [];

        public string[] Predicted { get; set; } = [];

        public int[] Start { get; set; } = [];

        public int[] Length { get; set; } = [];

        public string[] EntityLabel { get; set; } = [];

        public int[] EntityStart { get; set; } = [];

        public int[] EntityLength { get; set; } = [];

        public string Right { get; set; } = "";

        public string[] Given { get; set; } = [];
    }
}
