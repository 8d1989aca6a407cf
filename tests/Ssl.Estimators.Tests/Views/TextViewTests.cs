using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

[TestClass]
public sealed class TextViewTests
{
    private static readonly TokenVocabulary Vocabulary = new(200, 0, 1, 2, 3, 4, 5);

    private static readonly Dictionary<int, int[]> Synonyms = new() { [10] = [11, 12, 13], [20] = [21] };

    private static IEnumerable<(string Name, TextView View)> All()
    {
        yield return ("deletion", new TokenDeletion(Vocabulary, 0.5));
        yield return ("masking", new TokenMasking(Vocabulary, 0.5));
        yield return ("crop", new SpanCrop(Vocabulary, 0.2, 0.7));
        yield return ("sentences", new SentenceReordering(Vocabulary, [6]));
        yield return ("synonyms", new SynonymReplacement(Vocabulary, Synonyms, 0.9));
        yield return ("weak", TextViews.Weak(Vocabulary));
        yield return ("strong", TextViews.Strong(Vocabulary));
    }

    [TestMethod]
    public void EveryViewKeepsSpecialTokensAndSomethingOfEveryText()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        foreach (bool specialTokens in (bool[])[false, true])
        {
            var batch = TokenTexts.Random(200, 12, Vocabulary, seed: 1, specialTokens);
            foreach (var (name, view) in All())
            {
                var result = view.Apply(batch, generator).Texts();
                Assert.HasCount(200, result, name);
                foreach (long[] text in result)
                {
                    Assert.IsTrue(text.Any(id => id >= Vocabulary.SpecialCount), $"{name} left nothing of a text");
                    if (specialTokens)
                    {
                        Assert.AreEqual(Vocabulary.ClassId, text[0], name);
                        Assert.AreEqual(Vocabulary.SeparatorId, text[^1], name);
                    }
                }
            }
        }
    }

    [TestMethod]
    public void EveryViewDrawsForEachTextAndFollowsItsGeneratorAlone()
    {
        using var scope = NewDisposeScope();
        // The same text many times: sentences of two tokens, with tokens that have synonyms.
        var batch = TokenTexts.Of([.. Enumerable.Repeat<long[]>([2, 10, 6, 20, 6, 30, 6, 40, 6, 50, 6, 3], 50)]);
        foreach (var (name, view) in All())
        {
            long[][] Draw(ulong seed)
            {
                using var generator = new Generator(seed);
                return view.Apply(batch, generator).Texts();
            }
            string[] texts = [.. Draw(1).Select(text => string.Join(' ', text))];
            Assert.IsTrue(texts.Distinct().Count() > 3, $"{name} draws once a batch");
            CollectionAssert.AreEqual(texts, Draw(1).Select(text => string.Join(' ', text)).ToArray(), name);
            CollectionAssert.AreNotEqual(texts, Draw(2).Select(text => string.Join(' ', text)).ToArray(), name);
        }
    }

    [TestMethod]
    public void TheInputStaysAsItIs()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var batch = TokenTexts.Random(30, 12, Vocabulary, seed: 1, specialTokens: true);
        long[] ids = batch.Ids.data<long>().ToArray();
        foreach (var (name, view) in All())
        {
            using (var result = view.Apply(batch, generator))
                Assert.AreEqual(batch.Count, result.Count);
            CollectionAssert.AreEqual(ids, batch.Ids.data<long>().ToArray(), name);
        }
    }

    [TestMethod]
    public void DeletionDeletesItsShareAndKeepsTheOrder()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var batch = TokenTexts.Of([.. Enumerable.Repeat<long[]>([.. Enumerable.Range(5, 100).Select(id => (long)id)], 200)]);
        var texts = new TokenDeletion(Vocabulary, 0.3).Apply(batch, generator).Texts();
        Assert.AreEqual(0.7, texts.Average(text => text.Length) / 100, 0.02);
        foreach (long[] text in texts)
            CollectionAssert.AreEqual(text.Order().ToArray(), text);
    }

    [TestMethod]
    public void MaskingMasksItsShareInPlace()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        long[] original = [.. Enumerable.Range(5, 100).Select(id => (long)id)];
        var texts = new TokenMasking(Vocabulary, 0.3).Apply(TokenTexts.Of([.. Enumerable.Repeat(original, 200)]), generator).Texts();
        Assert.AreEqual(0.3, texts.Average(text => text.Count(id => id == Vocabulary.MaskId)) / 100, 0.02);
        foreach (long[] text in texts)
            Assert.IsTrue(text.Select((id, i) => id == Vocabulary.MaskId || id == original[i]).All(same => same));
    }

    [TestMethod]
    public void CropKeepsOneRunOfTheStatedLength()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        long[] original = [2, .. Enumerable.Range(5, 100).Select(id => (long)id), 3];
        var texts = new SpanCrop(Vocabulary, 0.4, 0.8).Apply(TokenTexts.Of([.. Enumerable.Repeat(original, 300)]), generator).Texts();
        long[][] runs = [.. texts.Select(text => text[1..^1])];
        foreach (long[] run in runs)
        {
            Assert.IsTrue(run.Length is >= 40 and <= 81, $"{run.Length} tokens");
            CollectionAssert.AreEqual(Enumerable.Range(0, run.Length).Select(i => run[0] + i).ToArray(), run);
        }
        Assert.AreEqual(60, runs.Average(run => run.Length), 2);
        Assert.IsTrue(runs.Any(run => run[0] < 15) && runs.Any(run => run[^1] > 95), "the run does not move");
    }

    [TestMethod]
    public void SentencesMoveAsAWhole()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        // Three sentences ended by 6, the last without an end.
        var texts = new SentenceReordering(Vocabulary, [6]).Apply(
            TokenTexts.Of([.. Enumerable.Repeat<long[]>([2, 10, 11, 6, 20, 6, 30, 31, 32, 3], 200), [2, 10, 3]]), generator).Texts();
        string[] orders = [.. texts[..^1].Select(text => string.Join(' ', text)).Distinct()];
        Assert.HasCount(6, orders);
        foreach (string order in orders)
        {
            StringAssert.Contains(order, "10 11 6");
            StringAssert.Contains(order, "20 6");
            StringAssert.Contains(order, "30 31 32");
        }
    }

    [TestMethod]
    public void SynonymsReplaceTheirShareAndNothingElse()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var texts = new SynonymReplacement(Vocabulary, Synonyms, 0.6).Apply(
            TokenTexts.Of([.. Enumerable.Repeat<long[]>([10, 20, 30], 3000)]), generator).Texts();
        Assert.AreEqual(0.6, texts.Average(text => text[0] == 10 ? 0.0 : 1), 0.04);
        foreach (int synonym in Synonyms[10])
            Assert.AreEqual(0.2, texts.Average(text => text[0] == synonym ? 1.0 : 0), 0.03);
        Assert.AreEqual(0.6, texts.Average(text => text[1] == 21 ? 1.0 : 0), 0.04);
        Assert.IsTrue(texts.All(text => text[2] == 30 && text[1] is 20 or 21));
    }

    [TestMethod]
    public void AViewOfTheUsersOwnComposesWithOurs()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var view = TextViews.Compose(new Reversed(), new TokenMasking(Vocabulary, 0));
        CollectionAssert.AreEqual(new long[] { 7, 6, 5 }, view.Apply(TokenTexts.Of([[5, 6, 7]]), generator).Texts()[0]);
        Assert.Throws<ArgumentException>(() => TextViews.Compose());
    }

    [TestMethod]
    public void WrongOptionsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenDeletion(Vocabulary, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenMasking(Vocabulary, -0.1));
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => new SpanCrop(Vocabulary, 0, 1.5));
        StringAssert.Contains(fault.Message, "minimumShare");
        StringAssert.Contains(fault.Message, "maximumShare");
        Assert.Throws<ArgumentOutOfRangeException>(() => new SentenceReordering(Vocabulary, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SentenceReordering(Vocabulary, [3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SynonymReplacement(Vocabulary, new Dictionary<int, int[]>()));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SynonymReplacement(Vocabulary, new Dictionary<int, int[]> { [7] = [900] }));
    }

    private sealed class Reversed : TextView
    {
        public override TokenBatch Apply(TokenBatch batch, Generator generator) => new(batch.Ids.flip(1), batch.Mask.flip(1));
    }
}
