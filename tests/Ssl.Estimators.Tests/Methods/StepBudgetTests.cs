namespace Ssl.Estimators.Tests.Methods;

/// <summary>Steps of a training whose epochs are not set.</summary>
[TestClass]
public sealed class StepBudgetTests
{
    // Scarf's 30 epochs of 40 rows in batches of 16 are 60 steps: 40 / 16 = 2, the rest is left out.
    [TestMethod]
    [DataRow(80, null, 40)]
    [DataRow(79, null, 40)]
    [DataRow(60, null, 30)]
    [DataRow(0, null, 30)]
    [DataRow(80, 2, 2)]
    [DataRow(80, 30, 30)]
    public void FewRowsGetMoreEpochsUnlessTheyAreStated(int minimum, int? stated, int expected)
    {
        var lines = new List<string>();
        Assert.AreEqual(expected, Epochs(minimum, stated, lines));
        Assert.AreEqual(expected > 30, lines.Any(line => line.Contains($"{expected} epochs in place of 30, for MinimumNumberOfSteps {minimum}")),
            string.Join('\n', lines));
        Assert.IsTrue(lines.Any(line => line.Contains($"{2 * expected} steps ({expected} epochs of 2)")), string.Join('\n', lines));
    }

    [TestMethod]
    public void StreamedRowsKeepTheirEpochs() => Assert.AreEqual(30, Epochs(80, null, [], cacheLimit: 100));

    [TestMethod]
    public void ACheckpointKnowsTheEpochsThatTheStepsMake()
    {
        var path = Path.Combine(Path.GetTempPath(), $"steps-{Guid.NewGuid():N}.checkpoint");
        try
        {
            Assert.AreEqual(40, Epochs(80, null, [], path: path));
            Assert.AreEqual(40, Epochs(79, null, [], path: path), "as many epochs");
            Assert.AreEqual(40, Epochs(0, 40, [], path: path));
            var error = Assert.ThrowsExactly<InvalidOperationException>(() => Epochs(82, null, [], path: path));
            StringAssert.Contains(error.Message, "NumberOfEpochs 40, this one has 41");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static int Epochs(int minimum, int? stated, List<string> lines, long cacheLimit = long.MaxValue, string? path = null)
    {
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) =>
        {
            lock (lines)
                lines.Add(e.Message);
        };
        var options = new ScarfTrainer.Options
        {
            InputColumnNames = ["A", "B"], BatchSize = 16, MinimumNumberOfSteps = minimum, CacheLimit = cacheLimit, CheckpointPath = path,
            Encoder = Ssl.Estimators.TabularEncoders.Mlp(1, 4),
        };
        if (stated is { } epochs)
            options.NumberOfEpochs = epochs;
        var random = new Random(1);
        using var model = new ScarfTrainer(mlContext, options).Fit(mlContext.Data.LoadFromEnumerable(
            Enumerable.Range(0, 40).Select(_ => new Row { A = random.NextSingle(), B = random.NextSingle() }).ToArray()));
        return model.TrainingHistory!.Epochs.Count;
    }

    private sealed class Row
    {
        public float A { get; set; }

        public float B { get; set; }
    }
}
