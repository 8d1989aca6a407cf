using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

[TestClass]
public sealed class TabularMethodTests
{
    private static IEnumerable<(string Name, Func<TabularEncoder, RandomStreams, PretrainingMethod> Create)> All()
    {
        yield return ("SCARF", (encoder, streams) => new ScarfTrainer.Method(encoder, streams, new()));
        yield return ("VIME", (encoder, streams) => new VimeTrainer.Method(encoder, streams, new()));
        yield return ("SubTab", (encoder, streams) => new SubTabTrainer.Method(encoder, streams, new()));
        yield return ("autoencoder", (encoder, streams) => new DenoisingAutoencoderTrainer.Method(encoder, streams, new()));
        yield return ("masked", (encoder, streams) => new MaskedCellsTrainer.Method(encoder, streams, new()));
        yield return ("hybrid", (encoder, streams) => new ContrastiveMaskedCellsTrainer.Method(encoder, streams, new()));
    }

    [TestMethod]
    public void EveryMethodTrainsEveryEncoderOnEveryLayout()
    {
        foreach (var (name, create) in All())
        {
            foreach (var factory in (TabularEncoderFactory[])[TabularEncoders.Mlp(2, 8), TabularEncoders.ColumnTransformer(1, 8, 2)])
            {
                foreach (var layout in (TableLayout[])[TableBatches.Layout, TableBatches.Numbers, TableBatches.Categories])
                {
                    using var scope = NewDisposeScope();
                    using var streams = new RandomStreams(1);
                    using var method = create(factory.Create(layout, streams), streams);
                    method.train();
                    var loss = method.Loss([TableBatches.Random(layout, 12, seed: 1)]);
                    var label = $"{name}, {factory.Kind}, {layout.CellCount} cells";
                    Assert.IsTrue(float.IsFinite(loss.Total.item<float>()), label);
                    Assert.IsTrue(loss.Terms.All(term => float.IsFinite(term.Value.item<float>()) && !term.Value.requires_grad), label);
                    CollectionAssert.AreEqual((long[])[12, 8], loss.Embeddings!.shape, label);
                    loss.Total.backward();
                    if (layout != TableBatches.Categories)      // a single hidden cell leaves nothing to learn from
                        Assert.IsTrue(method.Encoder.parameters().Any(p => p.grad is { } g && g.abs().sum().item<float>() > 0), label);
                }
            }
        }
    }

    [TestMethod]
    public void FewRowsAndAWrongBatch()
    {
        using var scope = NewDisposeScope();
        foreach (var (name, create) in All())
        {
            using var streams = new RandomStreams(1);
            using var method = create(TabularEncoders.Mlp(1, 4).Create(TableBatches.Layout, streams), streams);
            method.train();
            Assert.IsTrue(float.IsFinite(method.Loss([TableBatches.Random(TableBatches.Layout, 1, seed: 1)]).Total.item<float>()), name);
            Assert.ThrowsExactly<ArgumentException>(() => method.Loss([]), name);
            Assert.ThrowsExactly<ArgumentException>(() => method.Loss([TokenTexts.Of([1, 2])]), name);
        }
    }

    [TestMethod]
    public void SubsetsOverlapAndCoverAllColumns()
    {
        foreach (var (cells, count, overlap) in ((int, int, double)[])[(16, 4, 0.75), (5, 4, 0), (3, 4, 0.5), (1, 2, 1), (100, 3, 0.1)])
        {
            var subsets = SubTabTrainer.Method.Subsets(cells, count, overlap);
            Assert.HasCount(count, subsets);
            for (var cell = 0; cell < cells; cell++)
                Assert.IsTrue(subsets.Any(outside => !outside[cell]), $"column {cell} of {cells}");
            Assert.IsTrue(subsets.All(outside => outside.Any(o => !o)), "no subset is empty");
        }
        // Four subsets of 16 columns: 4 of their own and 3 of the next one's.
        Assert.IsTrue(SubTabTrainer.Method.Subsets(16, 4, 0.75).All(outside => outside.Count(o => !o) == 7));
    }

    [TestMethod]
    public void HiddenPatternsHideEveryCellAsOften()
    {
        foreach (var (cells, share) in ((int, double)[])[(9, 0.3), (2, 0.3), (40, 0.15), (5, 0.9)])
        {
            var patterns = CellHead.HiddenPatterns(cells, share).ToArray();
            var counts = Enumerable.Range(0, cells).Select(cell => patterns.Count(p => p[cell])).Distinct().ToArray();
            Assert.HasCount(1, counts);
            Assert.IsGreaterThanOrEqualTo(1, counts[0]);
            Assert.IsTrue(patterns.All(p => p.Any(hidden => !hidden)), "something is left to tell from");
        }
    }

    [TestMethod]
    public void HiddenCellsAreLearnedFromTheOthers()
    {
        // Two equal numbers and a category that is their sign: each tells the others.
        using var streams = new RandomStreams(1);
        using var method = new MaskedCellsTrainer.Method(TabularEncoders.ColumnTransformer(1, 16,
            2) .Create(new TableLayout(["a", "b"], ["c"], [5], [[-1, 1], [-1, 1]]), streams), streams, new());
        using var optimizer = new AdamWOptimizer(method.named_parameters(), weightDecay: 0);
        method.train();
        using var generator = new Generator(3);
        double first = 0, last = 0;
        const int steps = 300;
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var x = randn(128, 1, generator: generator);
            var rows = new TableBatch(x.expand(128, 2).contiguous(), zeros(128, 2, dtype: ScalarType.Bool), x.gt(0).to(ScalarType.Int64)
                + TableLayout.SpecialCount);
            var loss = method.Loss([rows]).Total;
            optimizer.ZeroGradients();
            loss.backward();
            optimizer.Step(3e-3, clipNorm: 0);
            first += step < 20 ? loss.item<float>() / 20 : 0;
            last += step >= steps - 20 ? loss.item<float>() / 20 : 0;
        }
        Assert.IsLessThan(first / 3, last, $"from {first}");
    }
}
