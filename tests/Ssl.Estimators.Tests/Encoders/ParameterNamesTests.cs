using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp;

namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Names of weights are part of the file format: whoever changes one breaks saved models.</summary>
[TestClass]
public sealed class ParameterNamesTests
{
    private static readonly TokenVocabulary Vocabulary = new(60, 0, 1, 2, 3, 4, 5);

    private static readonly string[] BagNames =
    [
        "hidden.bias", "hidden.weight", "layer_norm.bias", "layer_norm.weight", "output.bias", "output.weight", "word_embeddings.weight",
    ];

    private static readonly string[] TransformerNames =
    [
        "embeddings.layer_norm.bias", "embeddings.layer_norm.weight", "embeddings.position_embeddings.weight",
        "embeddings.word_embeddings.weight",
        "encoder.layer.0.attention.output.bias", "encoder.layer.0.attention.output.weight",
        "encoder.layer.0.attention.query_key_value.bias", "encoder.layer.0.attention.query_key_value.weight",
        "encoder.layer.0.attention_norm.bias", "encoder.layer.0.attention_norm.weight",
        "encoder.layer.0.intermediate.bias", "encoder.layer.0.intermediate.weight",
        "encoder.layer.0.output.bias", "encoder.layer.0.output.weight",
        "encoder.layer.0.output_norm.bias", "encoder.layer.0.output_norm.weight",
        "encoder.layer_norm.bias", "encoder.layer_norm.weight",
    ];

    private static readonly string[] HeadNames = ["predictions.bias", "predictions.layer_norm.bias", "predictions.layer_norm.weight",
        "predictions.transform.bias", "predictions.transform.weight"];

    private static readonly string[] ProjectionNames = ["projection.dense.bias", "projection.dense.weight"];

    [TestMethod]
    public void Encoders()
    {
        using var streams = new RandomStreams(1);
        CollectionAssert.AreEqual(BagNames, Names(Bag(streams)));
        CollectionAssert.AreEqual(TransformerNames, Names(Transformer(streams)));
    }

    [TestMethod]
    public void Methods()
    {
        using var streams = new RandomStreams(1);
        string[] bag = [.. BagNames.Select(name => $"encoder.{name}")],
            transformer = [.. TransformerNames.Select(name => $"encoder.{name}")];
        CollectionAssert.AreEqual(bag, Names(new PairedContrastiveTrainer.Method(Bag(streams), streams, new(),
            new TokenDeletion(Vocabulary, 0.2))));
        CollectionAssert.AreEqual(Sorted([.. transformer, .. ProjectionNames]),
            Names(new SimCseTrainer.Method(Transformer(streams), streams, new())));
        CollectionAssert.AreEqual(Sorted([.. transformer, .. HeadNames]),
            Names(new MaskedLanguageModelTrainer.Method(Transformer(streams), Vocabulary, streams, new())));
        CollectionAssert.AreEqual(Sorted([.. transformer, .. HeadNames, .. ProjectionNames]),
            Names(new ContrastiveMaskedTrainer.Method(Transformer(streams), Vocabulary, streams, new(),
                new TokenDeletion(Vocabulary, 0.1))));
    }

    [TestMethod]
    public void MethodsAndEncodersShareTheirWeights()
    {
        using var streams = new RandomStreams(1);
        var encoder = Transformer(streams);
        var method = new MaskedLanguageModelTrainer.Method(encoder, Vocabulary, streams, new());
        Assert.AreSame(encoder, method.Encoder);
        Assert.HasCount(TransformerNames.Length + HeadNames.Length, method.parameters().ToArray());
    }

    private static TextEncoder Bag(RandomStreams streams) => TextEncoders.Bag(4, 4, 4).Create(Vocabulary, streams);

    private static TextEncoder Transformer(RandomStreams streams)
        => TextEncoders.Transformer(numberOfLayers: 1, dimension: 4, numberOfHeads: 2).Create(Vocabulary, streams);

    private static string[] Names(torch.nn.Module module) => Sorted([.. module.state_dict().Keys]);

    private static string[] Sorted(string[] names) => [.. names.Order(StringComparer.Ordinal)];
}
