using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.TimeSeries;

/// <summary>The methods for time series: crops, masks, finite losses with gradients, and that a few steps lower them.</summary>
[TestClass]
public sealed class TimeSeriesMethodTests
{
    [TestMethod]
    public void CropsOverlapInsideTheWindow()
    {
        using var generator = new Generator(1);
        var overlaps = new HashSet<long>();
        foreach (var window in (long[])[2, 10, 30])
        {
            for (var i = 0; i < 300; i++)
            {
                var crop = Ts2VecTrainer.Method.DrawCrop(window, generator);
                Assert.IsTrue(0 <= crop.OuterLeft && crop.OuterLeft <= crop.Left && crop.Left + 2 <= crop.Right
                    && crop.Right <= crop.OuterRight && crop.OuterRight <= window, crop.ToString());
                if (window == 30)
                    overlaps.Add(crop.Right - crop.Left);
            }
        }
        Assert.IsTrue(overlaps.Min() == 2 && overlaps.Max() == 30, $"{overlaps.Min()} to {overlaps.Max()}");
    }

    [TestMethod]
    public void StretchesStayInsideTheirSeriesWhereTheyFit()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var mask = arange(10).unsqueeze(0).lt(tensor([10, 6, 4, 2]).unsqueeze(1));
        var starts = Enumerable.Range(0, 200).Select(_
            => Ts2VecTrainer.Method.Starts(mask, 4, generator).flatten().data<long>().ToArray()).ToArray();
        foreach (var (row, last) in ((int, long)[])[(0, 6), (1, 2), (2, 0), (3, 0)])
        {
            CollectionAssert.AreEquivalent(Enumerable.Range(0, (int)last + 1).Select(i => (long)i).ToArray(),
                starts.Select(s => s[row]).Distinct().ToArray(), $"row {row}");
        }
    }

    [TestMethod]
    public void LongSeriesAreSeenFromEndToEndInWindowsOfTheLongestLength()
    {
        using var streams = new RandomStreams(9);
        var encoder = new Recorder(new SeriesLayout(2, null));
        using var method = new Ts2VecTrainer.Method(encoder, streams, new() { MaximumCropLength = 8 });
        var mask = arange(40).unsqueeze(0).lt(tensor([40, 40, 40, 3]).unsqueeze(1));
        var times = arange(40, dtype: ScalarType.Float32).expand(4, 2, 40).contiguous();
        using var series = new SeriesBatch(times, mask, mask.clone());
        for (var step = 0; step < 60; step++)
        {
            using var scope = NewDisposeScope();
            var loss = method.Loss([series]).Total;
            Assert.IsTrue(float.IsFinite(loss.item<float>()));
        }
        Assert.IsTrue(encoder.Longest <= 8, $"longest stretch {encoder.Longest}");
        Assert.IsTrue(encoder.Latest >= 35, $"latest timestamp {encoder.Latest}");
    }

    [TestMethod]
    [DataRow(0.4)]
    [DataRow(0.01)]
    [DataRow(0.99)]
    public void AShareOfEverySeriesPatchesIsHidden(double ratio)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        int[] lengths = [2, 5, 10];
        var inside = arange(10).unsqueeze(0).lt(tensor(lengths).unsqueeze(1));
        var hidden = SeriesPatchMasker.Draw(inside, ratio, generator);
        for (var i = 0; i < lengths.Length; i++)
        {
            var expected = Math.Clamp((long)Math.Round(lengths[i] * ratio), 1, lengths[i] - 1);
            Assert.AreEqual(expected, hidden[i].sum().item<long>());
        }
        Assert.IsFalse(hidden.logical_and(inside.logical_not()).any().item<bool>());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void TheLossOfMaskedPatchesCountsHiddenObservedValuesOnly(bool channelIndependence)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var streams = new RandomStreams(3);
        var encoder = TimeSeriesEncoders.PatchTransformer(4, numberOfLayers: 1, dimension: 16, numberOfHeads: 2,
            instanceNormalization: false,
            channelIndependence: channelIndependence).Create(new SeriesLayout(2, null), streams);
        using var method = new MaskedPatchesTrainer.Method(encoder, streams, new() { MaskRatio = 0.5f });
        method.eval();
        method.load_state_dict(method.state_dict().ToDictionary(entry => entry.Key,
            entry => entry.Key.StartsWith("output.", StringComparison.Ordinal) ? zeros_like(entry.Value) : entry.Value));
        // A network that always says 0 has the mean square of the hidden values as its loss.
        var series = TestSeries.Of(16, 16);
        using var same = new RandomStreams(3);
        var hidden = SeriesPatchMasker.Draw(ones(channelIndependence ? 4 : 2, 4, dtype: ScalarType.Bool), 0.5, same.Masks);
        double sum = 0, count = 0;
        for (var n = 0; n < 2; n++)
        {
            for (var c = 0; c < 2; c++)
            {
                for (var t = 0; t < 16; t++)
                {
                    if (hidden[channelIndependence ? 2 * n + c : n, t / 4].item<bool>())
                        (sum, count) = (sum + Math.Pow(series.Values[n, c, t].item<float>(), 2), count + 1);
                }
            }
        }
        Assert.AreEqual(sum / count, method.Loss([series]).Total.item<float>(), 1e-5);
    }

    [TestMethod]
    public void SectionsAreMeansOfNeighborsOverTheOwnLengthOfASeries()
    {
        using var scope = NewDisposeScope();
        var steps = arange(10, dtype: ScalarType.Float32).view(1, 10, 1).expand(4, 10, 1).contiguous();
        var mask = arange(10).unsqueeze(0).lt(tensor([9, 7, 3, 2]).unsqueeze(1));
        var sections = TestSeries.Floats(StepSections.Means(steps, mask, 3));
        float[] expected = [1, 4, 7, /**/ 0.5f, 2.5f, 5, /**/ 0, 1, 2, /**/ 0, 0, 1];
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], sections[i], 1e-5f, $"section {i}");
    }

    [TestMethod]
    public void AFewStepsLowerTheLossOfEveryMethod()
    {
        foreach (var create in (Func<RandomStreams, PretrainingMethod>[])
            [
                streams => new Ts2VecTrainer.Method(Convolution(streams), streams, new()),
                streams => new MaskedPatchesTrainer.Method(Patches(streams), streams, new()),
                streams => new TemporalContextualContrastTrainer.Method(Convolution(streams), streams, new()),
                streams => new TemporalContextualContrastTrainer.Method(Patches(streams), streams, new()),
            ])
        {
            using var streams = new RandomStreams(9);
            using var method = create(streams);
            using var series = TestSeries.Tones(24, 40);
            using var optimizer = new AdamWOptimizer(method.named_parameters(), weightDecay: 0);
            var losses = new List<float>();
            for (var step = 0; step < 100; step++)
            {
                using var scope = NewDisposeScope();
                optimizer.ZeroGradients();
                var loss = method.Loss([series]);
                loss.Total.backward();
                optimizer.Step(5e-3, clipNorm: 0);
                losses.Add(loss.Total.item<float>());
                Assert.IsTrue(float.IsFinite(losses[^1]), $"{method.GetName()}, step {step}");
            }
            Assert.IsLessThan(0.9 * losses.Take(5).Average(), losses.TakeLast(5).Average(), method.GetName());
        }
    }

    [TestMethod]
    public void TheTemporalContrastDoesNotDependOnTheLengthOfTheEncodersVectors()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var series = TestSeries.Of(24, 24, 24);
        var losses = ((float[])[1, 50]).Select(factor =>
        {
            using var streams = new RandomStreams(9);
            using var method = new TemporalContextualContrastTrainer.Method(new Recorder(new SeriesLayout(2, null), factor), streams,
                new() { ContextualWeight = 0 });
            method.eval();
            return method.Loss([series]).Total.item<float>();
        }).ToArray();
        Assert.AreEqual(losses[0], losses[1], 1e-4f);
        Assert.IsGreaterThan(0.5f, losses[0]);
    }

    // The values themselves are the steps' vectors; remembers what it was shown.
    private sealed class Recorder(SeriesLayout layout, float factor = 1)
        : TimeSeriesEncoder(nameof(Recorder), TimeSeriesEncoders.DilatedConvolution(2, 1, depth: 0), layout)
    {
        public long Longest { get; private set; }

        public float Latest { get; private set; } = float.NegativeInfinity;

        public override Tensor StepMask(SeriesBatch batch) => batch.Mask.alias();

        public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
        {
            Longest = Math.Max(Longest, batch.Length);
            Latest = Math.Max(Latest, batch.Values.max().item<float>());
            return batch.Values.transpose(1, 2) * factor;
        }
    }

    [TestMethod]
    public void Ts2VecRefusesAnEncoderWhoseStepsAreLongerThanATimestamp()
    {
        using var streams = new RandomStreams(1);
        using var pooled = TimeSeriesEncoders.PooledConvolution(8, numberOfBlocks: 1).Create(new SeriesLayout(2, null), streams);
        using var patches = Patches(streams);
        foreach (var encoder in (TimeSeriesEncoder[])[pooled, patches])
            StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(()
                => new Ts2VecTrainer.Method(encoder, streams, new())).Message, "DilatedConvolution");
    }

    private static TimeSeriesEncoder Convolution(RandomStreams streams)
        => TimeSeriesEncoders.DilatedConvolution(16, 8, depth: 3).Create(new SeriesLayout(2, null), streams);

    private static TimeSeriesEncoder Patches(RandomStreams streams)
        => TimeSeriesEncoders.PatchTransformer(4, numberOfLayers: 1, dimension: 16, numberOfHeads: 2)
            .Create(new SeriesLayout(2, null), streams);
}
