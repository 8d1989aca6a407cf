using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Interop;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>Checkpoints of trainings without a seed, and of other encoders and views.</summary>
[TestClass]
public sealed class ResumeTests
{
    private string _folder = "";

    private string Checkpoint => Path.Combine(_folder, "run.checkpoint");

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ssl-resume-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void A_context_tells_whether_it_has_a_seed()
    {
        Assert.IsTrue(HostSeed.IsStated(TestDevice.Context(5)));
        Assert.IsTrue(HostSeed.IsStated(TestDevice.Context(0)));
        Assert.IsFalse(HostSeed.IsStated(TestDevice.Context()));
    }

    [TestMethod]
    public void Without_a_seed_a_training_goes_on_with_that_of_its_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        using (Fit(TestDevice.Context(), Checkpoint, stop))
        {
        }
        var copy = Path.Combine(_folder, "copy.checkpoint");
        File.Copy(Checkpoint, copy);
        // Contexts without a seed draw another one each time: rows to validate on, shuffling and views would differ.
        using var first = Fit(TestDevice.Context(), Checkpoint);
        using var second = Fit(TestDevice.Context(), copy);
        CollectionAssert.AreEqual(first.TrainingHistory!.Epochs.Select(epoch => epoch.ValidationLoss).ToArray(),
            second.TrainingHistory!.Epochs.Select(epoch => epoch.ValidationLoss).ToArray());
        Assert.HasCount(4, first.TrainingHistory.Epochs);
        CollectionAssert.AreEqual(Embed(first), Embed(second));

        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(TestDevice.Context(5), Checkpoint));
        StringAssert.Contains(error.Message, "holds a run with Seed ");
    }

    [TestMethod]
    public void Another_encoder_is_named()
    {
        using (Fit(TestDevice.Context(5), Checkpoint))
        {
        }
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => Fit(TestDevice.Context(5), Checkpoint, change: o => o.Encoder = TabularEncoders.Mlp(3, 8)));
        StringAssert.Matches(error.Message, new("holds a run with Encoder\\.\\w+ 2, this one has 3\\. "));
        error = Assert.ThrowsExactly<InvalidOperationException>(
            () => Fit(TestDevice.Context(5), Checkpoint, change: o => (o.Temperature, o.CorruptionRate) = (0.7f, 0.3f)));
        StringAssert.Matches(error.Message,
            new("CorruptionRate 0\\.\\d+, this one has 0\\.3; Temperature 0\\.\\d+, this one has 0\\.7\\. "));
    }

    [TestMethod]
    public void Other_values_of_the_same_form_are_refused()
    {
        using (Fit(TestDevice.Context(5), Checkpoint))
        {
        }
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(TestDevice.Context(5), Checkpoint, shift: 100));
        StringAssert.Contains(error.Message, "Columns");
    }

    private static EncoderTransformer Fit(MLContext mlContext, string checkpoint, CancellationTokenSource? stop = null,
        Action<ScarfTrainer.Options>? change = null, float shift = 0)
    {
        var options = new ScarfTrainer.Options
        {
            InputColumnNames = ["Numbers"], Encoder = TabularEncoders.Mlp(2, 8), BatchSize = 16, NumberOfEpochs = 4,
            ValidationFraction = 0.25, CheckpointPath = checkpoint, CancellationToken = stop?.Token ?? default,
            Progress = new Reports(p => { if (p is { EpochCompleted: true, Epoch: 1 }) stop?.Cancel(); }),
        };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Tabular.Scarf(options).Fit(mlContext.Data.LoadFromEnumerable(Rows(shift)));
    }

    private static float[] Embed(EncoderTransformer encoder)
        => [.. encoder.Transform(TestDevice.Context(1).Data.LoadFromEnumerable(Rows(0))).GetColumn<float[]>("Features").SelectMany(row => row)];

    private static Row[] Rows(float shift)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 96).Select(_ => new Row
        {
            Numbers = [random.NextSingle() + shift, random.NextSingle(), random.NextSingle()],
        })];
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Numbers { get; set; } = [];
    }

    private sealed class Reports(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}
