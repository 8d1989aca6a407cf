using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Text;

[TestClass]
public sealed class WordFeaturesTests
{
    private static int[][] Of(string text)
    {
        var units = new List<TextUnit>();
        TextUnits.Cut(text, UnitKind.Words, units);
        return [.. WordFeatures.Of(text, units).Chunk(WordFeatures.Count)];
    }

    [TestMethod]
    [DataRow("Paris", "Xxxx")]
    [DataRow("USA", "XXX")]
    [DataRow("$1,250.50", "$d,ddd.dd")]
    [DataRow("1234567", "ddd")]
    [DataRow("McDonald's", "XxXxxx'x")]
    [DataRow("\u00c9cole", "Xxxx")]
    public void A_shape_tells_capitals_digits_and_marks(string word, string shape) => Assert.AreEqual(shape, WordFeatures.Shape(word));

    [TestMethod]
    public void A_word_has_the_same_features_in_the_same_neighborhood_and_others_elsewhere()
    {
        int[][] here = Of("we met Ann in Oslo today"), there = Of("so we met Ann in Oslo today again");
        CollectionAssert.AreEqual(here[2], there[3], "two neighbors on each side are the same");
        int[][] other = Of("we met Bob in Oslo today");
        // Of "in": the word before it has four other features, everything else is the same.
        var differing = here[3].Zip(other[3]).Count(pair => pair.First != pair.Second);
        Assert.AreEqual(2 + 1, differing, "word, beginning and end differ; both have the shape Xxx");
        Assert.AreEqual(0, here[2].Intersect(here[3]).Count(), "the same word at another place is another feature");
        Assert.IsTrue(here.SelectMany(features => features).All(feature => feature is > 0 and < WordFeatures.Size));
    }

    [TestMethod]
    public void Case_counts_in_shape_and_affixes_but_not_in_the_word()
    {
        int[] lower = Of("paris")[0], upper = Of("Paris")[0];
        Assert.AreEqual(2, lower.Zip(upper).Count(pair => pair.First != pair.Second), "shape and beginning");
    }

    // A saved model has weights by these numbers.
    [TestMethod]
    public void The_numbers_stay_the_same_for_good()
        => Assert.AreEqual("39965 49066 21484 46610 37707 45384 36080 3314 2488 53742 14597 40332 20347 11353 48714 19314 20939 60873 55363 49257", string.Join(" ", Of("On 5 May")[1]));
}
