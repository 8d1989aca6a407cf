using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Tests.Tasks.FewLabels;

[TestClass]
public sealed class FewLabelsSearchTests
{
    // A copy of the encoder is trained for every fold: as many as hold out 200 rows, and all where none do.
    [TestMethod]
    [DataRow(3_000, 1)]
    [DataRow(600, 1)]
    [DataRow(597, 2)]
    [DataRow(300, 2)]
    [DataRow(297, 3)]
    [DataRow(9, 3)]
    public void AsManyFoldsAreAdaptedAsTellCandidatesApart(int rows, int expected)
    {
        (int[] Used, int[] Held)[] folds = [.. Enumerable.Range(0, 3).Select(fold => (Used: Array.Empty<int>(), Held: Enumerable.Range(fold * rows / 3, rows / 3).ToArray()))];
        var kept = FewLabelsSearch.FoldsToAdapt(folds);
        Assert.HasCount(expected, kept);
        CollectionAssert.AreEqual(folds[..expected], kept);
    }
}
