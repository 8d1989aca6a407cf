using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Text;

[TestClass]
public sealed class TextUnitsTests
{
    [TestMethod]
    [DataRow("Ann lives in the USA.", "Ann|lives|in|the|USA.", "Ann|lives|in|the|USA|.")]
    [DataRow("  $5,000\t(net)\n", "$5,000|(net)", "$|5|,|000|(|net|)")]
    [DataRow("caf\u0065\u0301 \u00fcber", "cafe\u0301|\u00fcber", "cafe\u0301|\u00fcber")]      // a mark of its own code point joins
    [DataRow("\u6771\u4eac for \u0e01\u0e02", "\u6771\u4eac|for|\u0e01\u0e02", "\u6771|\u4eac|for|\u0e01|\u0e02")]
    [DataRow("a\ud83d\ude00b", "a\ud83d\ude00b", "a|\ud83d\ude00|b")]                          // a pair stays whole
    [DataRow("", "", "")]
    [DataRow(" \u00a0\u3000", "", "")]
    public void A_text_is_cut_at_white_space_or_at_everything_that_is_no_word(string text, string words, string pieces)
    {
        Assert.AreEqual(words, string.Join("|", Cut(text, UnitKind.Words)));
        Assert.AreEqual(pieces, string.Join("|", Cut(text, UnitKind.Pieces)));
    }

    [TestMethod]
    public void Half_a_pair_is_a_unit()
    {
        CollectionAssert.AreEqual(new[] { "a\ud83d" }, Cut("a\ud83d", UnitKind.Words).ToArray());
        CollectionAssert.AreEqual(new[] { "a", "\ud83d" }, Cut("a\ud83d", UnitKind.Pieces).ToArray());
    }

    [TestMethod]
    public void Units_cover_everything_but_white_space_in_order()
    {
        var random = new Random(1);
        var units = new List<TextUnit>();
        foreach (var kind in Enum.GetValues<UnitKind>())
        {
            for (var run = 0; run < 200; run++)
            {
                var text = string.Concat(Enumerable.Range(0, 30).Select(_ => "ab 1\t.$\u00e9\u0301\u6771\ud83d\ude00"[random.Next(12)]));
                TextUnits.Cut(text, kind, units);
                var end = 0;
                foreach (var unit in units)
                {
                    Assert.IsGreaterThanOrEqualTo(end, unit.Start);
                    Assert.IsTrue(string.IsNullOrWhiteSpace(text[end..unit.Start]), "between units is white space only");
                    Assert.IsFalse(text.Substring(unit.Start, unit.Length).Any(char.IsWhiteSpace));
                    end = unit.End;
                }
                Assert.IsTrue(string.IsNullOrWhiteSpace(text[end..]));
            }
        }
    }

    [TestMethod]
    public void The_tokens_of_a_text_are_those_of_its_units()
    {
        string[] texts = ["the cat sat on the mat.", "a cat, the mat: (cat)!", "Cats and mats"];
        var tokenizer = WordPieceTokenizer.Train(texts, new WordPieceTokenizer.Options { VocabularySize = 100, MinimumCount = 1 });
        foreach (var kind in Enum.GetValues<UnitKind>())
        {
            var units = new TextUnits(tokenizer, kind, 100);
            foreach (var text in texts)
            {
                units.Read(text);
                CollectionAssert.AreEqual(tokenizer.Encode(text), units.Ids, text);
                Assert.HasCount(units.Units.Count + 1, units.Starts);
                for (var i = 0; i < units.Units.Count; i++)
                {
                    CollectionAssert.AreEqual(tokenizer.Encode(text.Substring(units.Units[i].Start, units.Units[i].Length)),
                        units.Ids[units.Starts[i]..units.Starts[i + 1]]);
                }
            }
        }
    }

    [TestMethod]
    public void A_unit_without_a_token_gets_the_unknown_one_and_a_long_one_is_cut()
    {
        var tokenizer = WordPieceTokenizer.Train(["ab ab ab"], new WordPieceTokenizer.Options { VocabularySize = 50, MinimumCount = 1 });
        var units = new TextUnits(tokenizer, UnitKind.Words, 3);
        units.Read("ab \u0001 abababababababab");
        CollectionAssert.AreEqual(new[] { 0, 1, 2, units.Starts[3] }, units.Starts.ToArray());
        Assert.AreEqual(tokenizer.Vocabulary.UnknownId, units.Ids[1]);
        Assert.IsLessThanOrEqualTo(3, units.Starts[3] - 2);
    }

    private static IEnumerable<string> Cut(string text, UnitKind kind)
    {
        var units = new List<TextUnit>();
        TextUnits.Cut(text, kind, units);
        return units.Select(unit => text.Substring(unit.Start, unit.Length));
    }
}
