using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Tokenizers;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Byte pairs against another implementation with a real vocabulary, unigrams against all ways to cut a word.</summary>
[TestClass]
public sealed class SubwordTokenizerTests
{
    private const char Mark = '\u2581';

    [TestMethod]
    [TestCategory("Checkout")]
    public void BytePairsAreThoseOfTheLibrarysTokenizer()
    {
        var library = TiktokenTokenizer.CreateForEncoding("r50k_base");         // GPT-2's vocabulary, as pieces with ranks
        var (tokenizer, idOf) = Gpt2();
        string[] hard = ["Hello, World!", "don't we'll I'VE they're", "  two  spaces   three\n\n lines\t\ttab ", "3Q 4G x_y __init__", "café naïve 北京 日本語 한국어", "🙂👩‍💻 ﬁ ½ ²",
            "''s '' 's", " ", "a", "$ + ~ ^ | < > = € £ `", "trailing space ", "\u00a0nbsp\u3000wide", "ALLCAPS mixedCase 1234567890", "http://example.com/a?b=c#d"];
        string[] texts = [.. hard, .. MiniLm.Texts("ag-news", "test.tsv.gz", 2, 500), .. MiniLm.Texts("clinc150", "test.tsv.gz", 1, 500)];
        var faults = new List<string>();
        foreach (var text in texts)
        {
            var expected = library.EncodeToIds(text).Select(id => idOf[id]).ToArray();
            var actual = tokenizer.Encode(text);
            if (!expected.SequenceEqual(actual))
                faults.Add($"{text}: {string.Join(" ", expected)}; {string.Join(" ", actual)}");
            Assert.AreEqual(text, tokenizer.Decode(actual));
        }
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void SpecialTokensOfBytePairs()
    {
        var (tokenizer, _) = Gpt2();
        var v = tokenizer.Vocabulary;
        Assert.AreEqual((0, 1, 2, 3, 4), (v.ClassId, v.PaddingId, v.SeparatorId, v.UnknownId, v.SpecialCount));
        // the mask takes the space before it, as RoBERTa's does
        int[] masked = [v.ClassId, .. tokenizer.Encode("a red"), v.MaskId, .. tokenizer.Encode(" sat"), v.SeparatorId];
        CollectionAssert.AreEqual(masked, tokenizer.Encode("a red <mask> sat", addSpecialTokens: true));
        Assert.HasCount(5, tokenizer.Encode("one two three four five six seven", 5, addSpecialTokens: true));
        var copy = TextTokenizer.FromJson(JsonNode.Parse(tokenizer.ToJson().ToJsonString())!.AsObject());
        CollectionAssert.AreEqual(tokenizer.Encode("unbelievable <mask> things"), copy.Encode("unbelievable <mask> things"));
        Assert.IsTrue(tokenizer.TryGetId("things", out var id));
        Assert.AreEqual("Ġthings", tokenizer.Tokens[id]);
        Assert.HasCount(3, tokenizer.SentenceEnds);
    }

    [TestMethod]
    public void OfSpecialTokensThatBeginAlikeTheLongestIsFound()
    {
        var special = new SpecialTexts(["<a>", "<a>b", "<a"]);
        Assert.AreEqual((2, "<a>b"), (special.Find("x <a>b <a>", out var found), found));
        Assert.AreEqual((0, "<a"), (special.Find("<a ", out found), found));
        Assert.AreEqual((-1, ""), (special.Find("a>b", out found), found));
    }

    [TestMethod]
    public void UnigramsAreTheBestOfAllCuts()
    {
        var random = new Random(1);
        var pieces = new Dictionary<string, double>();
        string[] letters = ["a", "b", "c", "𝐀", Mark.ToString()];
        foreach (var letter in letters)
            pieces[letter] = -4 - random.NextDouble();
        while (pieces.Count < 60)
            pieces[string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(i => i == 0 && random.Next(3) == 0 ? Mark.ToString() : letters[random.Next(4)]))] = -3 - 6 * random.NextDouble();
        var tokenizer = Unigram(pieces, null);
        var lowest = pieces.Values.Append(0).Min() - 10;
        for (var trial = 0; trial < 300; trial++)
        {
            var word = string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(8) == 0 ? "z" : letters[random.Next(4)]));
            var best = Cuts(Mark + word, pieces, lowest).MaxBy(cut => cut.Score);
            var ids = tokenizer.Encode(word);
            CollectionAssert.AreEqual(Fused(best.Pieces, tokenizer), ids, word);
        }
        var three = tokenizer.Encode("ab  c\n\tba ");
        CollectionAssert.AreEqual(new[] { tokenizer.Encode("ab"), tokenizer.Encode("c"), tokenizer.Encode("ba") }.SelectMany(ids => ids).ToArray(), three);
        Assert.AreEqual("ab c ba", tokenizer.Decode(three));
    }

    [TestMethod]
    public void TextsAreReplacedByThePrecompiledMap()
    {
        // "ａ" -> "a", "ａｂ" -> "x" (the longer one counts), "\u00a0" -> " ", "é" -> "e", "ﬁ" -> "fi", "\u200b" -> nothing
        (string From, string To)[] pairs = [("ａ", "a"), ("ａｂ", "x"), ("\u00a0", " "), ("é", "e"), ("ﬁ", "fi"), ("\u200b", "")];
        var map = new CharacterMap(Compile(pairs));
        Assert.AreEqual("axc e fin🙂 zb", map.Replace("ａａｂc\u00a0é\u00a0ﬁ\u200bn🙂\u00a0zb"));
        Assert.AreEqual("ｂplain", map.Replace("ｂplain"));
        Assert.ThrowsExactly<FormatException>(() => new CharacterMap([1, 2]));
        Assert.ThrowsExactly<FormatException>(() => new CharacterMap([8, 0, 0, 0, 1, 2]));
        var tokenizer = Unigram(new() { ["a"] = -1, [Mark.ToString()] = -2, ["x"] = -1, [Mark + "x"] = -1 }, Compile(pairs));
        CollectionAssert.AreEqual(tokenizer.Encode("x a"), tokenizer.Encode("ａｂ\u00a0ａ"));
    }

    [TestMethod]
    [DataRow("model", "{\"type\": \"WordLevel\", \"vocab\": {}}", "\"Unigram\"")]
    [DataRow("pre_tokenizer", "{\"type\": \"Whitespace\"}", "Metaspace")]
    [DataRow("pre_tokenizer", "{\"type\": \"Metaspace\", \"prepend_scheme\": \"never\"}", "prepend_scheme")]
    [DataRow("model", "{\"type\": \"Unigram\", \"unk_id\": -1, \"vocab\": [[\"a\", -1]]}", "\"unk_id\" is -1, of 1 tokens")]
    [DataRow("model", "{\"type\": \"Unigram\", \"unk_id\": 1, \"vocab\": [[\"a\", -1]]}", "\"unk_id\" is 1, of 1 tokens")]
    [DataRow("model", "{\"type\": \"Unigram\", \"unk_id\": 0, \"byte_fallback\": true, \"vocab\": [[\"a\", -1]]}", "byte_fallback")]
    [DataRow("normalizer", "{\"type\": \"NFKC\"}", "NFKC")]
    [DataRow("model", "{\"type\": \"Unigram\", \"vocab\": [[\"a\"]]}", "damaged")]
    public void OtherTokenizersAreRefused(string name, string json, string sentence)
    {
        var definition = Unigram(new() { ["a"] = -1 }, null).Definition.DeepClone().AsObject();
        definition[name] = JsonNode.Parse(json);
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => SubwordTokenizer.Create(definition, SpecialTokenNames.Roberta)).Message, sentence);
    }

    // RoBERTa's form of GPT-2's vocabulary: special tokens first, the merges found from the pieces' ranks.
    internal static (SubwordTokenizer Tokenizer, Dictionary<int, int> IdOf) Gpt2() => s_gpt2.Value;

    private static readonly Lazy<(SubwordTokenizer Tokenizer, Dictionary<int, int> IdOf)> s_gpt2 = new(MakeGpt2);

    private static (SubwordTokenizer Tokenizer, Dictionary<int, int> IdOf) MakeGpt2()
    {
        var pieces = Enumerable.Range(0, 50256).Select(id => s_pieces.Value[id]).ToArray();
        var rank = pieces.Select((piece, id) => (piece, id)).ToDictionary(pair => pair.piece, pair => pair.id);
        var vocabulary = new JsonObject { ["<s>"] = 0, ["<pad>"] = 1, ["</s>"] = 2, ["<unk>"] = 3 };
        var merges = new JsonArray();
        var idOf = new Dictionary<int, int>();
        for (var id = 0; id < pieces.Length; id++)
        {
            vocabulary[pieces[id]] = idOf[id] = id + 4;
            if (pieces[id].Length > 1)
                merges.Add(string.Join(' ', Parts(pieces[id], rank, id)));
        }
        vocabulary["<mask>"] = pieces.Length + 4;
        var added = new JsonArray([.. new[] { "<s>", "<pad>", "</s>", "<unk>", "<mask>" }.Select(token => (JsonNode)new JsonObject
        {
            ["id"] = (int)vocabulary[token]!, ["content"] = token, ["lstrip"] = token == "<mask>",
        })]);
        return (SubwordTokenizer.Create(new JsonObject
        {
            ["added_tokens"] = added,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = merges },
        }, SpecialTokenNames.Roberta), idOf);
    }

    private static readonly Lazy<Dictionary<int, string>> s_pieces = new(() =>
    {
        // the data package's resource: base64 of a piece's bytes in every line, in the order of the ranks
        var assembly = System.Reflection.Assembly.Load("Microsoft.ML.Tokenizers.Data.R50kBase");
        var name = assembly.GetManifestResourceNames().Single();
        using var stream = new System.IO.Compression.DeflateStream(assembly.GetManifestResourceStream(name)!, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(stream);
        var map = new Dictionary<byte, char>();
        var next = 256;
        for (var b = 0; b < 256; b++)
            map[(byte)b] = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174) ? (char)b : (char)next++;
        var pieces = new Dictionary<int, string>();
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith("Capacity", StringComparison.Ordinal))
                pieces[pieces.Count] = string.Concat(Convert.FromBase64String(line).Select(b => map[b]));
        }
        return pieces;
    });

    // The two parts that were merged last: what is left when only pieces of a lower rank are merged.
    private static List<string> Parts(string piece, Dictionary<string, int> rank, int limit)
    {
        List<string> parts = [.. piece.Select(c => c.ToString())];
        while (parts.Count > 2)
        {
            var best = -1;
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (rank.TryGetValue(parts[i] + parts[i + 1], out var r) && r < limit && (best < 0 || r < rank[parts[best] + parts[best + 1]]))
                    best = i;
            }
            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
        return parts;
    }

    internal static SubwordTokenizer Unigram(Dictionary<string, double> pieces, byte[]? map)
    {
        var vocabulary = new JsonArray();
        foreach (var (piece, score) in new Dictionary<string, double> { ["<s>"] = 0, ["<pad>"] = 0, ["</s>"] = 0, ["<unk>"] = 0 }.Concat(pieces))
            vocabulary.Add(new JsonArray(piece, score));
        var definition = new JsonObject
        {
            ["added_tokens"] = new JsonArray(new JsonObject { ["id"] = vocabulary.Count, ["content"] = "<mask>", ["lstrip"] = true }, new JsonObject { ["id"] = 0, ["content"] = "<s>" }),
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(new JsonObject { ["type"] = "WhitespaceSplit" }, new JsonObject { ["type"] = "Metaspace" }),
            },
            ["model"] = new JsonObject { ["type"] = "Unigram", ["unk_id"] = 3, ["vocab"] = vocabulary },
        };
        if (map is not null)
            definition["normalizer"] = new JsonObject { ["type"] = "Precompiled", ["precompiled_charsmap"] = Convert.ToBase64String(map) };
        return SubwordTokenizer.Create(definition, SpecialTokenNames.Roberta);
    }

    private static IEnumerable<(double Score, string[] Pieces)> Cuts(string word, Dictionary<string, double> pieces, double unknown)
    {
        if (word.Length == 0)
        {
            yield return (0, []);
            yield break;
        }
        var single = char.IsHighSurrogate(word[0]) ? 2 : 1;
        for (var length = 1; length <= word.Length; length++)
        {
            var known = pieces.TryGetValue(word[..length], out var score);
            if (!known && !(length == single && !pieces.ContainsKey(word[..single])))
                continue;
            foreach (var rest in Cuts(word[length..], pieces, unknown))
                yield return ((known ? score : unknown) + rest.Score, [word[..length], .. rest.Pieces]);
        }
    }

    private static int[] Fused(string[] pieces, SubwordTokenizer tokenizer)
    {
        var ids = new List<int>();
        foreach (var piece in pieces)
        {
            var id = tokenizer.Tokens.ToList().IndexOf(piece);
            id = id < 0 ? 3 : id;
            if (id != 3 || ids.Count == 0 || ids[^1] != 3)
                ids.Add(id);
        }
        return [.. ids];
    }

    // A double array of the texts' bytes: every node gets the first place where all of its children fit.
    private static byte[] Compile((string From, string To)[] pairs)
    {
        var replacements = new List<byte>();
        var root = new Node();
        foreach (var (from, to) in pairs)
        {
            var node = root;
            foreach (var b in Encoding.UTF8.GetBytes(from))
                node = node.Children.TryGetValue(b, out var child) ? child : node.Children[b] = new Node();
            node.Value = replacements.Count;
            replacements.AddRange(Encoding.UTF8.GetBytes(to));
            replacements.Add(0);
        }
        var units = new uint[1 << 12];
        var used = new HashSet<int> { 0 };
        Place(root, 0);
        var bytes = new byte[4 + 4 * units.Length + replacements.Count];
        BitConverter.GetBytes(4 * units.Length).CopyTo(bytes, 0);
        Buffer.BlockCopy(units, 0, bytes, 4, 4 * units.Length);
        replacements.CopyTo(bytes, 4 + 4 * units.Length);
        return bytes;

        void Place(Node node, int at)
        {
            int[] labels = [.. node.Children.Keys.Select(b => (int)b), .. node.Value >= 0 ? new[] { 0 } : []];
            if (labels.Length == 0)
                return;
            var offset = 1;
            while (labels.Any(label => used.Contains(at ^ offset ^ label)))
                offset++;
            units[at] |= (uint)offset << 10 | (node.Value >= 0 ? 1u << 8 : 0);
            foreach (var label in labels)
                used.Add(at ^ offset ^ label);
            if (node.Value >= 0)
                units[at ^ offset] = 0x8000_0000 | (uint)node.Value;
            foreach (var (b, child) in node.Children)
            {
                units[at ^ offset ^ b] = b;
                Place(child, at ^ offset ^ b);
            }
        }
    }

    private sealed class Node
    {
        public SortedDictionary<byte, Node> Children { get; } = [];

        public int Value { get; set; } = -1;
    }
}
