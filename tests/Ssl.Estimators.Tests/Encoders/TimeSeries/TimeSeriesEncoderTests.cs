using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.TimeSeries;

/// <summary>Shapes, padding and hidden steps of the encoders of time series.</summary>
[TestClass]
public sealed class TimeSeriesEncoderTests
{
    public static IEnumerable<object[]> Factories =>
    [
        [TimeSeriesEncoders.DilatedConvolution(10, 6, depth: 4)],
        [TimeSeriesEncoders.PooledConvolution(10, numberOfBlocks: 2, kernelSize: 5)],
        [TimeSeriesEncoders.SoundTransformer(8, 6, numberOfConvolutions: 1, numberOfLayers: 1, numberOfHeads: 2)],
        [TimeSeriesEncoders.SoundTransformer(8, 6, numberOfConvolutions: 2, numberOfLayers: 1, numberOfHeads: 2)],
        [Patches(normalizes: true, separates: true)],
        [Patches(normalizes: false, separates: false)],
        [new SeriesSummaryEncoderFactory(6)],
    ];

    [TestMethod]
    [DynamicData(nameof(Factories))]
    public void PaddingChangesNothing(TimeSeriesEncoderFactory factory)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Create(factory);
        var alone = TestSeries.Floats(encoder.call(TestSeries.Of(12)));
        var padded = TestSeries.Floats(encoder.call(TestSeries.Of(12, 40)).narrow(0, 0, 1));
        for (var i = 0; i < alone.Length; i++)
            Assert.AreEqual(alone[i], padded[i], 1e-5f);
    }

    [TestMethod]
    [DynamicData(nameof(Factories))]
    public void EveryStepHasAVectorAndTheSeriesTheirMaximum(TimeSeriesEncoderFactory factory)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Create(factory);
        var series = TestSeries.Of(13, 20);
        var steps = encoder.EncodeSteps(series);
        CollectionAssert.AreEqual(new long[] { 2, factory.Steps(20), factory.StepDimensionFor(s_layout) }, steps.shape);
        var first = steps[0].narrow(0, 0, factory.Steps(13)).amax(0);
        CollectionAssert.AreEqual(TestSeries.Floats(first), TestSeries.Floats(encoder.call(series)[0]));
        Assert.AreEqual(factory.Steps(13), encoder.StepMask(series)[0].sum().item<long>());
    }

    [TestMethod]
    public void InstanceNormalizationBringsEveryChannelOfEverySeriesToMean0AndDeviation1()
    {
        using var scope = NewDisposeScope();
        var encoder = (PatchTransformerEncoder)Create(Patches(normalizes: true, separates: false));
        using var series = TestSeries.Of(13, 20);
        series.Observed[1, 4] = false;
        series.Values[1].narrow(1, 4, 1).zero_();
        using var prepared = encoder.Prepare(series);
        for (var n = 0; n < 2; n++)
        {
            int[] seen = [.. Enumerable.Range(0, n == 0 ? 13 : 20).Where(t => n == 0 || t != 4)];
            for (var c = 0; c < 2; c++)
            {
                var (values, actual) = (TestSeries.Floats(series.Values[n, c]), TestSeries.Floats(prepared.Values[n, c]));
                var mean = seen.Average(t => (double)values[t]);
                var deviation = Math.Sqrt(seen.Average(t => Math.Pow(values[t] - mean, 2)) + 1e-5);
                for (var t = 0; t < actual.Length; t++)
                    Assert.AreEqual(seen.Contains(t) ? (values[t] - mean) / deviation : 0, actual[t], 1e-4,
                        $"series {n}, channel {c}, time {t}");
            }
        }
    }

    [TestMethod]
    public void ANormalizedSeriesIsEncodedWhateverItsLevelAndLoudness()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var series = TestSeries.Of(16);
        using var louder = series.WithValues(series.Values * 3 + 2);
        foreach (var normalizes in (bool[])[true, false])
        {
            using var encoder = Create(Patches(normalizes, separates: true));
            var difference = (encoder.call(series) - encoder.call(louder)).abs().max().item<float>();
            Assert.AreEqual(normalizes, difference < 1e-3, $"{difference}");
        }
    }

    [TestMethod]
    public void IndependentChannelsAreEncodedEachAsIfItWereAlone()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Create(Patches(normalizes: false, separates: true));
        using var alone = Patches(normalizes: false, separates: true).Create(new SeriesLayout(1, null), new RandomStreams(2));
        alone.eval();
        using var series = TestSeries.Of(13, 20);
        var both = encoder.call(series);                                                            // [2, 2 x 8]
        for (var c = 0; c < 2; c++)
        {
            using var channel = new SeriesBatch(series.Values.narrow(1, c, 1), series.Mask.alias(), series.Observed.alias());
            var (expected, actual) = (TestSeries.Floats(alone.call(channel)), TestSeries.Floats(both.narrow(1, 8 * c, 8)));
            for (var i = 0; i < expected.Length; i++)
                Assert.AreEqual(expected[i], actual[i], 1e-5f, $"channel {c}, number {i}");
        }
    }

    // A hidden stretch takes part in the mean and the deviation of its series, so without instance normalization.
    public static IEnumerable<object[]> PlainFactories =>
    [
        [TimeSeriesEncoders.DilatedConvolution(10, 6, depth: 4)],
        [TimeSeriesEncoders.PooledConvolution(10, numberOfBlocks: 2, kernelSize: 5)],
        [Patches(normalizes: false, separates: true)],
        [Patches(normalizes: false, separates: false)],
    ];

    [TestMethod]
    [DynamicData(nameof(PlainFactories))]
    public void HiddenValuesCannotBeSeen(TimeSeriesEncoderFactory factory)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Create(factory);
        var series = TestSeries.Of(16);
        var hidden = zeros(1, factory.Steps(16), dtype: ScalarType.Bool);
        hidden[0, 1] = true;
        var width = 16 / factory.Steps(16);
        var other = series.WithValues(series.Values.clone());
        other.Values.narrow(2, width, width).fill_(9);
        CollectionAssert.AreEqual(TestSeries.Floats(encoder.EncodeSteps(series, hidden)),
            TestSeries.Floats(encoder.EncodeSteps(other, hidden)));
        CollectionAssert.AreNotEqual(TestSeries.Floats(encoder.EncodeSteps(series)), TestSeries.Floats(encoder.EncodeSteps(other)));
    }

    [TestMethod]
    public void WeightsAndBiasesStartAsTorchsOwn()
    {
        using var scope = NewDisposeScope();
        using var encoder = Create(TimeSeriesEncoders.DilatedConvolution(40, 32, depth: 2));
        foreach (var (name, inputs) in ((string, int)[])[("input", 2), ("blocks.0.conv1", 96), ("blocks.2.conv2", 120),
            ("blocks.2.projector", 32)])
        {
            var bound = 1 / Math.Sqrt(inputs);
            foreach (var part in (string[])["weight", "bias"])
            {
                var values = TestSeries.Floats(encoder.state_dict()[$"{name}.{part}"]);
                Assert.IsTrue(values.All(v => Math.Abs(v) <= bound + 1e-6), $"{name}.{part}");
                Assert.IsTrue(values.Max() > 0.8 * bound && values.Min() < -0.8 * bound, $"{name}.{part} fills the range");
            }
        }
    }

    [TestMethod]
    public void AConvolutionOfThreeTapsEqualsTorchsOwn()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var streams = new RandomStreams(1);
        using var block = new DilatedBlock(4, 4, dilation: 2, isLast: false, streams);
        using var generator = new Generator(5);
        var steps = randn(2, 9, 4, generator: generator);
        var expected = Convolve(nn.functional.gelu(steps), "conv1");
        expected = Convolve(nn.functional.gelu(expected), "conv2") + steps;
        var actual = TestSeries.Floats(block.call(steps, ones(2, 9, 1)));
        var want = TestSeries.Floats(expected);
        for (var i = 0; i < want.Length; i++)
            Assert.AreEqual(want[i], actual[i], 1e-5f);

        Tensor Convolve(Tensor input, string name)
        {
            var weights = block.state_dict();
            var kernel = weights[$"{name}.weight"].view(4, 3, 4).permute(0, 2, 1).contiguous();     // [out, in, taps]
            return nn.functional.conv1d(input.transpose(1, 2), kernel, weights[$"{name}.bias"], padding: 2, dilation: 2).transpose(1, 2);
        }
    }

    [TestMethod]
    public void APooledConvolutionEqualsTorchsOwnLayers()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var streams = new RandomStreams(1);
        using var encoder = TimeSeriesEncoders.PooledConvolution(6, numberOfBlocks: 1, kernelSize: 8, dropout: 0).Create(s_layout, streams);
        var series = TestSeries.Of(14, 14);
        using var norm = nn.BatchNorm1d(6);
        var weight = encoder.state_dict()["blocks.0.weight"];
        CollectionAssert.AreEqual(new long[] { 6, 2, 8 }, weight.shape);
        Assert.IsLessThanOrEqualTo(0.25f, weight.abs().max().item<float>());
        // As the authors have it, but for the one step more that theirs gives: 4 zeros in front, 3 behind.
        var expected = nn.functional.max_pool1d(norm.call(nn.functional.conv1d(series.Values, weight, padding: 4).narrow(2, 0, 14)).relu(), 2);
        encoder.train();
        TestTensors.AreClose(expected.transpose(1, 2), encoder.EncodeSteps(series), 1e-5f);
    }

    [TestMethod]
    public void WhatLiesBehindTheEndTakesNoPartInTheBatchNormalization()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Create(TimeSeriesEncoders.PooledConvolution(6, numberOfBlocks: 1, kernelSize: 1, dropout: 0));
        encoder.train();
        using var series = TestSeries.Of(5, 20);
        var real = cat([series.Values[0].narrow(1, 0, 5), series.Values[1]], 1).unsqueeze(0);                   // [1, C, 25]
        var maps = nn.functional.conv1d(real, encoder.state_dict()["blocks.0.weight"]);
        encoder.EncodeSteps(series);
        TestTensors.AreClose(maps.mean([0L, 2L]) * 0.1, encoder.state_dict()["blocks.0.norm.running_mean"], 1e-6f);
    }

    [TestMethod]
    [DynamicData(nameof(Factories))]
    public void TheDescriptionSurvivesJson(TimeSeriesEncoderFactory factory)
        => Assert.AreEqual(factory.ToJson().ToJsonString(), EncoderFactory.FromJson(factory.ToJson()).ToJson().ToJsonString());

    [TestMethod]
    public void FaultsAreNamedTogether()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeriesEncoders.DilatedConvolution(0, 0, -1, 1));
        foreach (var name in (string[])["embeddingDimension", "hiddenDimension", "depth", "dropout"])
            StringAssert.Contains(fault.Message, name, StringComparison.OrdinalIgnoreCase);
        fault = Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeriesEncoders.PooledConvolution(0, 0, 0, 1));
        foreach (var name in (string[])["embeddingDimension", "numberOfBlocks", "kernelSize", "dropout"])
            StringAssert.Contains(fault.Message, name, StringComparison.OrdinalIgnoreCase);
    }

    private static readonly SeriesLayout s_layout = new(2, null);

    private static TimeSeriesEncoderFactory Patches(bool normalizes, bool separates)
        => TimeSeriesEncoders.PatchTransformer(4, numberOfLayers: 2, dimension: 8, numberOfHeads: 2, instanceNormalization: normalizes,
            channelIndependence: separates);

    private static TimeSeriesEncoder Create(TimeSeriesEncoderFactory factory)
    {
        using var streams = new RandomStreams(2);
        var encoder = factory.Create(s_layout, streams);
        encoder.eval();
        return encoder;
    }
}
