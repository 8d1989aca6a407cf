using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Randomness;

[TestClass]
public sealed class RandomStreamsTests
{
    [TestMethod]
    public void TheSameSeedGivesTheSameNumbersAndAnotherSeedOthers()
    {
        CollectionAssert.AreEqual(Draw(new RandomStreams(5)), Draw(new RandomStreams(5)));
        CollectionAssert.AreNotEqual(Draw(new RandomStreams(5)), Draw(new RandomStreams(6)));
    }

    [TestMethod]
    public void StreamsDoNotDisturbEachOther()
    {
        using RandomStreams one = new(5), other = new(5);
        using var scope = NewDisposeScope();
        rand(100, generator: one.Views);
        one.Shuffle.Next();
        Assert.AreEqual(rand(1, generator: other.Masks).item<float>(), rand(1, generator: one.Masks).item<float>());
        Assert.AreNotEqual(rand(1, generator: other.Views).item<float>(), rand(1, generator: one.Views).item<float>());
    }

    [TestMethod]
    public void StreamsAreUnrelated()
    {
        using var streams = new RandomStreams(5);
        using var scope = NewDisposeScope();
        Assert.HasCount(4, new[] { streams.Weights, streams.Dropout, streams.Views, streams.Masks }
            .Select(generator => rand(1, generator: generator).item<float>()).Distinct().ToArray());
    }

    [TestMethod]
    public void TheyContinueFromASavedState()
    {
        using RandomStreams one = new(5), other = new(99);
        Draw(one);
        other.SetState(one.GetState());
        CollectionAssert.AreEqual(Draw(one), Draw(other));
        Assert.Throws<ArgumentException>(() => other.SetState(new Dictionary<string, byte[]>()));
    }

    [TestMethod]
    public void ShufflesAreEven()
    {
        var random = new ShuffleRandom(3);
        var counts = new int[6, 6];
        for (int i = 0; i < 6000; i++)
        {
            int[] order = [0, 1, 2, 3, 4, 5];
            random.Shuffle(order);
            for (int place = 0; place < 6; place++)
                counts[place, order[place]]++;
        }
        foreach (int count in counts)
            Assert.AreEqual(1000, count, 130);
    }

    private static double[] Draw(RandomStreams streams)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. new[] { streams.Weights, streams.Dropout, streams.Views,
                streams.Masks }.Select(generator => (double)rand(1, generator: generator).item<float>()),
            streams.Shuffle.NextDouble(),
        ];
    }

    [TestMethod]
    public void AStateOfAnotherLengthOrThatNoGeneratorCanHaveIsRefusedAndNothingIsChanged()
    {
        using var streams = new RandomStreams(1);
        var good = streams.GetState();
        foreach (var (name, alter, part) in new (string, Func<byte[], byte[]>, string)[]
        {
            ("views", bytes => bytes[..^1], "bytes here, got"),
            ("masks", bytes => [], "bytes here, got 0"),
            ("weights", bytes => [.. bytes[..8], 0, 0, 0, 0, .. bytes[12..]], "0 numbers are left of 624"),
            ("dropout", bytes => [.. bytes[..12], 0, .. bytes[13..]], "the mark of a seeded one is 0"),
            ("views", bytes => [.. bytes[..16], 0xff, 0xff, .. bytes[18..]], "the next stands at 65535"),
            ("shuffle", bytes => new byte[bytes.Length], "zeros"),
        })
        {
            var fault = Assert.ThrowsExactly<ArgumentException>(() => streams.SetState(new Dictionary<string, byte[]>(good)
            {
                [name] = alter(good[name]),
            }), name);
            StringAssert.Contains(fault.Message, part);
            foreach (var (key, state) in streams.GetState())
                CollectionAssert.AreEqual(good[key], state, $"{name}: {key}");
        }
    }

    [TestMethod]
    [TestCategory("Checkout")]
    public void NoDamagedStateEndsTheProcess() => StringAssert.StartsWith(ChildProcess.Run("damaged-streams"), "streams: ");
}
