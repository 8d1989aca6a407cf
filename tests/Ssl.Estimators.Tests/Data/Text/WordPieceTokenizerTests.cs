using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data;

[TestClass]
public sealed class WordPieceTokenizerTests
{
    private static readonly string[] Corpus =
    [
        "The reader reads all lines of the file.", "Reading a file: the reader opens the file, reads it, and closes it.",
        "Writers write; readers read. Lower, lowest, low!", "The lowest writer of the newest file is the slowest.",
        "utf8 and utf16 are encodings, 2026 is a year", "newer newest slow slower slowest",
    ];

    private static WordPieceTokenizer Train(int size = 300, int minimumCount = 1, bool lowerCase = true, params string[] required)
        => WordPieceTokenizer.Train(Corpus, new WordPieceTokenizer.Options
        {
            VocabularySize = size,
            MinimumCount = minimumCount,
            LowerCase = lowerCase,
            RequiredWords = required,
        });

    [TestMethod]
    public void SpecialTokensComeFirst()
    {
        var tokenizer = Train();
        CollectionAssert.AreEqual(new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }, tokenizer.Tokens.Take(5).ToArray());
        var vocabulary = tokenizer.Vocabulary;
        Assert.AreEqual((0, 1, 2, 3, 4, 5), (vocabulary.PaddingId, vocabulary.UnknownId, vocabulary.ClassId, vocabulary.SeparatorId,
            vocabulary.MaskId, vocabulary.SpecialCount));
        Assert.AreEqual(tokenizer.VocabularySize, vocabulary.Size);
        Assert.HasCount(tokenizer.VocabularySize, tokenizer.Tokens.Distinct().ToArray());
    }

    [TestMethod]
    [DataRow(300)]
    [DataRow(200)]
    [DataRow(150)]
    public void TextComesBackFromItsIds(int size)
    {
        var tokenizer = Train(size);
        Assert.IsTrue(tokenizer.VocabularySize <= size);
        foreach (string text in Corpus.Append("Slow readers lower the newest low file 2016!"))
        {
            int[] ids = tokenizer.Encode(text);
            Assert.DoesNotContain(tokenizer.Vocabulary.UnknownId, ids);
            Assert.AreEqual(tokenizer.Normalize(text), tokenizer.Decode(ids));
            CollectionAssert.AreEqual(ids, tokenizer.Encode(tokenizer.Decode(ids)));
        }
    }

    [TestMethod]
    public void NewWordsAreSpelledFromTheLongestPieces()
    {
        var tokenizer = Train(300);
        string[] pieces = [.. tokenizer.Encode("unreadlowest").Select(id => tokenizer.Tokens[id])];
        Assert.IsTrue(pieces.Length > 1);
        Assert.IsFalse(pieces[0].StartsWith("##", StringComparison.Ordinal));
        Assert.IsTrue(pieces[1..].All(piece => piece.StartsWith("##", StringComparison.Ordinal)));
        // Greedy: no longer known piece would have fitted anywhere.
        int start = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            int length = pieces[i].Replace("##", "", StringComparison.Ordinal).Length;
            for (int longer = length + 1; start + longer <= "unreadlowest".Length; longer++)
                Assert.DoesNotContain((i > 0 ? "##" : "") + "unreadlowest".Substring(start, longer), tokenizer.Tokens);
            start += length;
        }
    }

    [TestMethod]
    public void PiecesAreLearnedByMergingTheMostFrequentNeighbors()
    {
        // Every word counts once: ##a ##b occurs in three words, x ##a in two.
        var merges = new PairMerges(["xab", "xabc", "yab"], minimumCount: 2);
        Assert.AreEqual("##ab", merges.Next());
        Assert.AreEqual("xab", merges.Next());
        Assert.IsNull(merges.Next());
        Assert.AreEqual("##aa", new PairMerges(["baaaa"], minimumCount: 1).Next());
    }

    [TestMethod]
    public void WhatTheVocabularyCannotSpellIsUnknown()
    {
        var tokenizer = Train();
        CollectionAssert.AreEqual(new[] { tokenizer.Vocabulary.UnknownId }, tokenizer.Encode("日"));
        Assert.AreEqual("the [UNK] file", tokenizer.Decode(tokenizer.Encode("the ☃ file")));
    }

    [TestMethod]
    public void WordsAreCutAsDocumented()
    {
        var tokenizer = Train();
        Assert.AreEqual("read all lines xml reader utf 8 don ' t 中 文 😀",
            tokenizer.Normalize("ReadAllLines XMLReader utf8\tdon't\n中文😀\u0000 "));
        Assert.AreEqual("read naïve caf\u0301e r2d 2 x 中", tokenizer.Normalize("read naïve caf\u0301e r2d2x中").Replace("r 2 d", "r2d"));
        var cased = WordPieceTokenizer.Train(Corpus, new WordPieceTokenizer.Options { LowerCase = false, SplitCamelCase = false });
        Assert.AreEqual("ReadAllLines Ünïcode", cased.Normalize("ReadAllLines  Ünïcode"));
    }

    [TestMethod]
    public void LongTextsAreCutAndSpecialTokensCounted()
    {
        var tokenizer = Train();
        string text = string.Join(' ', Corpus);
        for (int most = 3; most < 20; most++)
        {
            int[] ids = tokenizer.Encode(text, most, addSpecialTokens: true);
            Assert.HasCount(most, ids);
            Assert.AreEqual(tokenizer.Vocabulary.ClassId, ids[0]);
            Assert.AreEqual(tokenizer.Vocabulary.SeparatorId, ids[^1]);
            CollectionAssert.AreEqual(ids[1..^1], tokenizer.Encode(text, most - 2));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Encode(text, 2, addSpecialTokens: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Encode(text, 0));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow(" \t\r\n\u00A0\u200B")]
    public void EmptyTextsHaveNoTokens(string text)
    {
        var ids = new List<int>();
        Assert.AreEqual(0, Train().Encode(text.AsSpan(), ids, 10, addSpecialTokens: true));
        Assert.IsEmpty(ids);
    }

    [TestMethod]
    public void RequiredWordsAreSingleTokens()
    {
        var tokenizer = Train(80, required: ["gigantic", "Enormous"]);
        Assert.HasCount(1, tokenizer.Encode("gigantic"));
        Assert.HasCount(1, tokenizer.Encode("enormous"));
        Assert.IsTrue(tokenizer.TryGetId("Gigantic", out int id) && tokenizer.Tokens[id] == "gigantic");
        Assert.IsFalse(tokenizer.TryGetId("absent", out _));
    }

    [TestMethod]
    public void ADictionaryOfWordsBecomesIds()
    {
        var tokenizer = Train(80, required: ["big", "gigantic", "enormous"]);
        var ids = tokenizer.ToIds(new Dictionary<string, string[]> { ["Big"] = ["gigantic", "enormous"] });
        var (id, synonyms) = ids.Single();
        Assert.AreEqual("big", tokenizer.Tokens[id]);
        CollectionAssert.AreEqual(new[] { "gigantic", "enormous" }, synonyms.Select(synonym => tokenizer.Tokens[synonym]).ToArray());
        var fault = Assert.Throws<ArgumentOutOfRangeException>(()
            => tokenizer.ToIds(new Dictionary<string, string[]> { ["big"] = ["humongous"] }));
        StringAssert.Contains(fault.Message, "\"humongous\"");
        StringAssert.Contains(fault.Message, "RequiredWords");
    }

    [TestMethod]
    public void RareWordsAreLeftToPieces()
    {
        var tokenizer = Train(300, minimumCount: 2);
        Assert.IsTrue(tokenizer.TryGetId("reader", out _));
        Assert.IsFalse(tokenizer.TryGetId("encodings", out _));
    }

    [TestMethod]
    public void TheSameCorpusGivesTheSameVocabularyInAnyOrder()
        => CollectionAssert.AreEqual(Train(120).Tokens.ToArray(), WordPieceTokenizer.Train(Corpus.Reverse(),
            new WordPieceTokenizer.Options { VocabularySize = 120, MinimumCount = 1 }).Tokens.ToArray());

    [TestMethod]
    public void SavedAndLoadedItEncodesTheSame()
    {
        var tokenizer = Train(120, lowerCase: false);
        using var stream = new MemoryStream();
        tokenizer.Save(stream);
        stream.Position = 0;
        var loaded = WordPieceTokenizer.Load(stream);
        foreach (string text in Corpus.Append("ReadAllLines"))
            CollectionAssert.AreEqual(tokenizer.Encode(text), loaded.Encode(text));
        CollectionAssert.AreEqual(tokenizer.Tokens.ToArray(), loaded.Tokens.ToArray());
    }

    [TestMethod]
    [DataRow("nonsense")]
    [DataRow("[]")]
    [DataRow("{}")]
    [DataRow("""{"type":"other"}""")]
    [DataRow("""{"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["a","b"]}""")]
    [DataRow("""{"type":"wordpiece","lowerCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","a"]}""")]
    [DataRow("""{"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","a","a"]}""")]
    [DataRow("""{"type":"wordpiece","type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","a"]}""")]
    public void SomethingElseIsRefused(string json)
        => Assert.Throws<FormatException>(() => WordPieceTokenizer.Load(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json))));

    [TestMethod]
    public void ADamagedCharacterIsRefusedAndNoOtherToken()
    {
        byte[] json = [.. """{"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","a"""u8, 0xff, .. "\"]}"u8];
        Assert.Throws<FormatException>(() => WordPieceTokenizer.Load(new MemoryStream(json)));
    }

    [TestMethod]
    public void ManyThreadsMayEncodeAtOnce()
    {
        var tokenizer = Train(100);
        string[] texts = [.. Enumerable.Range(0, 2000)
            .Select(i => $"{Corpus[i % Corpus.Length]} reader{(char)('a' + i % 26)}{(char)('a' + i / 26 % 26)}")];
        int[][] expected = [.. texts.Select(text => Train(100).Encode(text)).Take(50)];
        int[][] together = [.. texts.AsParallel().AsOrdered().WithDegreeOfParallelism(8).Select(text => tokenizer.Encode(text))];
        for (int i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], together[i]);
        CollectionAssert.AreEqual(together[^1], tokenizer.Encode(texts[^1]));
    }

    [TestMethod]
    public void FaultyOptionsAreNamedTogether()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => WordPieceTokenizer.Train(Corpus, new WordPieceTokenizer.Options
        {
            VocabularySize = 3,
            MinimumCount = 0,
            RequiredWords = ["e-mail"],
        }));
        StringAssert.Contains(fault.Message, "VocabularySize must be at least 10, got 3.");
        StringAssert.Contains(fault.Message, "MinimumCount must be at least 1, got 0.");
        StringAssert.Contains(fault.Message, "RequiredWords must be single words of letters or of digits, got \"e-mail\".");
    }

    [TestMethod]
    public void IdsOutsideTheVocabularyCannotBeDecoded()
        => Assert.Throws<ArgumentOutOfRangeException>(() => Train().Decode([100_000]));
}
