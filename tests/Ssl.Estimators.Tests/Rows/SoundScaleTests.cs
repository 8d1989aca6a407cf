using Microsoft.ML;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>What is taken for the loudest value of a sample.</summary>
[TestClass]
public sealed class SoundScaleTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(0, 1)]
    [DataRow(0.3, 1)]
    [DataRow(1.9, 1)]
    [DataRow(2.1, 128)]
    [DataRow(-128, 128)]
    [DataRow(129, 32_768)]
    [DataRow(-32_768, 32_768)]
    [DataRow(40_000, 2_147_483_648)]
    public void TheSmallestUsualScaleThatHoldsAllIsTaken(double loudest, double scale)
    {
        List<string> told = [];
        var found = SoundScale.Find(View([0, 0.01f, float.NaN], [(float)loudest]), "Sound", new LogMelSpectrogram(8_000, numberOfBands: 12), told.Add, default);
        Assert.AreEqual(scale, found.FullScale);
        Assert.AreEqual(12, found.NumberOfBands);
        StringAssert.Contains(told.Single(), "'Sound'");
        StringAssert.Contains(told.Single(), "fullScale");
    }

    [TestMethod]
    public void WhatIsStatedIsNotLookedFor()
        => Assert.AreEqual(5, SoundScale.Find(View([9e30f]), "Sound", new LogMelSpectrogram(8_000, fullScale: 5), _ => Assert.Fail("nothing to tell"), default).FullScale);

    [TestMethod]
    public void SamplesBeyondAllScalesAreRefusedInASentence()
    {
        var message = Assert.Throws<InvalidOperationException>(() => SoundScale.Find(View([3e9f]), "Sound", new LogMelSpectrogram(8_000), _ => { }, default)).Message;
        Assert.AreEqual("Samples in column 'Sound' go up to 3E+09, which is beyond all usual scales: 1, 128, 32768, 2147483648. State fullScale of the spectrogram.", message);
    }

    private static IDataView View(params float[][] sounds) => s_mlContext.Data.LoadFromEnumerable(sounds.Select(sound => new SoundRow { Sound = sound }).ToArray());

    private sealed class SoundRow
    {
        public float[] Sound { get; set; } = [];
    }
}
