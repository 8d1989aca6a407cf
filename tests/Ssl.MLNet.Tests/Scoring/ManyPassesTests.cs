using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Trainers that read their data many times, on an embedding.</summary>
[TestClass]
public sealed class ManyPassesTests
{
    private static readonly string[] Read = ["Text"];

    [TestMethod]
    public void ATrainerOfManyPassesHasEachTextReadOnceAndLearnsTheSame()
    {
        using var encoder = ScoringData.Encoder(TestDevice.Context(1));
        var expected = Fit(TestDevice.Context(1), encoder, 0, out var readInEveryPass);
        var actual = Fit(TestDevice.Context(1), encoder, 512, out var read);
        Assert.AreEqual(96, read, "texts read from the data");
        Assert.IsGreaterThan(5 * 96, readInEveryPass, "without a memory every pass reads them");
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-4f, $"row {i}");
    }

    [TestMethod]
    public void PredictionsOfAFineTunedEncoderAreComputedOnceToo()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = ScoringData.Encoder(mlContext);
        var data = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(ContractData.View(mlContext)).Transform(ContractData.View(mlContext));
        using var tuned = mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, numberOfEpochs: 1).Fit(data);
        var texts = new ReadCountingView(data, "Text");
        var view = tuned.Transform(texts);
        var first = view.GetColumn<float[]>("Score").ToArray();
        var second = view.GetColumn<float[]>("Score").ToArray();
        Assert.AreEqual(96, texts.Reads);
        for (var i = 0; i < first.Length; i++)
            CollectionAssert.AreEqual(first[i], second[i]);
        CollectionAssert.AreEqual(view.GetColumn<uint>("PredictedLabel").ToArray(),
            first.Select(row => (uint)(Array.IndexOf(row, row.Max()) + 1)).ToArray());
    }

    [TestMethod]
    public void ADisposedEncoderSaysSoWhateverIsKept()
    {
        var mlContext = TestDevice.Context(1);
        var encoder = ScoringData.Encoder(mlContext);
        var view = encoder.Transform(ContractData.View(mlContext));
        ScoringData.Embeddings(view);
        using var cursor = view.GetRowCursor(view.Schema);
        Assert.IsTrue(cursor.MoveNext());
        encoder.Dispose();
        foreach (var read in new Action[] { () => ScoringData.Embeddings(view), () => cursor.MoveNext() })
        {
            var fault = Assert.ThrowsExactly<ObjectDisposedException>(read);
            Assert.AreEqual("EncoderTransformer", fault.ObjectName);
            StringAssert.Contains(fault.Message, "fit or load it again");
        }
    }

    [TestMethod]
    public void TheLimitBelongsToTheContext()
    {
        var mlContext = TestDevice.Context();
        Assert.AreEqual(512, mlContext.SelfSupervised().EmbeddingMemoryLimit);
        mlContext.SelfSupervised().EmbeddingMemoryLimit = 7;
        Assert.AreEqual(7, mlContext.SelfSupervised().EmbeddingMemoryLimit);
        Assert.AreEqual(512, TestDevice.Context().SelfSupervised().EmbeddingMemoryLimit);
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => mlContext.SelfSupervised().EmbeddingMemoryLimit = -1);
        StringAssert.Contains(fault.Message, "at least 0 megabytes");
    }

    private static float[] Fit(MLContext mlContext, EncoderTransformer encoder, int limit, out int textsRead)
    {
        var ssl = mlContext.SelfSupervised();
        ssl.EmbeddingMemoryLimit = limit;
        var labeled = mlContext.Transforms.CustomMapping<TextRow, Answer>((row, answer) => answer.Label1 = row.Id % 2 == 0, null)
            .Fit(ContractData.View(mlContext)).Transform(ContractData.View(mlContext));
        var data = new ReadCountingView(labeled, Read);
        var trainer = mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(new SdcaLogisticRegressionBinaryTrainer.Options
        {
            LabelColumnName = "Label1", MaximumNumberOfIterations = 20, NumberOfThreads = 1, Shuffle = false,
        });
        using var model = ssl.Embed(encoder).Append(trainer).Fit(data);
        textsRead = data.Reads;
        return [.. model.Transform(data).GetColumn<float>("Score")];
    }

    private sealed class Answer
    {
        public bool Label1 { get; set; }
    }
}
