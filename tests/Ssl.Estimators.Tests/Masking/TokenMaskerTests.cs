using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Masking;

[TestClass]
public sealed class TokenMaskerTests
{
    private static readonly TokenVocabulary Vocabulary = new(1000, 0, 1, 2, 3, 4, 5);

    // What is chosen, however it was drawn.
    private static MaskedTokens Apply(TokenMasker masker, TokenBatch batch, Generator generator, bool waits)
    {
        if (waits)
            return masker.Apply(batch, generator);
        var masked = masker.ApplyWithoutWaiting(batch, generator);
        var chosen = masked.Chosen!.nonzero().squeeze(1);
        return new MaskedTokens(masked.Batch, masked.Positions.index_select(0, chosen), masked.Targets.index_select(0, chosen));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void SharesAreBerts(bool waits)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        const int rows = 400, length = 64;
        var batch = TokenTexts.Random(rows, length, Vocabulary, seed: 3, specialTokens: true);
        var masked = Apply(new TokenMasker(Vocabulary), batch, generator, waits);
        long[] before = batch.Ids.reshape(-1).data<long>().ToArray(), after = masked.Batch.Ids.reshape(-1).data<long>().ToArray();
        long[] positions = masked.Positions.data<long>().ToArray(), targets = masked.Targets.data<long>().ToArray();
        var chosen = positions.ToHashSet();

        int plain = before.Count(id => id >= Vocabulary.SpecialCount);
        int hidden = positions.Count(p => after[p] == Vocabulary.MaskId);
        int kept = positions.Count(p => after[p] == before[p]);
        int random = positions.Length - hidden - kept;
        // Four standard deviations of a binomial count.
        AssertShare(0.15, positions.Length, plain);
        AssertShare(0.8, hidden, positions.Length);
        AssertShare(0.1, kept, positions.Length);
        AssertShare(0.1, random, positions.Length);

        for (int i = 0; i < positions.Length; i++)
        {
            Assert.AreEqual(before[positions[i]], targets[i]);
            Assert.IsTrue(targets[i] >= Vocabulary.SpecialCount, "a special token was chosen");
            Assert.IsTrue(after[positions[i]] == Vocabulary.MaskId || after[positions[i]] >= Vocabulary.SpecialCount);
        }
        for (int p = 0; p < before.Length; p++)
            Assert.IsTrue(chosen.Contains(p) || before[p] == after[p], "a token that was not chosen has changed");
    }

    [TestMethod]
    public void RandomTokensComeFromTheWholeVocabulary()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var batch = TokenTexts.Random(200, 64, Vocabulary, seed: 3, specialTokens: false);
        var masked = new TokenMasker(Vocabulary, 0.9, maskShare: 0, randomShare: 1).Apply(batch, generator);
        long[] ids = masked.Batch.Ids.reshape(-1).index_select(0, masked.Positions).data<long>().ToArray();
        Assert.IsTrue(ids.Min() >= Vocabulary.SpecialCount && ids.Max() < Vocabulary.Size);
        Assert.IsTrue(ids.Distinct().Count() > 0.95 * (Vocabulary.Size - Vocabulary.SpecialCount));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void ABatchNeverGoesWithoutAChosenToken(bool waits)
    {
        using var generator = new Generator(1);
        var masker = new TokenMasker(Vocabulary, 0.001);
        for (int i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            var masked = Apply(masker, TokenTexts.Of([[2, 17, 3]]), generator, waits);
            Assert.AreEqual(1, masked.Positions.numel());
            Assert.AreEqual(1, masked.Positions.item<long>());
            Assert.AreEqual(17, masked.Targets.item<long>());
        }
    }

    [TestMethod]
    public void WithoutWaitingTheNumberOfPlacesIsThatOfTheShape()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var texts = TokenTexts.Random(40, 30, Vocabulary, seed: 3, specialTokens: true);
        var masker = new TokenMasker(Vocabulary);
        for (int i = 0; i < 20; i++)
        {
            var masked = masker.ApplyWithoutWaiting(texts, generator);
            // 1,200 places: 180 are hit in the mean, with a deviation of 12.4.
            Assert.AreEqual(256, masked.Positions.shape[0]);
            Assert.IsLessThan(256, masked.Chosen!.sum().item<long>(), "no chosen one is left out");
            Assert.AreEqual(256, masked.Positions.data<long>().Distinct().Count());
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void ABatchOfSpecialTokensHasNothingToChoose(bool waits)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var masked = Apply(new TokenMasker(Vocabulary), TokenTexts.Of([[2, 1, 3]]), generator, waits);
        Assert.AreEqual(0, masked.Positions.numel());
        CollectionAssert.AreEqual(new long[] { 2, 1, 3 }, masked.Batch.Ids.reshape(-1).data<long>().ToArray());
    }

    [TestMethod]
    public void MasksFollowTheGeneratorAlone()
    {
        using var scope = NewDisposeScope();
        var batch = TokenTexts.Random(20, 30, Vocabulary, seed: 3, specialTokens: true);
        var masker = new TokenMasker(Vocabulary);
        Tensor Draw(ulong seed)
        {
            using var generator = new Generator(seed);
            return masker.Apply(batch, generator).Batch.Ids;
        }
        Assert.IsTrue(Draw(5).equal(Draw(5)).all().item<bool>());
        Assert.IsFalse(Draw(5).equal(Draw(6)).all().item<bool>());
    }

    [TestMethod]
    public void FaultyOptionsAreNamedTogether()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => new TokenMasker(Vocabulary, 0, 0.8, 0.4));
        StringAssert.Contains(fault.Message, "maskRatio must be greater than 0 and less than 1, got 0.");
        StringAssert.Contains(fault.Message, "randomShare must be at most 1 together with maskShare 0.8, got 0.4.");
    }

    private static void AssertShare(double expected, int count, int total)
    {
        double deviation = Math.Sqrt(expected * (1 - expected) / total);
        Assert.AreEqual(expected, (double)count / total, 4 * deviation);
    }
}
