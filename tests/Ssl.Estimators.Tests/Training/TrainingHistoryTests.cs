namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class TrainingHistoryTests
{
    private static EpochSummary Epoch(int number) => new(number, 4, 64, number,
        new Dictionary<string, double> { ["part"] = -number }, 0.5, 9, number % 2 == 0 ? null : 0.25,
        number == 3 ? double.NaN : 2 * number);

    [TestMethod]
    public void EpochsComeBackFromJson()
    {
        var history = new TrainingHistory([new TrainingStep(1, 1, 1, 2, new Dictionary<string, double>(), 3, null)],
            [.. Enumerable.Range(1, 4).Select(Epoch)], 1);
        var read = TrainingHistory.FromJson(history.ToJson())!;
        Assert.IsEmpty(read.Steps);
        Assert.AreEqual(1, read.BestEpoch);
        Assert.HasCount(4, read.Epochs);
        foreach (var (expected, actual) in history.Epochs.Zip(read.Epochs))
        {
            Assert.AreEqual(expected with { Terms = actual.Terms }, actual);
            CollectionAssert.AreEqual(expected.Terms.ToArray(), actual.Terms.ToArray());
        }
    }

    [TestMethod]
    [DataRow(512, 512, 1)]
    [DataRow(513, 257, 2)]
    [DataRow(10_000, 500, 20)]
    public void OfManyEpochsSomeAreSavedAndTheLast(int epochs, int saved, int every)
    {
        var history = new TrainingHistory([], [.. Enumerable.Range(1, epochs).Select(Epoch)], null);
        var read = TrainingHistory.FromJson(history.ToJson())!;
        Assert.HasCount(saved, read.Epochs);
        Assert.AreEqual(epochs, read.Epochs[^1].Epoch);
        Assert.AreEqual(every, read.Epochs[^1].Epoch - read.Epochs[^2].Epoch);
    }

    [TestMethod]
    public void NothingIsNullAndNonsenseIsRefused()
    {
        Assert.IsNull(TrainingHistory.FromJson(null));
        var fault = Assert.ThrowsExactly<FormatException>(() => TrainingHistory.FromJson(
            new System.Text.Json.Nodes.JsonObject { ["epochs"] = new System.Text.Json.Nodes.JsonArray(1) }));
        StringAssert.StartsWith(fault.Message, "The history of the encoder's training cannot be read: ");
    }
}
