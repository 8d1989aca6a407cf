using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

[TestClass]
public sealed class MulticlassFineTuningTests
{
    private const float Tolerance = 2e-5f;

    private static MulticlassFineTuningTrainer Trainer(MLContext mlContext, EncoderTransformer? encoder = null,
        Action<MulticlassFineTuningTrainer.Options>? change = null)
    {
        var options = new MulticlassFineTuningTrainer.Options { Encoder = encoder, NumberOfEpochs = 8, LearningRate = 0.01 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().FineTune.MulticlassClassification(options);
    }

    private static IEstimator<ITransformer> Chain(MLContext mlContext) => mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject")
        .Append(FineTuningData.Pretrainer(mlContext))
        .Append(Trainer(mlContext))
        .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"));

    [TestMethod]
    public void A_chain_pretrains_and_fine_tunes_in_one_Fit_and_scores_the_same_after_saving_and_loading()
    {
        var mlContext = TestDevice.Context(1);
        var data = FineTuningData.View(mlContext);
        var model = Chain(mlContext).Fit(data);
        var expected = FineTuningData.Scores(model, data);
        string[] predicted = [.. model.Transform(data).GetColumn<string>("Predicted")];
        Assert.IsTrue(predicted.All(FineTuningData.Subjects.Contains));

        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var fresh = TestDevice.Context(2);
        var loaded = fresh.Model.Load(file, out _);
        FineTuningData.AssertEqual(expected, FineTuningData.Scores(loaded, data), 0);
        CollectionAssert.AreEqual(predicted, loaded.Transform(data).GetColumn<string>("Predicted").ToArray());
        var key = (KeyDataViewType)loaded.GetOutputSchema(data.Schema)["PredictedLabel"].Type;
        Assert.AreEqual(4UL, key.Count);
        Assert.IsTrue(loaded.GetOutputSchema(data.Schema)["Score"].HasSlotNames());
    }

    [TestMethod]
    public void The_columns_are_those_of_a_stock_trainer()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = encoder.Transform(FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext)));
        var trainer = Trainer(mlContext, encoder);
        var promised = trainer.GetOutputSchema(ShapeProbe.Of(mlContext, data)).ToDictionary(c => c.Name);
        using var model = trainer.Fit(data);
        var stock = mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(data);
        var (ours, theirs) = (model.GetOutputSchema(data.Schema), stock.GetOutputSchema(data.Schema));
        CollectionAssert.AreEqual(theirs.Select(c => c.Name).ToArray(), ours.Select(c => c.Name).ToArray());
        foreach (var name in new[] { "PredictedLabel", "Score" })
        {
            Assert.AreEqual(theirs[name].Type, ours[name].Type, name);
            CollectionAssert.AreEquivalent(Kinds(theirs[name]), Kinds(ours[name]), name);
            CollectionAssert.AreEquivalent(Kinds(ours[name]), promised[name].Annotations.Select(a => a.Name).ToArray(), name);
            Assert.AreEqual(promised[name].IsKey, ours[name].Type is KeyDataViewType, name);
        }
        VBuffer<ReadOnlyMemory<char>> slots = default;
        ours["Score"].GetSlotNames(ref slots);
        CollectionAssert.AreEqual(FineTuningData.Subjects, slots.DenseValues().Select(s => s.ToString()).ToArray());

        static string[] Kinds(DataViewSchema.Column column) => [.. column.Annotations.Schema.Select(a => a.Name)];
    }

    [TestMethod]
    public void Evaluate_and_CrossValidate_work_unchanged()
    {
        var mlContext = TestDevice.Context(1);
        var data = FineTuningData.View(mlContext);
        var metrics = mlContext.MulticlassClassification.Evaluate(Chain(mlContext).Fit(data).Transform(data));
        Assert.IsGreaterThan(0.9, metrics.MicroAccuracy);
        Assert.HasCount(4, metrics.PerClassLogLoss);
        var folds = mlContext.MulticlassClassification.CrossValidate(data, Chain(mlContext), numberOfFolds: 2);
        Assert.HasCount(2, folds);
        Assert.IsTrue(folds.All(fold => fold.Metrics.MicroAccuracy > 0.6));
    }

    [TestMethod]
    public void The_given_encoder_never_changes_and_outlives_nothing_it_should_not()
    {
        var mlContext = TestDevice.Context(1);
        var encoder = FineTuningData.Encoder(mlContext);
        var data = FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext));
        var before = FineTuningData.Embeddings(encoder, data);
        using var model = Trainer(mlContext, encoder).Fit(data);
        FineTuningData.AssertEqual(before, FineTuningData.Embeddings(encoder, data), 0);
        var scores = FineTuningData.Scores(model, data);
        encoder.Dispose();
        FineTuningData.AssertEqual(scores, FineTuningData.Scores(model, data), 0);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Sixteen_threads_batches_and_single_rows_score_the_same(bool transformer)
    {
        var mlContext = TestDevice.Context(1);
        var factory = transformer ? TextEncoders.Transformer(dimension: 16, numberOfLayers: 2, numberOfHeads: 2, maximumTokens: 32) : null;
        using var encoder = FineTuningData.Pretrainer(mlContext, encoder: factory).Fit(FineTuningData.View(mlContext));
        using var model = Trainer(mlContext, encoder).Fit(FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext)));
        var data = FineTuningData.View(mlContext, 600);
        var expected = FineTuningData.Scores(model, data);
        var results = new float[16][][];
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i => results[i] = FineTuningData.Scores(model, data));
        foreach (var result in results)
            FineTuningData.AssertEqual(expected, result, 0);

        using var engine = mlContext.Model.CreatePredictionEngine<LabeledRow, Prediction>(model);
        var single = FineTuningData.Rows(600).Take(40).Select(engine.Predict).ToArray();
        FineTuningData.AssertEqual(expected[..40], [.. single.Select(p => p.Score)], Tolerance);
        Assert.IsTrue(single.All(p => p.Score[p.PredictedLabel - 1] == p.Score.Max()));
    }

    [TestMethod]
    public void Transform_is_lazy_and_computes_nothing_that_nobody_reads()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        using var model = Trainer(mlContext, encoder).Fit(FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext)));
        var counting = new CountingView(FineTuningData.View(mlContext, 5_000));
        var scored = model.Transform(counting);
        Assert.AreEqual(0, counting.RowsRead);
        _ = scored.GetColumn<int>("Id").Take(10).Count();
        Assert.IsLessThanOrEqualTo(10, counting.RowsRead);
        _ = scored.GetColumn<float[]>("Score").Take(10).Count();
        Assert.IsLessThanOrEqualTo(10 + EncoderTransformer.BatchSize, counting.RowsRead);
    }

    [TestMethod]
    public void Tuning_the_encoder_beats_the_head_alone_on_held_out_rows()
    {
        // Measured: 1.00 against 0.68 of a head on the same untrained encoder. Half of the difference is asked for.
        var mlContext = TestDevice.Context(3);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 0).Fit(FineTuningData.View(mlContext));
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(FineTuningData.View(mlContext));
        var full = Accuracy(TrainableLayers.Full);
        var headOnly = Accuracy(TrainableLayers.HeadOnly);
        Assert.IsGreaterThan(headOnly + 0.15, full, $"full {full:0.000}, head only {headOnly:0.000}");

        double Accuracy(TrainableLayers layers)
        {
            using var model = Trainer(mlContext, encoder, o => (o.TrainableLayers, o.NumberOfEpochs, o.LearningRate) = (layers, 20, 0.01))
                .Fit(keys.Transform(FineTuningData.View(mlContext, 64)));
            return mlContext.MulticlassClassification.Evaluate(model.Transform(keys.Transform(FineTuningData.View(mlContext, 400,
                seed: 9)))).MicroAccuracy;
        }
    }

    [TestMethod]
    public void Head_only_keeps_the_encoder_and_trains_the_head()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext));
        var losses = new List<double>();
        using var model = Trainer(mlContext, encoder, o =>
        {
            (o.TrainableLayers, o.Head) = (TrainableLayers.HeadOnly, FineTuningHead.Mlp);
            o.Progress = new Reports(p => { if (p.EpochCompleted) losses.Add(p.Loss); });
        }).Fit(data);
        Assert.HasCount(8, losses);
        Assert.IsLessThan(losses[0], losses[^1]);
    }

    [TestMethod]
    public void Validation_stops_early_and_keeps_the_best_epoch()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var rows = FineTuningData.Rows(80);
        var random = new Random(2);
        foreach (var row in rows)
            row.Subject = FineTuningData.Subjects[random.Next(4)];      // labels of chance: validation soon gets worse
        var epochs = 0;
        using var model = Trainer(mlContext, encoder, o =>
        {
            (o.NumberOfEpochs, o.LearningRate, o.ValidationFraction, o.Patience) = (200, 0.03, 0.3, 2);
            o.Progress = new Reports(p => epochs = p.Epoch);
        }).Fit(FineTuningData.WithKeys(mlContext, mlContext.Data.LoadFromEnumerable(rows)));
        Assert.IsLessThan(200, epochs, "labels of chance cannot get better for 200 epochs");
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_model_and_balanced_classes_another()
    {
        var first = Run(ClassWeights.Equal);
        FineTuningData.AssertEqual(first, Run(ClassWeights.Equal), TestDevice.Repeatability);
        var balanced = Run(ClassWeights.Balanced);
        Assert.IsGreaterThan(Rare(first), Rare(balanced), "balanced weights must raise the rare class");

        static double Rare(float[][] scores) => scores.Average(s => (double)s[3]);

        static float[][] Run(ClassWeights weights)
        {
            var mlContext = TestDevice.Context(5);
            using var encoder = FineTuningData.Encoder(mlContext);
            var rows = FineTuningData.Rows(120).Where(r => r.Subject != "railway" || r.Id < 12).ToList();
            using var model = Trainer(mlContext, encoder, o => (o.ClassWeights, o.LabelSmoothing, o.NumberOfEpochs) = (weights, 0.1, 3))
                .Fit(FineTuningData.WithKeys(mlContext, mlContext.Data.LoadFromEnumerable(rows)));
            return FineTuningData.Scores(model, FineTuningData.View(mlContext));
        }
    }

    [TestMethod]
    public void Keys_of_numbers_keep_their_values()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var view = FineTuningData.View(mlContext);
        var data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Number").Fit(view).Transform(view);
        using var model = Trainer(mlContext, encoder).Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"))
            .Fit(data);
        float[] predicted = [.. model.Transform(data).GetColumn<float>("Predicted")];
        CollectionAssert.IsSubsetOf(predicted.Distinct().ToArray(), new[] { 100f, 110f, 120f, 130f });
        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        CollectionAssert.AreEqual(predicted, mlContext.Model.Load(file, out _).Transform(data).GetColumn<float>("Predicted").ToArray());
    }

    private sealed class Reports(Action<PretrainingProgress> report)
        : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}
