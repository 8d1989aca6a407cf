using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>What a user can do wrong, and the sentence that says so.</summary>
[TestClass]
public sealed class FineTuningFaultTests
{
    [TestMethod]
    public void A_missing_label_is_named_before_any_work()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = FineTuningData.View(mlContext);
        var trainer = mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, "Nowhere");
        foreach (var attempt in new Action[] { () => trainer.Fit(data), () => trainer.GetOutputSchema(ShapeProbe.Of(mlContext, data)) })
        {
            var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(attempt);
            StringAssert.Contains(error.Message, "Could not find label column 'Nowhere'");
            Assert.AreEqual("inputSchema", error.ParamName);
        }
    }

    [TestMethod]
    public void A_label_of_another_type_is_refused_with_what_to_do()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var tasks = mlContext.SelfSupervised().FineTune;
        var data = FineTuningData.View(mlContext);
        (FineTuningTrainer Trainer, string Sentence)[] cases =
        [
            (tasks.MulticlassClassification(encoder, "Subject"),
                "Schema mismatch for label column 'Subject': expected Key<UInt32>, got String. Map it to keys first"),
            (tasks.BinaryClassification(encoder, "Number"), "Schema mismatch for label column 'Number': expected Boolean, got Single"),
            (tasks.Regression(encoder, "Answer"), "Schema mismatch for label column 'Answer': expected a number, got Boolean"),
        ];
        foreach (var (trainer, sentence) in cases)
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainer.Fit(data)).Message, sentence);
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(
                () => trainer.GetOutputSchema(ShapeProbe.Of(mlContext, data))).Message, sentence);
        }
    }

    [TestMethod]
    public void A_chain_without_an_encoder_is_refused_before_Fit()
    {
        var mlContext = TestDevice.Context(1);
        var trainer = mlContext.SelfSupervised().FineTune.BinaryClassification("Answer");
        var counting = new CountingView(FineTuningData.View(mlContext));
        var chain = mlContext.Transforms.Concatenate("Features", "Number").Append(trainer);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.GetOutputSchema(ShapeProbe.Of(mlContext, counting)));
        StringAssert.Contains(error.Message, "Feature column 'Features' carries no encoder to fine-tune");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(counting));
        var absent = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainer.GetOutputSchema(ShapeProbe.Of(mlContext, counting)));
        StringAssert.Contains(absent.Message, "Could not find feature column 'Features'");
        Assert.AreEqual(0, counting.RowsRead);
    }

    [TestMethod]
    public void An_encoder_whose_input_column_is_gone_is_refused()
    {
        var mlContext = TestDevice.Context(1);
        var chain = FineTuningData.Pretrainer(mlContext).Append(mlContext.Transforms.DropColumns("Text"))
            .Append(mlContext.SelfSupervised().FineTune.BinaryClassification("Answer"));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(FineTuningData.View(mlContext)));
        StringAssert.Contains(error.Message, "Could not find input column 'Text'");
    }

    [TestMethod]
    public void An_encoder_that_was_disposed_of_is_refused()
    {
        var mlContext = TestDevice.Context(1);
        var encoder = FineTuningData.Encoder(mlContext);
        var tasks = mlContext.SelfSupervised().FineTune;
        var trainer = tasks.BinaryClassification(encoder, "Answer");
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => trainer.Fit(FineTuningData.View(mlContext)));
        Assert.ThrowsExactly<ObjectDisposedException>(() => tasks.BinaryClassification(encoder, "Answer"));
    }

    [TestMethod]
    public void An_encoder_of_another_modality_is_refused()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = new EncoderTransformer(mlContext, CellEncoderModel.Create(("Text", TableColumnKind.Number)));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => mlContext.SelfSupervised().FineTune.BinaryClassification(encoder, "Answer").Fit(FineTuningData.View(mlContext)));
        StringAssert.Contains(error.Message, "Schema mismatch for input column 'Text': expected a number, got String");
    }

    [TestMethod]
    public void One_class_only_leaves_nothing_to_learn()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var tasks = mlContext.SelfSupervised().FineTune;
        var rows = FineTuningData.Rows(40).Where(r => r.Subject == "garden").ToList();
        var data = FineTuningData.WithKeys(mlContext, mlContext.Data.LoadFromEnumerable(rows));
        (FineTuningTrainer Trainer, string Value)[] cases =
            [(tasks.MulticlassClassification(encoder), "'garden'"), (tasks.BinaryClassification(encoder, "Answer"), "'True'"),
                (tasks.Regression(encoder, "Number"), "120")];
        foreach (var (trainer, value) in cases)
        {
            var error = Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(data));
            StringAssert.Contains(error.Message, "All 10 rows have the same label, " + value);
        }
    }

    [TestMethod]
    public void A_class_of_one_row_trains_and_is_never_kept_out()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var rows = FineTuningData.Rows(40).Where(r => r.Subject != "garden" || r.Id < 4).ToList();
        var data = FineTuningData.WithKeys(mlContext, mlContext.Data.LoadFromEnumerable(rows));
        using var model = mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, numberOfEpochs: 2, validationFraction: 0.5)
            .Fit(data);
        Assert.IsTrue(FineTuningData.Scores(model, data).All(s => s.All(float.IsFinite)));
        var few = mlContext.Data.TakeRows(data, 4);
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => mlContext.SelfSupervised().FineTune.MulticlassClassification(encoder, validationFraction: 0.5).Fit(few));
        StringAssert.Contains(error.Message, "ValidationFraction 0.5 of 4 rows leaves no row to validate on");
    }

    [TestMethod]
    public void No_rows_are_refused()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var none = mlContext.Data.LoadFromEnumerable(new List<LabeledRow>());
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => mlContext.SelfSupervised().FineTune.BinaryClassification(encoder, "Answer").Fit(none));
        StringAssert.Contains(error.Message, "Training set has 0 instances, aborting training.");
    }

    [TestMethod]
    public void All_faulty_options_are_named_together()
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => TestDevice.Context(1).SelfSupervised().FineTune.MulticlassClassification(
            new MulticlassFineTuningTrainer.Options
            {
                LabelColumnName = " ", FeatureColumnName = "", BatchSize = 0, NumberOfEpochs = 0, LearningRate = double.NaN,
                    WeightDecay = -1, WarmupFraction = 1,
                GradientClipNorm = -1, Head = (FineTuningHead)9, TrainableLayers = (TrainableLayers)9, ValidationFraction = 1, Patience = 0,
                MaximumTrainingTime = TimeSpan.Zero, LabelSmoothing = 1, ClassWeights = (ClassWeights)9,
                NumberOfTrainableBlocks = 0, LayerwiseLearningRateDecay = 0, HeadOnlyEpochs = -1, CheckpointPath = "",
                HeadInitialization = (HeadInitialization)9, PseudoLabelThreshold = 0, MaximumPseudoLabelsPerClass = 0,
            }));
        foreach (var property in typeof(MulticlassFineTuningTrainer.Options).GetProperties().Select(p => p.Name)
            .Except(["Encoder", "Seed", "Progress", "CancellationToken", "MixedPrecision", "AllowTf32"]))
            StringAssert.Contains(error.Message, property + " must");
    }

    [TestMethod]
    public void The_short_forms_hand_every_setting_on()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var tasks = mlContext.SelfSupervised().FineTune;
        var settings = typeof(FineTuningTrainer)
            .GetProperty("Settings", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!;
        FineTuningTrainer[] given =
        [
            tasks.MulticlassClassification(encoder, "L", 3, 4, 0.5, 0.25), tasks.BinaryClassification(encoder, "L", 3, 4, 0.5, 0.25),
                tasks.Regression(encoder, "L", 3, 4, 0.5, 0.25),
            tasks.MulticlassClassification("L", "F", 3, 4, 0.5, 0.25), tasks.BinaryClassification("L", "F", 3, 4, 0.5, 0.25),
                tasks.Regression("L", "F", 3, 4, 0.5, 0.25),
        ];
        for (var i = 0; i < given.Length; i++)
        {
            var options = (FineTuningOptions)settings.GetValue(given[i])!;
            Assert.AreSame(i < 3 ? encoder : null, options.Encoder);
            Assert.AreEqual(i < 3 ? "Features" : "F", options.FeatureColumnName);
            Assert.AreEqual(("L", 3, 4, 0.5, 0.25),
                (options.LabelColumnName, options.BatchSize, options.NumberOfEpochs, options.LearningRate, options.ValidationFraction));
        }
    }
}
