using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Who owns what, and disposing while others score.</summary>
[TestClass]
[DoNotParallelize]
public sealed class DisposalTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void ADisposedEngineLeavesTheEncoderToTheOthers()
    {
        var data = ContractData.View(_mlContext);
        using var encoder = ScoringData.Encoder(_mlContext);
        var view = encoder.Transform(data);
        var expected = ScoringData.Embeddings(encoder.Transform(data))[0];
        var other = ScoringData.Engine(_mlContext, encoder);
        for (var i = 0; i < 3; i++)
        {
            var engine = ScoringData.Engine(_mlContext, encoder);
            CollectionAssert.AreEqual(expected, engine.Predict(ContractData.Rows(1)[0]).Features, Close);
            engine.Dispose();
        }
        CollectionAssert.AreEqual(expected, other.Predict(ContractData.Rows(1)[0]).Features, Close);
        CollectionAssert.AreEqual(expected, ScoringData.Embeddings(view)[0], Close);
        Assert.HasCount(96, ScoringData.Embeddings(encoder.Transform(data)));
        encoder.Dispose();
        var fault = Assert.ThrowsExactly<ObjectDisposedException>(() => other.Predict(ContractData.Rows(1)[0]));
        Assert.AreEqual("EncoderTransformer", fault.ObjectName);
    }

    [TestMethod]
    public void ADisposedEngineOfAChainLeavesTheChainAndChainsThatShareItsEncoder()
    {
        var data = ContractData.View(_mlContext);
        using var encoder = ScoringData.Encoder(_mlContext);
        var one = new TransformerChain<ITransformer>(encoder, _mlContext.Transforms.CopyColumns("A", "Features").Fit(encoder.Transform(data)));
        var two = new TransformerChain<ITransformer>(encoder, _mlContext.Transforms.CopyColumns("B", "Features").Fit(encoder.Transform(data)));
        ScoringData.Engine(_mlContext, one).Dispose();
        Assert.HasCount(96, ScoringData.Embeddings(one.Transform(data)));
        Assert.HasCount(96, ScoringData.Embeddings(two.Transform(data)));
        two.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Transform(data));
    }

    [TestMethod]
    public void AnEngineThatDoesNotOwnLeavesItToTheApplicationToDispose()
    {
        var encoder = ScoringData.Encoder(_mlContext);
        using (_mlContext.Model.CreatePredictionEngine<TextRow, ScoringData.Embedded>(encoder, new PredictionEngineOptions { OwnsTransformer = false }))
        {
        }
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Transform(ContractData.View(_mlContext)));
    }

    [TestMethod]
    public void EnginesOfTheOtherStagesLeaveThemToo()
    {
        var data = ContractData.View(_mlContext);
        using var encoder = ScoringData.Encoder(_mlContext);
        var ssl = _mlContext.SelfSupervised();
        var embedded = encoder.Transform(data);
        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(embedded).Transform(embedded);
        (ITransformer Stage, string Column)[] stages =
        [
            (ssl.FineTune.MulticlassClassification(encoder, numberOfEpochs: 1).Fit(keyed), "Score"),
            (ssl.NearestNeighbors(inputColumnName: "Features", numberOfNeighbors: 2).Fit(embedded), "Scores"),
            (ssl.AnomalyScore(new() { Method = AnomalyMethod.NeighborDistance }).Fit(embedded), "Score"),
            (ssl.AnomalyScore(new() { Method = AnomalyMethod.Mahalanobis }).Fit(embedded), "Score"),
        ];
        foreach (var (stage, column) in stages)
        {
            var chain = new TransformerChain<ITransformer>(encoder, stage);
            _mlContext.Model.CreatePredictionEngine<TextRow, Nothing>(chain).Dispose();
            var view = stage.Transform(embedded);
            using (var cursor = view.GetRowCursor([view.Schema[column]]))
                Assert.IsTrue(cursor.MoveNext(), stage.GetType().Name);
            ((IDisposable)stage).Dispose();
            var fault = Assert.ThrowsExactly<ObjectDisposedException>(() => stage.Transform(embedded));
            Assert.AreEqual(stage.GetType().Name, fault.ObjectName);
            fault = Assert.ThrowsExactly<ObjectDisposedException>(() =>
            {
                using var cursor = view.GetRowCursor([view.Schema[column]]);
                cursor.MoveNext();
            });
            Assert.AreEqual(stage.GetType().Name, fault.ObjectName);
        }
    }

    [TestMethod]
    public void DisposingWhileSixteenThreadsScoreGivesEachAnAnswerOrAnExceptionThatSaysIt()
        => DisposeWhileScoring(60);

    [TestMethod]
    [TestCategory("Long")]
    public void DisposingWhileSixteenThreadsScoreFiveHundredTimes() => DisposeWhileScoring(500);

    private void DisposeWhileScoring(int times)
    {
        var data = ContractData.View(_mlContext, 40);
        var (answers, refusals) = (0, 0);
        var path = Path.GetTempFileName();
        try
        {
            using (var encoder = ScoringData.Encoder(_mlContext, 40))
                _mlContext.SelfSupervised().SaveEncoder(encoder, path);
            for (var time = 0; time < times; time++)
            {
                var encoder = _mlContext.SelfSupervised().LoadEncoder(path);
                var view = encoder.Transform(data);
                var row = ContractData.Rows(1)[0];
                var engines = Enumerable.Range(0, 8).Select(_ => ScoringData.Engine(_mlContext, encoder)).ToArray();
                using var start = new Barrier(17);
                var threads = Enumerable.Range(0, 16).Select(i => new Thread(() =>
                {
                    start.SignalAndWait();
                    for (var call = 0; call < 50; call++)
                    {
                        try
                        {
                            var numbers = i < 8 ? engines[i].Predict(row).Features
                                : ScoringData.Embeddings(i % 2 == 0 ? view : encoder.Transform(data))[0];
                            Assert.IsTrue(numbers.Length == 8 && numbers.All(float.IsFinite) && numbers.Any(n => n != 0));
                            Interlocked.Increment(ref answers);
                        }
                        catch (ObjectDisposedException e) when (e.ObjectName == "EncoderTransformer" && e.Message.Contains("disposed of"))
                        {
                            Interlocked.Increment(ref refusals);
                            return;
                        }
                    }
                })).ToArray();
                foreach (var thread in threads)
                    thread.Start();
                start.SignalAndWait();
                Thread.Sleep(time % 6);
                encoder.Dispose();
                foreach (var thread in threads)
                    thread.Join();
            }
        }
        finally
        {
            File.Delete(path);
        }
        Assert.IsGreaterThan(times, refusals);
        Assert.IsGreaterThan(0, answers);
    }

    [TestMethod]
    public void TheLastOwnerEndsIt()
    {
        var encoder = ScoringData.Encoder(_mlContext);
        var stage = _mlContext.SelfSupervised().Embed(encoder).Fit(ContractData.View(_mlContext));
        encoder.Dispose();
        Assert.HasCount(96, ScoringData.Embeddings(stage.Transform(ContractData.View(_mlContext))));
        stage.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => stage.Transform(ContractData.View(_mlContext)));
    }

    [TestMethod]
    public void WhatNobodyDisposesIsFreedWhenNothingReachesIt()
    {
        var weak = new List<WeakReference>();
        for (var i = 0; i < 3; i++)
            Lose();
        for (var i = 0; i < 5; i++)
            Collect();
        Assert.IsTrue(weak.All(reference => !reference.IsAlive));

        void Lose()
        {
            var encoder = ScoringData.Encoder(_mlContext);
            weak.Add(new WeakReference(encoder.Model));
            using var engine = ScoringData.Engine(_mlContext, encoder);
            engine.Predict(ContractData.Rows(1)[0]);
        }
    }

    private static readonly Comparer<float> Close = Comparer<float>.Create((a, b) => Math.Abs(a - b) < 1e-5f ? 0 : a.CompareTo(b));

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private sealed class Nothing
    {
        public string Text { get; set; } = "";
    }
}
