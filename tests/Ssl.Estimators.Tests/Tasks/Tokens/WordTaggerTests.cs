using Ssl.Estimators.Data;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks.Tokens;

[TestClass]
public sealed class WordTaggerTests
{
    private static readonly string[] s_small = ["river", "stone", "cloud", "paper", "light", "green"];

    private readonly List<string> _said = [];

    // Names begin with a capital, whatever the word is.
    private static List<(int[] Features, int[] Tags)> Texts(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int[] tags = [.. Enumerable.Range(0, 6).Select(_ => random.Next(3) == 0 ? 1 : 0)];
            var text = string.Join(' ', tags.Select(tag => s_small[random.Next(s_small.Length)] is var word && tag == 1 ? char.ToUpperInvariant(word[0]) + word[1..] : word));
            var units = new List<TextUnit>();
            TextUnits.Cut(text, UnitKind.Words, units);
            return (WordFeatures.Of(text, units), tags);
        })];
    }

    private WordTags Fit(IEnumerable<(int[] Features, int[] Tags)> texts, int seed = 1, CancellationToken cancellationToken = default)
    {
        var tagger = new WordTagger(3);
        var expected = 1;
        foreach (var (features, tags) in texts)
        {
            Assert.AreEqual(expected, tagger.Add(features, tags));
            expected += tags.Length;
            Assert.AreEqual(expected - 1, tagger.Count);
        }
        return tagger.Fit(new Random(seed), _said.Add, cancellationToken);
    }

    [TestMethod]
    public void What_letters_tell_is_told_of_other_texts()
    {
        using var scope = NewDisposeScope();
        var learned = Fit(Texts(40, seed: 1));
        using var table = learned.Table;
        var weights = table.Weight.data<float>().ToArray();
        var (right, count) = (0, 0);
        foreach (var (features, tags) in Texts(20, seed: 2))
        {
            for (var word = 0; word < tags.Length; word++, count++)
            {
                // Row 0 is of every word.
                var scores = Enumerable.Range(0, 3).Select(tag => weights[tag]
                    + features.AsSpan(word * WordFeatures.Count, WordFeatures.Count).ToArray().Sum(feature => weights[feature * 3 + tag])).ToArray();
                right += Array.IndexOf(scores, scores.Max()) == tags[word] ? 1 : 0;
            }
        }
        Assert.IsGreaterThan(0.95, right / (double)count);
        // Of the third tag there is no word: that stands with what every word has.
        Assert.IsLessThan(Math.Min(weights[0], weights[1]) - 0.5f, weights[2]);
        Assert.Contains("log-loss", Assert.ContainsSingle(_said));
        Assert.IsFalse(table.Weight.requires_grad);
    }

    /// <summary>
    /// Tags by the throw of a coin: who saw a text knows them by its neighbors, who did not is as good as a coin. What is said of a text is said by
    /// models that did not see it, and a text's words are all in one fold.
    /// </summary>
    [TestMethod]
    public void Scores_are_of_models_that_did_not_see_the_text()
    {
        using var scope = NewDisposeScope();
        var random = new Random(3);
        var texts = Texts(30, seed: 4).ConvertAll(text => (text.Features, Tags: Array.ConvertAll(text.Tags, _ => random.Next(2))));
        var learned = Fit(texts);
        using var table = learned.Table;
        var scores = learned.Scores.data<float>().ToArray();
        int[] tags = [.. texts.SelectMany(text => text.Tags)];
        Assert.HasCount(3 * (1 + tags.Length), scores);
        CollectionAssert.AreEqual(new float[3], scores[..3], "the row of what is no word");
        var right = tags.Select((tag, word) => scores[3 * (word + 1) + tag] > scores[3 * (word + 1) + 1 - tag] ? 1.0 : 0).Average();
        Assert.IsLessThan(0.65, right);
    }

    [TestMethod]
    public void Of_one_text_or_canceled_nothing_is_learned()
    {
        using var scope = NewDisposeScope();
        foreach (var learned in new[] { Fit(Texts(1, seed: 1)), Fit(Texts(5, seed: 1), cancellationToken: new CancellationToken(canceled: true)), Fit([]) })
        {
            using var table = learned.Table;
            Assert.AreEqual(0, table.Weight.abs().max().item<float>());
            Assert.AreEqual(0, learned.Scores.abs().max().item<float>());
        }
        Assert.IsEmpty(_said);
    }

    [TestMethod]
    public void The_same_seed_deals_the_same_folds()
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = (Fit(Texts(12, seed: 5)), Fit(Texts(12, seed: 5)), Fit(Texts(12, seed: 5), seed: 2));
        CollectionAssert.AreEqual(a.Scores.data<float>().ToArray(), b.Scores.data<float>().ToArray());
        CollectionAssert.AreNotEqual(a.Scores.data<float>().ToArray(), c.Scores.data<float>().ToArray());
        a.Table.Dispose();
        b.Table.Dispose();
        c.Table.Dispose();
    }
}
