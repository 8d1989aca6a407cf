using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class CategoryCountsTests
{
    private static CategoryCounts Count(int most, IEnumerable<string> names)
    {
        var counts = new CategoryCounts(most);
        foreach (var name in names)
            counts.Add(name);
        return counts;
    }

    [TestMethod]
    public void WhatOccursOftenIsCountedWhereverItStands()
    {
        // A thousand categories that occur once stand before those that occur often, and only 50 are held.
        var counts = Count(50, [.. Enumerable.Range(0, 1_000).Select(i => $"once {i}"), .. Enumerable.Range(0, 300).Select(i => $"often {i % 3}")]);
        foreach (var i in Enumerable.Range(0, 3))
            Assert.AreEqual(100, counts.Names[$"often {i}"]);
        Assert.IsLessThanOrEqualTo(50, counts.Names.Count);
        StringAssert.Contains(counts.Describe("Cell", 2, 100), "'Cell' has more than 50 different values; the 3 most frequent ones have an entry of their own, which is 23");
        // Also while others come and go between them.
        counts = Count(50, Enumerable.Range(0, 3_000).Select(i => i % 10 == 0 ? "often" : $"once {i}"));
        Assert.IsGreaterThan(250, counts.Names["often"]);
        StringAssert.Contains(Count(50, Enumerable.Range(0, 3_000).Select(i => $"{i}")).Describe("Id", 2, 100), "nearly every row its own");
    }

    [TestMethod]
    public void IdentifiersAndCutVocabulariesAreSaid()
    {
        StringAssert.Contains(Count(1_000, Enumerable.Range(0, 60).Select(_ => Guid.NewGuid().ToString())).Describe("Id", 2, 100),
            "'Id' has 60 different values in 60 rows, nearly every row its own");
        Assert.AreEqual("'Town' has 20 different values; the 5 most frequent ones have an entry of their own, which is 25 % of the rows, all others "
            + "share one. Raise MaximumCategories for more.",
            Count(1_000, Enumerable.Range(0, 200).Select(i => $"t{i % 20}")).Describe("Town", 2, 5)?.Replace("25%", "25 %"));
        Assert.IsNull(Count(1_000, Enumerable.Range(0, 200).Select(i => $"t{i % 20}")).Describe("Town", 2, 100));
        Assert.IsNull(Count(1_000, ["a", "b", "c"]).Describe("Few", 2, 100), "of three rows nothing follows");
        Assert.IsNull(Count(1_000, ["", ""]).Describe("None", 2, 100));
    }
}
