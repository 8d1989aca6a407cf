using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data;

[TestClass]
public sealed class TextNormalizationTests
{
    private static readonly string[] Corpus =
    [
        "the café in Ångström street", "the café opens at nine", "a naïve résumé for the café", "ABC 123 example of the office file",
        "example office file ABC 123", "한국어 café", "हिन्दी में लिखा हुआ", "हिन्दी लिखा",
    ];

    private static WordPieceTokenizer Train(TextNormalization form = TextNormalization.Nfkc)
        => WordPieceTokenizer.Train(Corpus, new WordPieceTokenizer.Options { VocabularySize = 400, MinimumCount = 1, Normalization = form });

    // What Python's unicodedata says (tests/scripts/normalized_texts.py): .NET itself does not know where it runs without ICU.
    [TestMethod]
    public void TheFormsAreThoseOfUnicode()
    {
        var lines = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "normalized_texts.txt")).Where(line => line[0] != '#').ToArray();
        Assert.HasCount(1199, lines);
        foreach (var line in lines)
        {
            string[] texts = [.. line.Split("; ").Select(codes => string.Concat(codes.Split(' ')
                .Select(code => new Rune(int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString())))];
            Assert.AreEqual(texts[1], TextNormalizer.Normalize(texts[0], TextNormalization.Nfc).ToString(), line);
            Assert.AreEqual(texts[2], TextNormalizer.Normalize(texts[0], TextNormalization.Nfkc).ToString(), line);
            Assert.AreEqual(texts[0], TextNormalizer.Normalize(texts[0], TextNormalization.None).ToString());
            // Once normalized, nothing changes any more, and what stands around changes nothing.
            Assert.AreEqual(texts[2], TextNormalizer.Normalize(texts[2], TextNormalization.Nfkc).ToString(), line);
            Assert.AreEqual($"é x {texts[2]} x", TextNormalizer.Normalize($"e\u0301 x {texts[0]} x", TextNormalization.Nfkc).ToString(), line);
        }
    }

    [TestMethod]
    [DataRow("cafe\u0301", "café")]
    [DataRow("A\u030Angstro\u0308m", "Ångström")]
    [DataRow("\u1112\u1161\u11AB\u1100\u116E\u11A8\u110B\u1165", "한국어")]
    [DataRow("exam\u00ADple", "example")]
    [DataRow("exam\u200Bple of\u200D the\u2060 fi\uFEFFle", "example of the file")]
    [DataRow("\uFEFFexample\uFE0F", "example")]
    [DataRow("\u202Bexample\u202C\u200E", "example")]
    [DataRow("the\u00A0café\u2003opens", "the café opens")]
    public void WhatLooksTheSameHasTheSameTokensInBothForms(string text, string common)
    {
        foreach (var form in new[] { TextNormalization.Nfc, TextNormalization.Nfkc })
        {
            var tokenizer = Train(form);
            CollectionAssert.AreEqual(tokenizer.Encode(common), tokenizer.Encode(text), form.ToString());
            Assert.DoesNotContain(tokenizer.Vocabulary.UnknownId, tokenizer.Encode(text));
            Assert.AreEqual(tokenizer.Normalize(common), tokenizer.Normalize(text));
        }
    }

    [TestMethod]
    [DataRow("ＡＢＣ　１２３", "ABC 123")]
    [DataRow("o\uFB03ce \uFB01le", "office file")]
    public void CompatibleCharactersAreTheSameInOneForm(string text, string common)
    {
        CollectionAssert.AreEqual(Train().Encode(common), Train().Encode(text));
        CollectionAssert.AreNotEqual(Train(TextNormalization.Nfc).Encode(common), Train(TextNormalization.Nfc).Encode(text));
    }

    [TestMethod]
    public void WithoutNormalizationCodePointsCountAsTheyStand()
    {
        var tokenizer = Train(TextNormalization.None);
        CollectionAssert.AreNotEqual(tokenizer.Encode("café"), tokenizer.Encode("cafe\u0301"));
        CollectionAssert.AreNotEqual(tokenizer.Encode("example"), tokenizer.Encode("exam\u00ADple"));
    }

    [TestMethod]
    public void ACorpusInEitherFormGivesTheSameVocabulary()
    {
        var options = new WordPieceTokenizer.Options { VocabularySize = 400, MinimumCount = 1 };
        string[] apart = [.. Corpus.Select(text => text.Replace("é", "e\u0301", StringComparison.Ordinal).Replace("ABC", "ＡＢＣ", StringComparison.Ordinal))];
        CollectionAssert.AreEqual(WordPieceTokenizer.Train(Corpus, options).Tokens.ToArray(), WordPieceTokenizer.Train(apart, options).Tokens.ToArray());
    }

    [TestMethod]
    public void RequiredWordsAreNormalizedToo()
    {
        var tokenizer = WordPieceTokenizer.Train(Corpus, new WordPieceTokenizer.Options { VocabularySize = 60, RequiredWords = ["Re\u0301sume\u0301", "ﬁne"] });
        Assert.HasCount(1, tokenizer.Encode("résumé"));
        Assert.HasCount(1, tokenizer.Encode("fine"));
        Assert.IsTrue(tokenizer.TryGetId("RÉSUMÉ", out var id) && tokenizer.Tokens[id] == "résumé");
    }

    // Vowel signs are marks, not letters: without continuations of them no new word of such a script could be spelled.
    [TestMethod]
    public void VowelSignsAndAccentsCanBeSpelledInNewWords()
    {
        var tokenizer = Train();
        foreach (var word in new[] { "लिदी", "हिखी" })
            Assert.DoesNotContain(tokenizer.Vocabulary.UnknownId, tokenizer.Encode(word), word);
    }

    [TestMethod]
    public void TheFormIsSavedAndFilesWithoutOneKeepTheirIds()
    {
        foreach (var form in Enum.GetValues<TextNormalization>())
        {
            var tokenizer = Train(form);
            using var stream = new MemoryStream();
            tokenizer.Save(stream);
            stream.Position = 0;
            var loaded = WordPieceTokenizer.Load(stream);
            foreach (var text in Corpus.Append("cafe\u0301 ＡＢＣ exam\u00ADple"))
                CollectionAssert.AreEqual(tokenizer.Encode(text), loaded.Encode(text), form.ToString());
        }
        var former = WordPieceTokenizer.FromJson(JsonNode.Parse("""
            {"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","café","exam","ple","a","##a","example"]}
            """)!.AsObject());
        CollectionAssert.AreEqual(new[] { 5, 6, 7 }, former.Encode("café exam\u00ADple"));
        CollectionAssert.AreEqual(new[] { 1, 10 }, former.Encode("cafe\u0301 example"));
        CollectionAssert.AreEqual(new[] { 1 }, former.Encode(new string('a', 101)));
        CollectionAssert.AreEqual(new[] { 8, 9 }, former.Encode("aa"));
        CollectionAssert.AreEqual(new[] { 1 }, former.Encode("axa"));
        // Halves of surrogate pairs, as earlier versions wrote them: one token twice, which no text can have.
        var halves = WordPieceTokenizer.FromJson(JsonNode.Parse("""
            {"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]","\uFFFD","a","\uFFFD"]}
            """)!.AsObject());
        CollectionAssert.AreEqual(new[] { 6 }, halves.Encode("a"));
        Assert.AreEqual(8, halves.VocabularySize);
        var fault = Assert.ThrowsExactly<FormatException>(() => WordPieceTokenizer.FromJson(JsonNode.Parse("""
            {"type":"wordpiece","lowerCase":true,"splitCamelCase":true,"normalization":"Nfx","tokens":["[PAD]","[UNK]","[CLS]","[SEP]","[MASK]"]}
            """)!.AsObject()));
        StringAssert.Contains(fault.Message, "\"Nfx\"");
        StringAssert.Contains(fault.Message, "Nfkc, Nfc, None");
    }

    // A long text is normalized part by part: as if it had been done at once.
    [TestMethod]
    public void LongTextsAreNormalizedAsShortOnes()
    {
        var tokenizer = Train();
        var text = string.Join(' ', Enumerable.Range(0, 800).Select(i => i % 3 == 0 ? "cafe\u0301" : i % 3 == 1 ? "ＡＢＣ" : "exam\u00ADple"));
        var expected = Enumerable.Range(0, 800).SelectMany(i => tokenizer.Encode(i % 3 == 0 ? "café" : i % 3 == 1 ? "abc" : "example")).ToArray();
        CollectionAssert.AreEqual(expected, tokenizer.Encode(text));
        CollectionAssert.AreEqual(expected[..500], tokenizer.Encode(text, 500));
    }

    [TestMethod]
    public void ManyAccentsBehindEachOtherAreSortedInAnInstant()
    {
        var text = "e" + string.Concat(Enumerable.Repeat("\u0301\u0323", 100_000));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var expected = "ẹ" + new string('\u0323', 99_999) + new string('\u0301', 100_000);
        Assert.IsTrue(expected == TextNormalizer.Normalize(text, TextNormalization.Nfkc).ToString());
        Assert.IsLessThan(5, watch.Elapsed.TotalSeconds);
    }

    [TestMethod]
    public void AnUnknownFormIsRefused()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => WordPieceTokenizer.Train(Corpus,
            new WordPieceTokenizer.Options { Normalization = (TextNormalization)7 }));
        StringAssert.Contains(fault.Message, "Normalization must be one of Nfkc, Nfc, None, got 7.");
    }
}
