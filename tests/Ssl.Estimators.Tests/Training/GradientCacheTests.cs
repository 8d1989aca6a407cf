using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Methods.ByHand;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

/// <summary>Gao et al., 2021 (arXiv:2101.06983): the gradients of the whole batch, whatever the parts.</summary>
[TestClass]
public sealed class GradientCacheTests
{
    private const int Rows = 7;

    // Encoders without statistics of a batch, and views of images without draws, which would be others in parts.
    private static readonly Dictionary<string, (Func<RandomStreams, int?, PretrainingMethod> Create, Func<Batch[]> Columns)> s_methods = new()
    {
        ["SigLip"] = ((streams, most) => new SigLipTrainer.Method(ImageTextTests.Towers(streams), TinyTextEncoder.Vocabulary, streams,
            new() { View = new Unchanged(), TokenDeletion = 0, InitialBias = -2, EncoderBatchSize = most }), () => [ImageTextTests.Pairs(Rows)]),
        ["SimCse"] = ((streams, most) => new SimCseTrainer.Method(new TinyTextEncoder(), streams, new() { EncoderBatchSize = most }), () => Texts(1)),
        ["ContrastiveMasked"] = ((streams, most) => new ContrastiveMaskedTrainer.Method(new TinyTextEncoder(), TinyTextEncoder.Vocabulary, streams,
            new() { EncoderBatchSize = most, ContrastiveWeight = 0.7f, MaskedWeight = 1.3f, MaskRatio = 0.4f }), () => Texts(1)),
        ["PairedContrastive"] = ((streams, most) => new PairedContrastiveTrainer.Method(new TinyTextEncoder(), streams, new() { EncoderBatchSize = most }), () => Texts(2)),
        ["PairedContrastive with negatives"] = ((streams, most) => new PairedContrastiveTrainer.Method(new TinyTextEncoder(), streams,
            new() { EncoderBatchSize = most, NegativeColumnName = "N" }), () => Texts(3)),
        ["SimClr"] = ((streams, most) => new SimClrTrainer.Method(new TinyImageEncoder(), streams, new() { View = new Unchanged(), EncoderBatchSize = most }), Images),
        ["Dcl"] = ((streams, most) => new DclTrainer.Method(new TinyImageEncoder(), streams, new() { View = new Unchanged(), EncoderBatchSize = most, Sigma = 0.5f }), Images),
        ["MoCo"] = ((streams, most) => new MoCoTrainer.Method(new TinyImageEncoder(), new TinyImageEncoder(), streams,
            new() { View = new Unchanged(), EncoderBatchSize = most, QueueSize = 12, Temperature = 1 }), Images),
        ["MoCoV3"] = ((streams, most) => new MoCoV3Trainer.Method(new TinyImageEncoder(), new TinyImageEncoder(), streams,
            new() { View = new Unchanged(), EncoderBatchSize = most, HiddenDimension = 8, ProjectionDimension = 6 }), Images),
        ["Nnclr"] = ((streams, most) => new NnclrTrainer.Method(new TinyImageEncoder(), streams,
            new() { View = new Unchanged(), EncoderBatchSize = most, HiddenDimension = 8, ProjectionDimension = 6, SupportSize = 12 }), Images),
        ["ContrastiveMaskedPatches"] = ((streams, most) => new ContrastiveMaskedPatchesTrainer.Method(
            ImageEncoders.VisionTransformer(TinyImageEncoder.Side, patchSize: 3, channels: 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2).Create(streams), streams,
            new() { View = new Unchanged(), EncoderBatchSize = most, ContrastiveWeight = 0.7f, MaskedWeight = 1.3f, MaskRatio = 0.5f }), Images),
        ["Scarf"] = ((streams, most) => new ScarfTrainer.Method(Table(), streams, new() { EncoderBatchSize = most }), TableOfRows),
        ["ContrastiveMaskedCells"] = ((streams, most) => new ContrastiveMaskedCellsTrainer.Method(Table(), streams,
            new() { EncoderBatchSize = most, ContrastiveWeight = 0.7f, MaskedWeight = 1.3f }), TableOfRows),
        ["SubTab"] = ((streams, most) => new SubTabTrainer.Method(Table(), streams, new() { EncoderBatchSize = most, NumberOfSubsets = 2 }), TableOfRows),
        ["Ts2Vec"] = ((streams, most) => new Ts2VecTrainer.Method(new TinySeriesEncoder(), streams, new() { EncoderBatchSize = most }), Series),
        ["TemporalContextualContrast"] = ((streams, most) => new TemporalContextualContrastTrainer.Method(new TinySeriesEncoder(), streams, new() { EncoderBatchSize = most }), Series),
    };

    private static Batch[] Texts(int columns)
        => [.. Enumerable.Range(0, columns).Select(column => TokenTexts.Random(Rows, 6, TinyTextEncoder.Vocabulary, seed: 4 + column, specialTokens: true))];

    private static Batch[] Images() => [TinyImageEncoder.Images(Rows)];

    private static TinyTableEncoder Table() => new(TableRows.Layout);

    private static Batch[] TableOfRows() => [TableBatches.Random(TableRows.Layout, Rows, 3)];

    private static Batch[] Series() => [TestSeries.Of([12, 9, 12, 7, 12, 10, 11])];

    public static IEnumerable<string> Methods => s_methods.Keys;

    // Clip shares SigLip's step.
    [TestMethod]
    public void EveryMethodWithPartsIsTried()
    {
        string[] expected = [.. typeof(PretrainingOptions).Assembly.GetTypes().Where(type => type is { IsAbstract: false, IsNestedPublic: true }
                && type.IsAssignableTo(typeof(PretrainingOptions)) && type.GetProperty("EncoderBatchSize") is not null)
            .Select(type => type.DeclaringType!.Name[..^"Trainer".Length]).Where(name => name != "Clip").Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(expected, Methods.Select(name => name.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal).ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void PartsOfABatchGiveItsGradients(string kind)
    {
        using var scope = NewDisposeScope();
        var expected = Step(kind, null);
        Assert.IsTrue(expected.Gradients.Any(item => item.Key.StartsWith("encoder.", StringComparison.Ordinal) && item.Value.Any(value => Math.Abs(value) > 1e-4)), "a gradient to speak of");
        foreach (var part in (int[])[1, 3, 4, Rows])
        {
            var actual = Step(kind, part);
            Assert.AreEqual(expected.Loss, actual.Loss, 1e-4f);
            CollectionAssert.AreEqual(expected.Terms.Keys.ToArray(), actual.Terms.Keys.ToArray());
            foreach (var (name, value) in expected.Terms)
                Assert.AreEqual(value, actual.Terms[name], 1e-4f, name);
            AreClose(expected.Embeddings, actual.Embeddings, "embeddings");
            foreach (var (name, gradient) in expected.Gradients)
                AreClose(gradient, actual.Gradients[name], $"{name}, parts of {part}");
            foreach (var (name, buffer) in expected.Buffers)
                AreClose(buffer, actual.Buffers[name], $"{name}, parts of {part}");
        }
    }

    // The states of streams end where a step without parts would leave them: a later draw is none of a part again.
    [TestMethod]
    public void TheSecondPassOverAPartDrawsWhatTheFirstDrew()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var seen = new List<float>();
        using var weight = nn.Parameter(ones(1));
        var result = GradientCache.Compute(6, 2, streams, (_, count) =>
        {
            var draw = Draws.Uniform([count, 1], CPU, streams.Views);
            seen.AddRange(TestSeries.Floats(draw));
            return [draw * weight];
        }, tensors =>
        {
            seen.AddRange(TestSeries.Floats(Draws.Uniform([1, 1], CPU, streams.Views)));
            return new StepLoss(tensors[0].pow(2).sum(), []);
        });
        result.Total.backward();
        Assert.HasCount(13, seen);
        float[] once = TestSeries.Floats(Draws.Uniform([7, 1], CPU, same.Views));
        CollectionAssert.AreEqual(once, seen[..7]);
        CollectionAssert.AreEqual(once[..6], seen[7..]);
        Assert.AreEqual(2 * once[..6].Sum(x => x * x), weight.grad!.item<float>(), 1e-5);
        CollectionAssert.AreEqual(same.GetState()["views"], streams.GetState()["views"], "the stream stands where one pass leaves it");
    }

    [TestMethod]
    public void WhatIsLeftOutOfTheSecondPassGetsNoGradient()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var weight = nn.Parameter(ones(1));
        var again = new List<bool>();
        var result = GradientCache.Compute(5, 2, streams, (first, count, isSecond) =>
        {
            again.Add(isSecond);
            var rows = arange(first, first + count, dtype: ScalarType.Float32).unsqueeze(1);
            return isSecond ? [rows * weight] : [rows * weight, rows, rows.to(ScalarType.Int64)];
        }, tensors => new StepLoss((tensors[0] * tensors[1] * tensors[2]).sum(), []));
        result.Total.backward();
        CollectionAssert.AreEqual(new[] { false, false, false, true, true, true }, again);
        Assert.AreEqual(1 + 8 + 27 + 64, weight.grad!.item<float>(), 1e-4);
        Assert.AreEqual(100, result.Total.item<float>(), 1e-4);
    }

    private static (float Loss, Dictionary<string, float> Terms, float[] Embeddings, Dictionary<string, float[]> Gradients, Dictionary<string, float[]> Buffers) Step(string kind, int? most)
    {
        using var streams = new RandomStreams(1);
        using var method = s_methods[kind].Create(streams, most);
        var largest = Watch(method);
        var step = method.Loss(s_methods[kind].Columns());
        // Both views of a part may be seen together, and of SubTab three.
        Assert.IsTrue(most is null ? largest() >= Rows : largest() > 0 && largest() <= (kind == "SubTab" ? 3 : 2) * most, $"{largest()} rows at once, of {most}");
        step.Total.backward();
        return (step.Total.item<float>(), step.Terms.ToDictionary(term => term.Name, term => term.Value.item<float>()),
            step.Embeddings is null ? [] : TestSeries.Floats(step.Embeddings.contiguous()),
            method.named_parameters().Where(item => item.parameter.grad is not null).ToDictionary(item => item.name, item => TestSeries.Floats(item.parameter.grad!)),
            method.named_buffers().Where(item => item.buffer.dtype == ScalarType.Float32).ToDictionary(item => item.name, item => TestSeries.Floats(item.buffer)));
    }

    // The most rows that an encoder of the method sees at once.
    private static Func<long> Watch(PretrainingMethod method)
    {
        var largest = 0L;
        foreach (var module in method.modules())
        {
            if (module is Encoder encoder)
            {
                encoder.register_forward_pre_hook((_, batch) =>
                {
                    largest = Math.Max(largest, batch.Count);
                    return batch;
                });
            }
            else if (module is VisionBlock block)
            {
                block.register_forward_pre_hook((_, tokens) =>
                {
                    largest = Math.Max(largest, tokens.shape[0]);
                    return tokens;
                });
            }
        }
        return () => Math.Max(largest, method.modules().OfType<TinySeriesEncoder>().Select(encoder => encoder.MostSeries).FirstOrDefault());
    }

    private static void AreClose(float[] expected, float[] actual, string what)
    {
        Assert.HasCount(expected.Length, actual);
        double most = Math.Max(1e-6, 1e-4 * expected.Select(Math.Abs).DefaultIfEmpty().Max());
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], most, $"{what}, {i}");
    }
}
