using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

[TestClass]
public sealed class TabularEncoderTests
{
    private static IEnumerable<TabularEncoderFactory> All() =>
    [
        TabularEncoders.Mlp(2, 8),
        TabularEncoders.ResidualMlp(1, 8, NumericEmbedding.Periodic, 4),
        TabularEncoders.ResidualMlp(1, 8, NumericEmbedding.PiecewiseLinear, 4),
        TabularEncoders.ColumnTransformer(1, 8, 2),
    ];

    [TestMethod]
    public void EveryEncoderReadsEveryLayoutAndEveryCell()
    {
        foreach (var factory in All())
        {
            foreach (var layout in (TableLayout[])[TableBatches.Layout, TableBatches.Numbers, TableBatches.Categories])
            {
                using var scope = NewDisposeScope();
                using var streams = new RandomStreams(1);
                using var encoder = factory.Create(layout, streams);
                encoder.eval();
                var batch = TableBatches.Random(layout, 3, seed: 1, missing: 0);
                var embeddings = encoder.call(batch);
                CollectionAssert.AreEqual((long[])[3, factory.EmbeddingDimension], embeddings.shape, factory.Kind);
                Assert.IsTrue(embeddings.isfinite().all().item<bool>(), factory.Kind);
                for (var cell = 0; cell < layout.CellCount; cell++)
                {
                    var hidden = Hidden(batch, layout, cell);
                    Assert.IsFalse(encoder.call(hidden).allclose(embeddings),
                        $"{factory.Kind} does not see cell {cell} of {layout.CellCount}");
                }
            }
        }
    }

    [TestMethod]
    public void GradientsReachEveryWeightThatABatchUses()
    {
        foreach (var factory in All())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(TableBatches.Layout, streams);
            encoder.train();
            (encoder.call(TableBatches.Random(TableBatches.Layout, 64, seed: 1)) * randn(64, 8)).sum().backward();
            foreach (var (name, parameter) in encoder.named_parameters())
                Assert.IsTrue(parameter.grad is { } gradient && gradient.abs().sum().item<float>() > 0, $"{factory.Kind}: {name}");
        }
    }

    [TestMethod]
    public void WeightsKeepTheirNames()
    {
        string[][] expected =
        [
            ["cells.bias", "cells.categories.weight", "cells.numbers.weight", "hidden.0.bias", "hidden.0.weight"],
            [.. Residual, "numbers.frequencies", "numbers.linear.bias", "numbers.linear.weight", "numbers.missing"],
            [.. Residual, "numbers.bias", "numbers.missing", "numbers.weight"],
            ["categories.weight", "columns", "encoder.layer.0.attention.output.bias", "encoder.layer.0.attention.output.weight",
                "encoder.layer.0.attention.query_key_value.bias", "encoder.layer.0.attention.query_key_value.weight",
                "encoder.layer.0.attention_norm.bias", "encoder.layer.0.attention_norm.weight", "encoder.layer.0.intermediate.bias",
                "encoder.layer.0.intermediate.weight", "encoder.layer.0.output.bias", "encoder.layer.0.output.weight",
                "encoder.layer.0.output_norm.bias", "encoder.layer.0.output_norm.weight", "encoder.layer_norm.bias",
                    "encoder.layer_norm.weight",
                "numbers.missing", "numbers.weight"],
        ];
        foreach (var (factory, names) in All().Zip(expected))
        {
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(TableBatches.Layout, streams);
            CollectionAssert.AreEqual(names.Order(StringComparer.Ordinal).ToArray(),
                encoder.state_dict().Keys.Order(StringComparer.Ordinal).ToArray(), factory.Kind);
        }
    }

    private static readonly string[] Residual =
    [
        "blocks.0.hidden.bias", "blocks.0.hidden.weight", "blocks.0.norm.bias", "blocks.0.norm.weight", "blocks.0.output.bias",
            "blocks.0.output.weight",
        "categories.weight", "input.bias", "input.weight", "norm.bias", "norm.weight",
    ];

    [TestMethod]
    public void DescriptionsGoThroughJson()
    {
        foreach (var factory in All())
        {
            var json = factory.ToJson().ToJsonString();
            var read = EncoderFactory.FromJson(JsonNode.Parse(json)!.AsObject());
            Assert.AreEqual(json, read.ToJson().ToJsonString());
            Assert.AreEqual(factory.EmbeddingDimension, read.EmbeddingDimension);
        }
    }

    [TestMethod]
    public void SumOfCategoryVectorsIsALinearLayerOverOneHotCodes()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = TabularEncoders.Mlp(1, 8).Create(TableBatches.Layout, streams);
        var batch = TableBatches.Random(TableBatches.Layout, 20, seed: 1);
        var state = encoder.state_dict();
        var input = cat([batch.Numbers, batch.Missing.to(ScalarType.Float32)], 1);
        var oneHot = cat([nn.functional.one_hot(batch.Codes.select(1, 0), 6), nn.functional.one_hot(batch.Codes.select(1, 1), 5)], 1)
            .to(ScalarType.Float32);
        var expected = (input.mm(state["cells.numbers.weight"].t()) + state["cells.bias"] + oneHot.mm(state["cells.categories.weight"]))
            .relu();
        Assert.IsTrue(expected.allclose(encoder.call(batch), rtol: 1e-4, atol: 1e-5));
    }

    [TestMethod]
    public void ABatchWithNothingMissingGivesTheSameSumsAndGradientsInTrainingAsElse()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var cells = new CellSum(TableBatches.Layout, 8, streams);
        var batch = TableBatches.Random(TableBatches.Layout, 64, seed: 1, missing: 0);
        var weight = cells.get_parameter("categories.weight")!;
        var (training, learned) = Run(train: true);
        var (evaluation, expected) = Run(train: false);
        TestTensors.AreClose(evaluation, training, 1e-6f);
        TestTensors.AreClose(expected, learned, 1e-5f);
        Assert.IsGreaterThan(0, expected.abs().sum().item<float>());

        (Tensor Sums, Tensor Gradient) Run(bool train)
        {
            cells.train(train);
            cells.zero_grad();
            var sums = cells.call(batch);
            sums.square().sum().backward();
            return (sums.detach(), weight.grad!.clone());
        }
    }

    [TestMethod]
    public void ManyCategoriesAreCollectedAndTheirVectorsAddUp()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var layout = new TableLayout([], ["a", "b"], [3_000, 5], []);
        using var encoder = TabularEncoders.Mlp(1, 8).Create(layout, streams);
        var batch = TableBatches.Random(layout, 20, seed: 1);
        var state = encoder.state_dict();
        var table = state["cells.categories.weight"];
        var expected = (table.index_select(0, batch.Codes.select(1, 0)) + table.index_select(0, batch.Codes.select(1, 1) + 3_000)
            + state["cells.bias"]).relu();
        Assert.IsTrue(expected.allclose(encoder.call(batch), rtol: 1e-4, atol: 1e-5));
    }

    [TestMethod]
    public void PiecewiseLinearEmbeddingsFillTheirBinsFromTheLeft()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        // Two bins from -2 to 0 and 0 to 2: at 1 the first is full and the second half full.
        var layout = new TableLayout(["a"], [], [], [[-2, 0, 2]]);
        using var embeddings = NumericEmbeddings.Create(NumericEmbedding.PiecewiseLinear, layout, 4, streams);
        var weight = embeddings.state_dict()["weight"];                                 // [1, 2, 4]
        var expected = (weight[0, 0] + weight[0, 1] * 0.5).relu();
        var actual = embeddings.call(tensor(1f).view(1, 1), zeros(1, 1, dtype: ScalarType.Bool)).view(4);
        Assert.IsTrue(expected.allclose(actual, rtol: 1e-4, atol: 1e-6));
    }

    [TestMethod]
    public void UnseenCategoriesSayNothingAtFirst()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = TabularEncoders.Mlp(1, 8).Create(TableBatches.Categories, streams);
        var table = encoder.state_dict()["cells.categories.weight"];
        Assert.AreEqual(0, table.narrow(0, 0, TableLayout.SpecialCount).abs().sum().item<float>());
        Assert.IsGreaterThan(0f, table.narrow(0, TableLayout.SpecialCount, 1).abs().sum().item<float>());
    }

    /// <summary>PyTorch's linear layer over 2 numbers and 5 + 4 one-hot categories would have its entries within 1 / sqrt(11).</summary>
    [TestMethod]
    public void TheMlpStartsWithTorchsWeightsAndBiases()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var layout = new TableLayout(["x", "y"], ["a", "b"], [5 + TableLayout.SpecialCount, 4 + TableLayout.SpecialCount],
            [[-1, 0, 1], [-1, 0, 1]]);
        using var encoder = TabularEncoders.Mlp(2, 400).Create(layout, streams);
        var state = encoder.state_dict();
        foreach (var (name, inputs) in ((string, int)[])[("cells.numbers.weight", 11), ("cells.categories.weight", 11), ("cells.bias", 11),
            ("hidden.0.weight", 400), ("hidden.0.bias", 400)])
        {
            var (bound, largest) = (1 / Math.Sqrt(inputs), state[name].abs().max().item<float>());
            Assert.IsTrue(largest <= bound + 1e-6 && largest > 0.95 * bound, $"{name}: {largest} of {bound}");
        }
    }

    [TestMethod]
    public void TheContrastiveHeadHasAReluBehindBothLayers()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var streams = new RandomStreams(1);
        using var head = new TableProjectionHead(16, streams);
        var embeddings = randn(5, 16, generator: streams.Views);
        var state = head.state_dict();
        var hidden = nn.functional.linear(embeddings, state["hidden.weight"], state["hidden.bias"]).clamp_min(0);
        var expected = nn.functional.linear(hidden, state["output.weight"], state["output.bias"]).clamp_min(0);
        Assert.IsTrue(expected.allclose(head.call(embeddings), rtol: 1e-4, atol: 1e-6));
        Assert.IsTrue(expected.eq(0).any().item<bool>());
    }

    [TestMethod]
    public void FaultySizesAreNamedTogether()
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => TabularEncoders.ColumnTransformer(0, 9, 2, dropout: 1));
        foreach (var name in (string[])["numberOfLayers", "dimension", "dropout"])
            StringAssert.Contains(error.Message, name);
        Assert.ThrowsExactly<ArgumentException>(() => new TableLayout([], [], [], []));
        Assert.ThrowsExactly<ArgumentException>(() => new TableLayout([], ["a"], [2], []));
    }

    private static TableBatch Hidden(TableBatch batch, TableLayout layout, int cell)
    {
        var numbers = zeros(batch.Count, layout.NumericCount, dtype: ScalarType.Bool);
        var codes = zeros(batch.Count, layout.CategoricalCount, dtype: ScalarType.Bool);
        if (cell < layout.NumericCount)
            numbers.narrow(1, cell, 1).fill_(true);
        else
            codes.narrow(1, cell - layout.NumericCount, 1).fill_(true);
        return batch.Hide(numbers, codes);
    }
}
