using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.TimeSeries;

/// <summary>The convolution network over frequencies and time.</summary>
[TestClass]
public sealed class SpectrogramConvolutionTests
{
    private const int Bands = 17;

    private static readonly TimeSeriesEncoderFactory s_factory = TimeSeriesEncoders.SpectrogramConvolution(embeddingDimension: 6, width: 4, dropout: 0.2);

    [TestMethod]
    [DataRow(16)]
    [DataRow(21)]
    public void PaddingChangesNothing(int length)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var encoder = Trained();
        var alone = TestSeries.Floats(encoder.call(Sounds(length)));
        var padded = TestSeries.Floats(encoder.call(Sounds(length, 43)).narrow(0, 0, 1));
        for (var i = 0; i < alone.Length; i++)
            Assert.AreEqual(alone[i], padded[i], 1e-5f);
        Assert.IsTrue(alone.Any(value => value > 0.01f), "an embedding to speak of");
    }

    // By torch's own functions, without padding: three convolutions, each with a maximum behind it, two layers, mean plus maximum.
    [TestMethod]
    public void ItIsWhatThePaperDraws()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var encoder = Trained();
        var sounds = Sounds(24, 24);
        var weights = encoder.state_dict();
        var maps = sounds.Values.unsqueeze(1);
        for (var block = 0; block < 3; block++)
        {
            maps = nn.functional.conv2d(maps, weights[$"blocks.{block}.convolution.weight"], padding: [1L, 1L]);
            maps = nn.functional.batch_norm(maps, weights[$"blocks.{block}.norm.running_mean"], weights[$"blocks.{block}.norm.running_var"],
                weights[$"blocks.{block}.norm.weight"], weights[$"blocks.{block}.norm.bias"]);
            maps = nn.functional.max_pool2d(maps.relu(), [2L, 2L]);
        }
        CollectionAssert.AreEqual(new long[] { 2, 4, Bands / 8, 3 }, maps.shape);
        var steps = maps.permute(0, 3, 1, 2).reshape(2, 3, -1);
        steps = nn.functional.linear(steps, weights["hidden.weight"], weights["hidden.bias"]).relu();
        steps = nn.functional.linear(steps, weights["output.weight"], weights["output.bias"]).relu();
        var expected = TestSeries.Floats(steps.mean([1]) + steps.amax(1));
        var actual = TestSeries.Floats(encoder.call(sounds));
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-5f);
    }

    [TestMethod]
    public void StepsAreEightTimestampsAndHiddenOnesAreNotSeen()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var encoder = Trained();
        var sounds = Sounds(20, 33);
        CollectionAssert.AreEqual(new long[] { 2, 5, 6 }, encoder.EncodeSteps(sounds).shape);
        Assert.AreEqual(3, encoder.StepMask(sounds)[0].sum().item<long>());
        Assert.AreEqual(5, encoder.StepMask(sounds)[1].sum().item<long>());
        var hidden = zeros(2, 5, dtype: ScalarType.Bool);
        hidden[1, 2] = true;
        var other = sounds.WithValues(sounds.Values.clone());
        other.Values[1].narrow(1, 16, 8).add_(3);
        Assert.AreEqual(0, (encoder.EncodeSteps(sounds, hidden) - encoder.EncodeSteps(other, hidden)).abs().max().item<float>());
        Assert.AreNotEqual(0, (encoder.EncodeSteps(sounds) - encoder.EncodeSteps(other)).abs().max().item<float>());
    }

    // What the batch normalization learns of a batch does not depend on its padding.
    [TestMethod]
    public void PaddingTakesNoPartInTheStatistics()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor Learned(SeriesBatch sounds)
        {
            var encoder = Create();
            encoder.train();
            encoder.call(sounds);
            return encoder.state_dict()["blocks.2.norm.running_var"];
        }
        var sound = Sounds(24);
        var padded = new SeriesBatch(nn.functional.pad(sound.Values, [0, 40]), nn.functional.pad(sound.Mask, [0, 40]), nn.functional.pad(sound.Observed, [0, 40]));
        Assert.AreEqual(0, (Learned(sound) - Learned(padded)).abs().max().item<float>(), 1e-6);
    }

    [TestMethod]
    public void FewerThanEightChannelsAreRefused()
    {
        using var streams = new RandomStreams(1);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_factory.Create(new SeriesLayout(7, null), streams)).Message, "Spectrogram");
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeSeriesEncoders.SpectrogramConvolution(0, 0, 1));
        Assert.AreEqual(s_factory.ToJson().ToJsonString(), EncoderFactory.FromJson(s_factory.ToJson()).ToJson().ToJsonString());
    }

    private static TimeSeriesEncoder Create()
    {
        using var streams = new RandomStreams(1);
        return s_factory.Create(new SeriesLayout(Bands, null), streams);
    }

    // With statistics that are not those of a fresh network.
    private static TimeSeriesEncoder Trained()
    {
        var encoder = Create();
        encoder.train();
        for (var i = 0; i < 3; i++)
            encoder.call(Sounds(24, 32));
        encoder.eval();
        return encoder;
    }

    private static SeriesBatch Sounds(params int[] lengths)
    {
        var two = TestSeries.Of(lengths);
        var values = cat([.. Enumerable.Range(0, Bands).Select(band => (two.Values.narrow(1, band % 2, 1) * (1 + 0.3 * band)).sin() * two.Mask.unsqueeze(1).to(ScalarType.Float32))], 1);
        return new SeriesBatch(values, two.Mask, two.Observed) { HasPadding = lengths.Distinct().Count() > 1 };
    }
}
