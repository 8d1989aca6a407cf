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

    [TestMethod]
    [DataRow(new[] { 7, 7, 7 }, 1_000, "7 7 7")]
    [DataRow(new[] { 7, 3, 4 }, 1_000, "7 3 4")]
    [DataRow(new[] { 40, 3, 9, 4 }, 1_000, "3 4|9|40")]
    [DataRow(new[] { 9, 9, 9, 9, 9 }, 20, "9 9|9 9|9")]
    [DataRow(new[] { 50, 60 }, 20, "50|60")]
    [DataRow(new[] { 1, 2, 3 }, 1_000, "1 2 3")]
    public void GroupsPadLittleAndStayUnderALimit(int[] lengths, int most, string expected)
    {
        var cut = LengthGroups.Of(lengths.Length, row => lengths[row], ratio: 2, paddedLength: 4, most);
        Assert.AreEqual(expected, string.Join('|', Enumerable.Range(0, cut.Count)
            .Select(group => string.Join(' ', cut[group].ToArray().Select(row => lengths[row])))));
    }
}
