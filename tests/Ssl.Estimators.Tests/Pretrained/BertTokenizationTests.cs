using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Ids of hard texts against those of the published algorithm, computed by tests/scripts/bert_ids.py.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class BertTokenizationTests
{
    private static readonly string[] s_tokens = ReadVocabulary();

    [TestMethod]
    [DataRow(true, "uncased")]
    [DataRow(false, "cased")]
    public void IdsAreThoseOfThePublishedAlgorithm(bool lowerCase, string key)
    {
        var tokenizer = Create(lowerCase);
        var faults = new List<string>();
        var rows = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "bert_ids.json")))!.AsArray();
        Assert.IsGreaterThan(400, rows.Count);
        foreach (var row in rows)
        {
            var (text, expected) = ((string)row!["text"]!, row[key]!.AsArray().Select(id => (int)id!).ToArray());
            var ids = tokenizer.Encode(text);
            if (!ids.SequenceEqual(expected))
                faults.Add($"{row["text"]!.ToJsonString()}: expected {Names(expected)}, got {Names(ids)}");
        }
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void SpecialTokensStandAroundTheTextAndLeaveRoom()
    {
        var tokenizer = Create(lowerCase: true);
        CollectionAssert.AreEqual(new[] { 101, 7592, 2088, 102 }, tokenizer.Encode("hello world", 512, addSpecialTokens: true));
        CollectionAssert.AreEqual(new[] { 101, 7592, 102 }, tokenizer.Encode("hello world", 3, addSpecialTokens: true));
        CollectionAssert.AreEqual(new[] { 101, 103, 102 }, tokenizer.Encode("[MASK] hello", 3, addSpecialTokens: true));
        var empty = new List<int>();
        tokenizer.EncodeEmpty(empty, addSpecialTokens: true);
        CollectionAssert.AreEqual(new[] { 101, 102 }, empty);
    }

    [TestMethod]
    public void SpecialTokensAreFoundInTheVocabulary()
    {
        var vocabulary = Create(lowerCase: true).Vocabulary;
        Assert.AreEqual((30522, 0, 100, 101, 102, 103, 999), (vocabulary.Size, vocabulary.PaddingId, vocabulary.UnknownId, vocabulary.ClassId,
            vocabulary.SeparatorId, vocabulary.MaskId, vocabulary.SpecialCount));
    }

    [TestMethod]
    public void TravelsAsJson()
    {
        var tokenizer = Create(lowerCase: false);
        var copy = WordPieceTokenizer.FromJson(JsonNode.Parse(tokenizer.ToJson().ToJsonString())!.AsObject());
        const string Text = "Ünder [MASK] 北京 the Hats\tno";
        CollectionAssert.AreEqual(tokenizer.Encode(Text), copy.Encode(Text));
        Assert.AreEqual(tokenizer.Vocabulary, copy.Vocabulary);
    }

    [TestMethod]
    public void VocabulariesWithoutTheirSpecialTokensAreRefused()
    {
        var rules = new BertRules(LowerCase: true, StripAccents: true, SplitChinese: true);
        var missing = Assert.ThrowsExactly<FormatException>(() => WordPieceTokenizer.FromVocabulary(["[PAD]", "[UNK]", "[CLS]", "a"], rules, SpecialTokenNames.Bert));
        StringAssert.Contains(missing.Message, "[SEP], [MASK]");
        var late = Assert.ThrowsExactly<FormatException>(()
            => WordPieceTokenizer.FromVocabulary(["[PAD]", "[UNK]", "a", "[CLS]", "[SEP]", "[MASK]"], rules, SpecialTokenNames.Bert));
        StringAssert.Contains(late.Message, "[CLS], [SEP]");
    }

    internal static WordPieceTokenizer Create(bool lowerCase)
        => WordPieceTokenizer.FromVocabulary(s_tokens, new BertRules(lowerCase, lowerCase, SplitChinese: true), SpecialTokenNames.Bert);

    internal static string[] ReadVocabulary()
    {
        using var reader = new StreamReader(new MemoryStream(MiniLm.Resource("vocab.txt")));
        var tokens = new List<string>();
        while (reader.ReadLine() is { } token)
            tokens.Add(token);
        return [.. tokens];
    }

    private static string Names(IEnumerable<int> ids) => string.Join(" ", ids.Select(id => s_tokens[id]));
}
