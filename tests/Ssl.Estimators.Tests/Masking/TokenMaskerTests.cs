using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Masking;

[TestClass]
public sealed class TokenMaskerTests
{
    private static readonly TokenVocabulary Vocabulary = new(1000, 0, 1, 2, 3, 4, 5);

    [TestMethod]
    public void SharesAreBerts()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        const int rows = 400, length = 64;
        var batch = TokenTexts.Random(rows, length, Vocabulary, seed: 3, specialTokens: true);
        var masked = new TokenMasker(Vocabulary).Apply(batch, generator);
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
    public void ABatchNeverGoesWithoutAChosenToken()
    {
        using var generator = new Generator(1);
        var masker = new TokenMasker(Vocabulary, 0.001);
        for (int i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            var masked = masker.Apply(TokenTexts.Of([[2, 17, 3]]), generator);
            Assert.AreEqual(1, masked.Positions.numel());
            Assert.AreEqual(1, masked.Positions.item<long>());
            Assert.AreEqual(17, masked.Targets.item<long>());
        }
    }

    [TestMethod]
    public void ABatchOfSpecialTokensHasNothingToChoose()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var masked = new TokenMasker(Vocabulary).Apply(TokenTexts.Of([[2, 1, 3]]), generator);
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
