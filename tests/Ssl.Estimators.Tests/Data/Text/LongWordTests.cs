using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data;

/// <summary>Runs of letters without a space: bases, encoded files, languages that are written so.</summary>
[TestClass]
public sealed class LongWordTests
{
    private static WordPieceTokenizer Train(IEnumerable<string> texts, int size = 300, bool lowerCase = true)
        => WordPieceTokenizer.Train(texts, new WordPieceTokenizer.Options { VocabularySize = size, LowerCase = lowerCase });

    private static string Run(string characters, int length, int seed)
    {
        var random = new Random(seed);
        return string.Concat(Enumerable.Range(0, length).Select(_ => characters[random.Next(characters.Length)]));
    }

    [TestMethod]
    [DataRow("ACGT")]
    [DataRow("กขคงจฉชซฌญดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ")]
    [DataRow("あいうえおかきくけこさしすせそ")]
    [DataRow("कखगघचछजझटठडढ")]
    public void RunsOfAnyLengthAreCutIntoKnownPieces(string letters)
    {
        var tokenizer = Train([.. Enumerable.Range(0, 40).Select(i => Run(letters, 150 + 20 * i, i))]);
        foreach (var length in new[] { 99, 100, 101, 199, 200, 201, 1_000 })
        {
            var text = Run(letters, length, 77 + length);
            var ids = tokenizer.Encode(text);
            Assert.DoesNotContain(tokenizer.Vocabulary.UnknownId, ids, $"{length}");
            Assert.AreEqual(tokenizer.Normalize(text), tokenizer.Decode(ids), "nothing is lost, and it stays one word");
            Assert.IsLessThan(length, ids.Length, "pieces were learned from such runs");
            // Cut at a limit, it begins alike.
            if (ids.Length > 10)
                CollectionAssert.AreEqual(ids[..10], tokenizer.Encode(text, 10));
        }
        CollectionAssert.AreNotEqual(tokenizer.Encode(Run(letters, 500, 1)), tokenizer.Encode(Run(letters, 500, 2)));
    }

    [TestMethod]
    public void LettersKeepTheirVowelSignsWhereARunIsCut()
    {
        // Every letter has a sign, so that a cut at 100 units would fall between the two of one.
        var text = "क" + string.Concat(Enumerable.Repeat("खि", 200));
        var rules = new WordRules(LowerCase: true, SplitCamelCase: true, TextNormalization.Nfkc, KeepsAll: true);
        var words = new WordSplitter(text, rules, new char[WordSplitter.LongestWord]);
        var parts = new List<string>();
        while (words.MoveNext())
            parts.Add(words.Current.ToString());
        Assert.AreEqual(text, string.Concat(parts));
        Assert.IsTrue(parts.All(part => part[0] is 'क' or 'ख'), string.Join(' ', parts.Select(part => part[0])));
        Assert.HasCount(5, parts);
    }

    [TestMethod]
    public void LongNumbersAndEncodedFilesAreCutToo()
    {
        var tokenizer = Train([.. Enumerable.Range(0, 40).Select(i => Convert.ToBase64String([.. Run("abcdefghij", 400, i).Select(c => (byte)c)])),
            .. Enumerable.Range(0, 20).Select(i => Run("0123456789", 300, i))]);
        foreach (var text in new[] { Run("0123456789", 1_000, 99), Convert.ToBase64String([.. Run("abcdefghij", 900, 5).Select(c => (byte)c)]), new string('a', 5_000) })
        {
            var ids = tokenizer.Encode(text);
            Assert.DoesNotContain(tokenizer.Vocabulary.UnknownId, ids);
            Assert.AreEqual(tokenizer.Normalize(text).Replace(" ", "", StringComparison.Ordinal), tokenizer.Decode(ids).Replace(" ", "", StringComparison.Ordinal));
        }
    }

    // A rare character must not take a sentence without spaces with it.
    [TestMethod]
    public void OfAWordOnlyTheUnknownCharactersAreUnknown()
    {
        var tokenizer = Train(["acgt acgt acgt gta gta ca ca tg tg"]);
        var (unknown, text) = (tokenizer.Vocabulary.UnknownId, "acgtzzacgt");
        var ids = tokenizer.Encode(text);
        Assert.AreEqual(1, ids.Count(id => id == unknown));
        Assert.AreEqual("acgt[UNK]acgt", string.Concat(ids.Select(id => tokenizer.Tokens[id].Replace("##", "", StringComparison.Ordinal))));
        CollectionAssert.AreEqual(new[] { unknown }, tokenizer.Encode("日"));
        CollectionAssert.AreEqual(new[] { unknown }, tokenizer.Encode("zzz"));
    }

    [TestMethod]
    public void SavedAndLoadedLongRunsHaveTheSameIds()
    {
        var tokenizer = Train([.. Enumerable.Range(0, 20).Select(i => Run("ACGT", 700, i))]);
        var loaded = WordPieceTokenizer.FromJson(tokenizer.ToJson());
        var text = Run("ACGT", 2_000, 50);
        CollectionAssert.AreEqual(tokenizer.Encode(text), loaded.Encode(text));
    }

    // A long run is read once, not once a part.
    [TestMethod]
    public void ARunOfManyLettersTakesNoTime()
    {
        var tokenizer = Train([.. Enumerable.Range(0, 20).Select(i => Run("acgt", 700, i))]);
        var text = Run("acgt", 300_000, 3);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var ids = tokenizer.Encode(text);
        Assert.IsLessThan(2, watch.Elapsed.TotalSeconds);
        Assert.IsGreaterThan(30_000, ids.Length);
    }
}
