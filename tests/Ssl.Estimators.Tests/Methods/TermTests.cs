using System.Diagnostics.CodeAnalysis;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Methods.ByHand;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>The terms of methods that have several: what is told of each, and that one without weight is not computed.</summary>
[TestClass]
public sealed class TermTests
{
    private static IEnumerable<object[]> Hybrids =>
    [
        ["cells", 1f, 1f, "contrastive contrastive-accuracy masked squared-error accuracy"],
        ["cells", 1f, 0f, "contrastive contrastive-accuracy"],
        ["cells", 0f, 1f, "masked squared-error accuracy"],
        ["words", 1f, 1f, "contrastive contrastive-accuracy masked masked-accuracy"],
        ["words", 1f, 0f, "contrastive contrastive-accuracy"],
        ["words", 0f, 1f, "masked masked-accuracy"],
        ["patches", 1f, 1f, "contrastive masked"],
        ["patches", 1f, 0f, "contrastive"],
        ["patches", 0f, 1f, "masked"],
        ["series", 1f, 1f, "temporal contextual"],
        ["series", 1f, 0f, "temporal"],
        ["series", 0f, 1f, "contextual"],
    ];

    private static (PretrainingMethod Method, Batch Batch) Make(string kind, float first, float second, RandomStreams streams)
    {
        switch (kind)
        {
            case "cells":
                return (new ContrastiveMaskedCellsTrainer.Method(TabularEncoders.Mlp(1, 4).Create(TableBatches.Layout, streams), streams,
                    new() { ContrastiveWeight = first, MaskedWeight = second }), TableBatches.Random(TableBatches.Layout, 8, seed: 1));
            case "words":
                var vocabulary = new TokenVocabulary(40, 0, 1, 2, 3, 4, 5);
                return (new ContrastiveMaskedTrainer.Method(TextEncoders.Transformer(1, 8, 2, maximumTokens: 8).Create(vocabulary, streams), vocabulary, streams,
                    new() { ContrastiveWeight = first, MaskedWeight = second }), TokenTexts.Random(8, 8, vocabulary, 1, specialTokens: true));
            case "patches":
                return (new ContrastiveMaskedPatchesTrainer.Method((PatchEncoder)ImageEncoders.VisionTransformer(8, 2, 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2).Create(streams),
                    streams, new() { ContrastiveWeight = first, MaskedWeight = second }), new ImageBatch(rand(8, 1, 8, 8)));
            default:
                var mask = ones(8, 24, dtype: ScalarType.Bool);
                return (new TemporalContextualContrastTrainer.Method(TimeSeriesEncoders.DilatedConvolution(8, 8, 2).Create(new SeriesLayout(2, null), streams), streams,
                    new() { TemporalWeight = first, ContextualWeight = second }), new SeriesBatch(randn(8, 2, 24), mask, mask.clone()));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Hybrids))]
    public void What_has_weight_is_told_and_what_has_none_is_not_computed(string kind, float first, float second, string names)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (method, batch) = Make(kind, first, second, streams);
        method.train();
        var loss = method.Loss([batch]);
        Assert.AreEqual(names, string.Join(' ', loss.Terms.Select(term => term.Name)));
        // Both terms count as they are, so that the total is their sum.
        var own = loss.Terms.Where(term => !term.Name.Contains("accuracy", StringComparison.Ordinal) && term.Name != "squared-error").Sum(term => term.Value.item<float>());
        Assert.AreEqual(own, loss.Total.item<float>(), 1e-5);
        method.Dispose();
    }

    [TestMethod]
    [SuppressMessage("Performance", "CA1861", Justification = "Read once.")]
    public void The_heads_of_the_temporal_contrast_halve_and_halve_again()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var method = new TemporalContextualContrastTrainer.Method(new TinySeriesEncoder(), streams, new());
        var shapes = method.state_dict();
        var context = shapes["projection.layers.0.weight"].shape[1];
        CollectionAssert.AreEqual(new[] { context / 2, context }, shapes["projection.layers.0.weight"].shape);
        CollectionAssert.AreEqual(new[] { context / 4, context / 2 }, shapes["projection.layers.1.weight"].shape);
    }

    /// <summary>Where dropout makes the views it stays on when a loss is measured: without it both views are the same.</summary>
    [TestMethod]
    public void Views_that_come_from_dropout_are_there_when_a_loss_is_measured()
    {
        var vocabulary = new TokenVocabulary(40, 0, 1, 2, 3, 4, 5);
        var withDropout = new HashSet<Type> { typeof(SimCseTrainer.Method), typeof(ContrastiveMaskedTrainer.Method) };
        Func<TextEncoder, RandomStreams, PretrainingMethod>[] methods =
        [
            (encoder, streams) => new SimCseTrainer.Method(encoder, streams, new()),
            (encoder, streams) => new ContrastiveMaskedTrainer.Method(encoder, vocabulary, streams, new() { MaskedWeight = 0 }),
            (encoder, streams) => new MaskedLanguageModelTrainer.Method(encoder, vocabulary, streams, new()),
        ];
        foreach (var create in methods)
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var method = create(TextEncoders.Transformer(1, 8, 2, maximumTokens: 8, dropout: 0.3).Create(vocabulary, streams), streams);
            method.BeginEvaluation();
            using var noGrad = no_grad();
            var texts = TokenTexts.Random(8, 8, vocabulary, 1, specialTokens: true);
            using var first = method.Encoder.call(texts);
            using var second = method.Encoder.call(texts);
            Assert.AreEqual(withDropout.Contains(method.GetType()), first.sub(second).abs().max().item<float>() > 0, method.GetName());
        }
    }
}
