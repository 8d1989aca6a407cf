using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>The padded and the flat form of texts say the same.</summary>
[TestClass]
public sealed class TokenRowsTests
{
    // 0 to 4 are special; the third text has nothing else, the fifth is padded most.
    private static readonly int[][] s_texts = [[7, 1, 9, 9], [5], [1, 1], [1, 6, 1, 1, 1, 8, 11], [10]];

    [TestMethod]
    public void BagsHoldTheTokensThatCount()
    {
        using var scope = NewDisposeScope();
        var (tokens, offsets) = Rows().ToBags(specialCount: 5);
        CollectionAssert.AreEqual(new long[] { 7, 9, 9, 5, 1, 1, 6, 8, 11, 10 }, tokens.data<long>().ToArray());
        CollectionAssert.AreEqual(new long[] { 0, 3, 4, 6, 9 }, offsets.data<long>().ToArray());
    }

    [TestMethod]
    public void ABagEncoderEmbedsBothFormsAlike()
    {
        var vocabulary = new TokenVocabulary(12, PaddingId: 0, UnknownId: 1, ClassId: 2, SeparatorId: 3, MaskId: 4, SpecialCount: 5);
        using var streams = new RandomStreams(3);
        using var encoder = (BagTextEncoder)TextEncoders.Bag(embeddingDimension: 6, tokenDimension: 8, hiddenDimension: 10)
            .Create(vocabulary, streams);
        encoder.eval();
        using var scope = NewDisposeScope();
        var (tokens, offsets) = Rows().ToBags(vocabulary.SpecialCount);
        var flat = encoder.EncodeBags(tokens, offsets);
        var padded = encoder.call(Rows().ToBatch([0, 1, 2, 3, 4]));
        Assert.AreEqual(0f, (flat - padded).abs().max().item<float>());
    }

    private static TokenRows Rows()
    {
        var rows = new TokenRows(paddingId: 0);
        foreach (var text in s_texts)
            rows.Add(text.AsSpan());
        return rows;
    }
}
