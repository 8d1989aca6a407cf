using Ssl.Estimators.Serialization;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>The names of the weights in saved models are part of the file format: a renamed field must not change them.</summary>
[TestClass]
public class WeightNamesTests
{
    [TestMethod]
    public void A_bag_of_tokens_has_these()
        => AssertNames(TextEncoders.Bag(embeddingDimension: 4, tokenDimension: 8, hiddenDimension: 6),
            "word_embeddings.weight", "layer_norm.weight", "layer_norm.bias", "hidden.weight", "hidden.bias", "output.weight",
                "output.bias");

    [TestMethod]
    public void A_transformer_has_these()
        => AssertNames(TextEncoders.Transformer(dimension: 8, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 8),
        [
            "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight",
            .. Pair("embeddings.layer_norm"),
            .. Pair("encoder.layer.0.attention_norm"),
            .. Pair("encoder.layer.0.attention.query_key_value"),
            .. Pair("encoder.layer.0.attention.output"),
            .. Pair("encoder.layer.0.output_norm"),
            .. Pair("encoder.layer.0.intermediate"),
            .. Pair("encoder.layer.0.output"),
            .. Pair("encoder.layer_norm"),
        ]);

    private static string[] Pair(string module) => [$"{module}.weight", $"{module}.bias"];

    private static void AssertNames(TextEncoderFactory factory, params string[] expected)
    {
        var path = Path.GetTempFileName();
        try
        {
            var mlContext = TestDevice.Context(1);
            var rows = Enumerable.Range(0, 8).Select(i => new Row { Text = $"one two three {i}", Pair = $"two three {i}" });
            using var encoder = mlContext.SelfSupervised().Text.PairedContrastive(new PairedContrastiveTrainer.Options
            {
                Encoder = factory,
                BatchSize = 4,
                NumberOfEpochs = 0,
            }).Fit(mlContext.Data.LoadFromEnumerable(rows));
            mlContext.SelfSupervised().SaveEncoder(encoder, path);
            using var file = File.OpenRead(path);
            CollectionAssert.AreEquivalent(expected, SafeTensorsReader.Open(file).Entries.Select(e => e.Name).ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Pair { get; set; } = "";
    }
}
