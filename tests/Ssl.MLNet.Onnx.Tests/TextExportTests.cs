using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class TextExportTests
{
    private static readonly WordPieceTokenizer s_tokenizer = WordPieceTokenizer.Train(ContractData.Rows(80).Select(row => row.Text));

    private static BertSizes Bert(int first = 0, int types = 2, int relative = 0, BertActivation activation = BertActivation.Gelu, TextPooling pooling = TextPooling.Mean,
        bool unit = false) => new()
        {
            Words = s_tokenizer.VocabularySize, NumberOfLayers = 2, Dimension = 24, NumberOfHeads = 3, FeedForwardDimension = 40, Positions = 40 + first,
            FirstPosition = first, TokenTypes = types, RelativePositions = relative, Activation = activation, MaximumTokens = 40, Pooling = pooling, UnitLength = unit,
        };

    /// <summary>Every network of texts, by what it is.</summary>
    internal static IReadOnlyDictionary<string, TextEncoderFactory> Factories { get; } = new Dictionary<string, TextEncoderFactory>
    {
        ["bag"] = TextEncoders.Bag(12, 10, 14, maximumTokens: 40),
        ["transformer, mean"] = TextEncoders.Transformer(2, 24, 3, maximumTokens: 40),
        ["transformer, class"] = TextEncoders.Transformer(1, 24, 2, maximumTokens: 40, pooling: TextPooling.Class),
        ["transformer, maximum"] = TextEncoders.Transformer(1, 24, 2, maximumTokens: 40, pooling: TextPooling.Max),
        ["BERT"] = new BertTextEncoderFactory(Bert(unit: true)),
        ["DistilBERT"] = new BertTextEncoderFactory(Bert(types: 0, pooling: TextPooling.Class)),
        ["RoBERTa"] = new BertTextEncoderFactory(Bert(first: 2, activation: BertActivation.GeluTanh)),
        ["MPNet"] = new BertTextEncoderFactory(Bert(first: 2, types: 0, relative: 32, activation: BertActivation.Relu, pooling: TextPooling.Max)),
        ["latent semantics"] = new LatentSemanticTextEncoderFactory(9, 50, 40, usesSpecialTokens: true),
        ["projected bag"] = new ProjectedTextEncoderFactory(TextEncoders.Bag(12, 10, 14, maximumTokens: 40), 6),
        ["projected BERT"] = new ProjectedTextEncoderFactory(new BertTextEncoderFactory(Bert()), 6),
    };

    public static IEnumerable<object[]> Names => Factories.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ModelGivesTheEncodersNumbers(string name)
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Exports.Untrained(mlContext, new TextRowFormat(["Text"], s_tokenizer, Factories[name]));
        var path = Exports.File("model.onnx");
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path, ContractData.View(mlContext));
        Assert.IsLessThan(2e-5, result.LargestDifference, name);
        Assert.AreEqual(96, result.CheckedRows);
        // Once more without the exporter: texts of differing lengths, one of them empty, some with what no token stands for, padded with any id.
        string[] texts = [ContractData.Rows(3)[0].Text, "", "☃ " + ContractData.Rows(3)[1].Text, "☃", ContractData.Rows(3)[2].Text];
        var special = Factories[name].UsesSpecialTokens;
        var empty = new List<int>();
        s_tokenizer.EncodeEmpty(empty, special);
        var tokens = texts.Select(text => text.Length == 0 ? [.. empty] : s_tokenizer.Encode(text, 40, special)).ToArray();
        var longest = tokens.Max(ids => ids.Length) + 3;
        var (all, mask) = (new long[texts.Length * longest], new long[texts.Length * longest]);
        for (var i = 0; i < tokens.Length; i++)
        {
            for (var j = 0; j < longest; j++)
                (all[i * longest + j], mask[i * longest + j]) = j < tokens[i].Length ? (tokens[i][j], 1) : (s_tokenizer.VocabularySize - 1, 0);
        }
        var actual = Exports.Run(path, ("input_ids", all, [texts.Length, longest]), ("attention_mask", mask, [texts.Length, longest]));
        Exports.AreClose([.. encoder.Embed(texts).SelectMany(row => row)], actual, 2e-5);
    }

    [TestMethod]
    public void VocabularyIsWrittenBesideTheModel()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Exports.Untrained(mlContext, new TextRowFormat(["Text"], s_tokenizer, Factories["bag"]));
        var path = Exports.File("words.onnx");
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path);
        var vocabulary = Path.ChangeExtension(path, "vocab.txt");
        Assert.AreEqual(vocabulary, Assert.ContainsSingle(result.Files));
        Assert.AreSequenceEqual(s_tokenizer.Tokens.ToArray(), File.ReadAllLines(vocabulary));
        Assert.HasCount(2, Directory.GetFiles(Path.GetDirectoryName(path)!));
    }
}
