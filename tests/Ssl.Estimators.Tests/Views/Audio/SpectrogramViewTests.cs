using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views.Audio;

/// <summary>Views of spectrograms against loops over the same draws.</summary>
[TestClass]
public sealed class SpectrogramViewTests
{
    private static readonly int[] s_lengths = [9, 14, 6];

    [TestMethod]
    public void MixupAddsTheSoundsThemselves()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var batch = TestSeries.Of(s_lengths);
        var mixed = new SpectrogramMixup(0.4).Apply(batch, streams.Views);
        long[] others = [.. Draws.Permutation(3, CPU, same.Views).data<long>()];
        float[] shares = [.. TestSeries.Floats(Draws.Uniform([3, 1, 1], CPU, same.Views)).Select(draw => draw * 0.4f)];
        Assert.IsTrue(others.Where((other, i) => other != i).Any(), "a draw that mixes");
        for (var i = 0; i < 3; i++)
        {
            for (var c = 0; c < 2; c++)
            {
                for (var t = 0; t < 14; t++)
                {
                    double own = Math.Exp(Value(batch, i, c, t)), other = t < s_lengths[others[i]] ? Math.Exp(Value(batch, (int)others[i], c, t)) : 0;
                    double expected = t < s_lengths[i] ? Math.Log((1 - shares[i]) * own + shares[i] * other) : 0;
                    Assert.AreEqual(expected, Value(mixed, i, c, t), 1e-5, $"sound {i}, band {c}, timestamp {t}");
                }
            }
        }
        IsSameOutside(batch, mixed);
        var nothing = new SpectrogramMixup(0).Apply(batch, streams.Views);
        Assert.AreEqual(0, (nothing.Values - batch.Values).abs().max().item<float>(), 1e-6);
    }

    [TestMethod]
    [DataRow(0.3, 0.8)]
    [DataRow(0.6, 1.5)]
    [DataRow(1.0, 1.0)]
    public void TheCropStretchesAPartOfBandsAndLength(double least, double most)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(2), same = new(2);
        var batch = Bands(5);
        var cropped = new SpectrogramCrop(least, most).Apply(batch, streams.Views);
        float[] bands = TestSeries.Floats(Draws.Uniform([3, 2, 1], CPU, same.Views)), times = TestSeries.Floats(Draws.Uniform([3, 2, 1], CPU, same.Views));
        for (var i = 0; i < 3; i++)
        {
            for (var c = 0; c < 5; c++)
            {
                for (var t = 0; t < 14; t++)
                {
                    double expected = t < s_lengths[i] ? Between(Place(t, times, i, s_lengths[i]), s_lengths[i], u => Between(Place(c, bands, i, 5), 5, v => Value(batch, i, v, u))) : 0;
                    Assert.AreEqual(expected, Value(cropped, i, c, t), 1e-4, $"sound {i}, band {c}, timestamp {t}");
                }
            }
        }
        IsSameOutside(batch, cropped);
        if (least == most)
            Assert.AreEqual(0, (cropped.Values - batch.Values).abs().max().item<float>(), 1e-5, "a part of all is all");

        double Place(int at, float[] draws, int i, int count)
        {
            double share = least + draws[2 * i] * (most - least);
            return (at + 0.5) * share + draws[2 * i + 1] * count * (1 - share) - 0.5;
        }
    }

    // Park et al., 2019 (arXiv:1904.08779): a width from 0 to the most, then a place where it fits.
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void MasksHideStretchesOfTheirOwnWidths(bool isTime)
    {
        const double most = 0.8;
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(4), same = new(4);
        var batch = Bands(10);
        var masked = isTime ? new TimeMask(most, count: 2).Apply(batch, streams.Views) : new FrequencyMask(most, count: 2).Apply(batch, streams.Views);
        float[] draws = TestSeries.Floats(Draws.Uniform([3, 2, 2], CPU, same.Views));
        var hidden = 0;
        for (var i = 0; i < 3; i++)
        {
            int places = isTime ? s_lengths[i] : 10;
            var flags = new bool[14];
            for (var k = 0; k < 2; k++)
            {
                int width = (int)Math.Round(draws[i * 4 + k] * places * most), start = (int)(draws[i * 4 + 2 + k] * (places - width + 1));
                Array.Fill(flags, true, start, width);
                hidden += width;
            }
            for (var c = 0; c < 10; c++)
            {
                for (var t = 0; t < 14; t++)
                    Assert.AreEqual(flags[isTime ? t : c] ? 0 : Value(batch, i, c, t), Value(masked, i, c, t), $"sound {i}, band {c}, timestamp {t}");
            }
        }
        Assert.IsGreaterThan(0, hidden);
        IsSameOutside(batch, masked);
    }

    [TestMethod]
    public void GainAddsOneNumberToASound()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(5), same = new(5);
        var batch = TestSeries.Of(s_lengths);
        var louder = new SpectrogramGain(0.7).Apply(batch, streams.Views);
        float[] draws = TestSeries.Floats(Draws.Uniform([3, 1, 1], CPU, same.Views));
        for (var i = 0; i < 3; i++)
        {
            for (var t = 0; t < 14; t++)
            {
                for (var c = 0; c < 2; c++)
                    Assert.AreEqual(t < s_lengths[i] ? Value(batch, i, c, t) + 1.4 * draws[i] - 0.7 : 0, Value(louder, i, c, t), 1e-5);
            }
        }
        IsSameOutside(batch, louder);
    }

    [TestMethod]
    public void ShiftTurnsASoundAlongItsOwnLength()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(6), same = new(6);
        var batch = TestSeries.Of(s_lengths);
        List<int> shifts = [];
        for (var turn = 0; turn < 4; turn++)
        {
            var shifted = new TimeShift(0.6).Apply(batch, streams.Views);
            float[] draws = TestSeries.Floats(Draws.Uniform([3, 1], CPU, same.Views));
            for (var i = 0; i < 3; i++)
            {
                int shift = (int)Math.Round((draws[i] * 1.2f - 0.6f) * s_lengths[i]);
                shifts.Add(shift);
                for (var t = 0; t < 14; t++)
                {
                    var from = t < s_lengths[i] ? ((t - shift) % s_lengths[i] + s_lengths[i]) % s_lengths[i] : t;
                    for (var c = 0; c < 2; c++)
                        Assert.AreEqual(Value(batch, i, c, from), Value(shifted, i, c, t), $"sound {i}, channel {c}, timestamp {t}");
                }
            }
            IsSameOutside(batch, shifted);
        }
        Assert.IsTrue(shifts.Any(shift => shift < 0) && shifts.Any(shift => shift > 0), "to both sides");
    }

    [TestMethod]
    public void WrongSettingsAreRefused()
    {
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new TimeMask(2, 0)).Message, "count");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new FrequencyMask(-1, 0)).Message, "maximumShare");
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpectrogramGain(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TimeShift(1.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpectrogramMixup(1));
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => new SpectrogramCrop(0, -1)).Message;
        StringAssert.Contains(message, "minimumShare");
        StringAssert.Contains(message, "maximumShare");
    }

    // Linear between neighbors; nothing outside.
    private static double Between(double place, int count, Func<int, double> value)
    {
        int lower = (int)Math.Floor(place);
        double weight = place - lower;
        return At(lower) * (1 - weight) + At(lower + 1) * weight;

        double At(int index) => index >= 0 && index < count ? value(index) : 0;
    }

    private static SeriesBatch Bands(int bands)
    {
        var two = TestSeries.Of(s_lengths);
        var values = cat([.. Enumerable.Range(0, bands).Select(band => two.Values.narrow(1, band % 2, 1) * (band + 1))], 1);
        return new SeriesBatch(values, two.Mask, two.Observed);
    }

    private static double Value(SeriesBatch batch, int series, int channel, int time) => batch.Values[series, channel, time].item<float>();

    private static void IsSameOutside(SeriesBatch before, SeriesBatch after)
    {
        Assert.IsTrue(before.Mask.eq(after.Mask).all().item<bool>());
        Assert.IsTrue(before.Observed.eq(after.Observed).all().item<bool>());
    }
}
