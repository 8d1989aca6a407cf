namespace Ssl.Estimators.Tests.Data.Audio;

/// <summary>Spectrograms against the sums of their definition, and what is refused.</summary>
[TestClass]
public sealed class LogMelSpectrogramTests
{
    private const int Rate = 1_000, Bands = 8, Window = 32, Hop = 10, Spectrum = 64;

    private static readonly LogMelSpectrogram s_small = new(Rate, Bands, windowLength: 32, hopLength: 10, lowestFrequency: 20, highestFrequency: 480, fullScale: 4);

    // Hann window, discrete Fourier transform, triangles on the mel scale, logarithm: in loops.
    [TestMethod]
    public void ItIsItsLoops()
    {
        var random = new Random(1);
        double[] sound = [.. Enumerable.Range(0, 95).Select(t => 4 * Math.Sin(0.6 * t) * random.NextDouble())];
        var actual = s_small.Compute(sound);
        const int Frames = 7;
        Assert.HasCount(Bands * Frames, actual);
        Assert.AreEqual(Frames, s_small.Frames(sound.Length));
        double Mel(double f) => 2595 * Math.Log10(1 + f / 700);
        double[] corners = [.. Enumerable.Range(0, Bands + 2).Select(i => 700 * (Math.Pow(10, (Mel(20) + i * (Mel(480) - Mel(20)) / (Bands + 1)) / 2595) - 1))];
        for (var frame = 0; frame < Frames; frame++)
        {
            var power = new double[Spectrum / 2 + 1];
            for (var k = 0; k < power.Length; k++)
            {
                double real = 0, imaginary = 0;
                for (var i = 0; i < Window; i++)
                {
                    double value = sound[frame * Hop + i] / 4 * (0.5 - 0.5 * Math.Cos(2 * Math.PI * i / Window)), angle = -2 * Math.PI * k * i / Spectrum;
                    real += value * Math.Cos(angle);
                    imaginary += value * Math.Sin(angle);
                }
                power[k] = real * real + imaginary * imaginary;
            }
            for (var band = 0; band < Bands; band++)
            {
                double sum = 0;
                for (var k = 0; k < power.Length; k++)
                {
                    double f = (double)k * Rate / Spectrum;
                    double weight = f <= corners[band] || f >= corners[band + 2] ? 0
                        : f <= corners[band + 1] ? (f - corners[band]) / (corners[band + 1] - corners[band])
                        : (corners[band + 2] - f) / (corners[band + 2] - corners[band + 1]);
                    sum += weight * power[k];
                }
                Assert.AreEqual(Math.Log(sum + 1e-6), actual[band * Frames + frame], 2e-3, $"band {band}, frame {frame}");
            }
        }
    }

    [TestMethod]
    public void AToneIsLoudestInItsBand()
    {
        var spectrogram = new LogMelSpectrogram(16_000, fullScale: 1);
        foreach (var (frequency, band) in new[] { (300.0, 8), (1_000.0, 22), (4_000.0, 48) })
        {
            var series = spectrogram.Compute([.. Enumerable.Range(0, 4_000).Select(t => 0.5 * Math.Sin(2 * Math.PI * frequency * t / 16_000))]);
            int frames = spectrogram.Frames(4_000), loudest = Enumerable.Range(0, 64).MaxBy(b => series[b * frames + frames / 2]);
            Assert.AreEqual(band, loudest, $"{frequency} Hz");
        }
    }

    [TestMethod]
    public void LengthsGapsAndSilence()
    {
        Assert.IsEmpty(s_small.Compute([]));
        Assert.AreEqual(0, s_small.Frames(0));
        // Shorter than a window: filled up with silence. Silence has the logarithm of what is added.
        Assert.AreEqual(1, s_small.Frames(1));
        Assert.IsTrue(s_small.Compute([0.0]).All(value => Math.Abs(value - Math.Log(1e-6)) < 1e-4));
        Assert.AreEqual(1, s_small.Frames(41));
        Assert.AreEqual(2, s_small.Frames(42));
        // A missing sample takes the frames with it that hold it, and no other.
        double[] gap = [.. Enumerable.Range(0, 92).Select(t => t == 5 ? double.NaN : Math.Sin(t))];
        var series = s_small.Compute(gap);
        for (var i = 0; i < series.Length; i++)
            Assert.AreEqual(i % s_small.Frames(92) == 0, double.IsNaN(series[i]), $"value {i}");
    }

    [TestMethod]
    public void ItIsReadAsItWasWritten()
    {
        var read = LogMelSpectrogram.FromJson(s_small.ToJson());
        Assert.AreEqual(s_small.ToJson().ToJsonString(), read.ToJson().ToJsonString());
        double[] sound = [.. Enumerable.Range(0, 60).Select(t => Math.Sin(t))];
        // Products of MKL depend in the last bit on where in memory their factors lie.
        foreach (var (expected, actual) in s_small.Compute(sound).Zip(read.Compute(sound)))
            Assert.AreEqual(expected, actual, 1e-5f);
        var damaged = s_small.ToJson();
        damaged["sampleRate"] = -1;
        Assert.Throws<FormatException>(() => LogMelSpectrogram.FromJson(damaged));
    }

    [TestMethod]
    public void FaultsAreNamedTogether()
    {
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => new LogMelSpectrogram(10, 0, windowLength: 0, hopLength: double.NaN, lowestFrequency: -1, fullScale: 0)).Message;
        foreach (var name in (string[])["sampleRate", "numberOfBands", "windowLength", "hopLength", "lowestFrequency", "fullScale"])
            StringAssert.Contains(message, name);
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new LogMelSpectrogram(8_000, highestFrequency: 5_000)).Message, "half of the sample rate, 4000");
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new LogMelSpectrogram(8_000, numberOfBands: 500)).Message, "every band holds a frequency");
        // What a damaged file may ask for.
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new LogMelSpectrogram(8_000, numberOfBands: int.MaxValue)).Message, "must be at most");
        Assert.Throws<ArgumentOutOfRangeException>(() => new LogMelSpectrogram(1_000_000, windowLength: 1e300));
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => new LogMelSpectrogram(8_000).Compute([1.0])).Message, "FullScale");
    }
}
