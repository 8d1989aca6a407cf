using Ssl.Estimators.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>Grouping by length keeps every text once, and saves padding.</summary>
[TestClass]
public sealed class LengthGroupsTests
{
    [TestMethod]
    [DataRow(1, 1)]
    [DataRow(127, 1)]
    [DataRow(128, 2)]
    [DataRow(300, 4)]
    public void EveryTextIsInOneGroupAndFindsItsPlace(int count, int groups)
    {
        var tokens = Rows(count);
        var cut = LengthGroups.Of(tokens);
        Assert.AreEqual(groups, cut.Count);
        int[] all = [.. Enumerable.Range(0, cut.Count).SelectMany(group => cut[group].ToArray())];
        CollectionAssert.AreEqual(cut.Order, all);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, count).ToArray(), all);
        for (var text = 0; text < count; text++)
            Assert.AreEqual(text, all[cut.Places[text]]);
    }

    [TestMethod]
    public void GroupsArePaddedLessThanTheWhole()
    {
        var tokens = Rows(512);
        var cut = LengthGroups.Of(tokens);
        var whole = 512 * Enumerable.Range(0, 512).Max(tokens.Length);
        var grouped = Enumerable.Range(0, cut.Count).Sum(group => cut[group].Length * cut[group].ToArray().Max(tokens.Length));
        Assert.IsLessThan(0.7 * whole, grouped);
    }

    private static TokenRows Rows(int count)
    {
        var random = new Random(1);
        var tokens = new TokenRows(paddingId: 0);
        for (var i = 0; i < count; i++)
            tokens.Add(new int[random.Next(1, 40)]);
        return tokens;
    }
}
