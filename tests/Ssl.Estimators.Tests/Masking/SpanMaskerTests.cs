using Ssl.Estimators.Masking;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Masking;

/// <summary>What spans hide, and what they leave.</summary>
[TestClass]
public sealed class SpanMaskerTests
{
    [TestMethod]
    [DataRow(0.065, 10)]
    [DataRow(0.3, 4)]
    [DataRow(0.9, 2)]
    [DataRow(0.01, 1)]
    public void SpansLieInsideAndLeaveSomething(double share, int span)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        int[] lengths = [40, 40, 25, 7, 2, 1];
        var inside = tensor([.. lengths.SelectMany(length => Enumerable.Range(0, 40).Select(t => t < length))], [lengths.Length, 40]);
        HashSet<string> seen = [];
        for (var draw = 0; draw < 50; draw++)
        {
            var hidden = TestSeries.Floats(SpanMasker.Draw(inside, share, span, generator)).Select(value => value == 1).Chunk(40).ToArray();
            for (var i = 0; i < lengths.Length; i++)
            {
                Assert.DoesNotContain(true, hidden[i][lengths[i]..], "padding");
                Assert.Contains(true, hidden[i]);
                if (lengths[i] > 1)
                    Assert.Contains(false, hidden[i][..lengths[i]]);
                // As many steps as all spans have, at most.
                int starts = Math.Max(1, (int)Math.Round(share * lengths[i]));
                Assert.IsLessThanOrEqualTo(starts * Math.Min(span, Math.Max(1, lengths[i] / 2)), hidden[i].Count(flag => flag));
            }
            // A run of hidden steps is a span or more, unless the end of the series cuts it or a step was left visible within.
            if (share < 0.2)
            {
                for (var t = 0; t < 40; t++)
                {
                    if (hidden[0][t] && (t == 0 || !hidden[0][t - 1]))
                        Assert.IsTrue(Enumerable.Range(t, Math.Min(span, 40 - t)).All(at => hidden[0][at]), "a whole span");
                }
            }
            seen.Add(string.Concat(hidden[0].Select(flag => flag ? '1' : '0')));
        }
        Assert.IsGreaterThan(10, seen.Count, "other spans in every draw");
    }

    [TestMethod]
    public void WrongSettingsAreRefused()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => SpanMasker.Draw(ones(1, 4, dtype: ScalarType.Bool), 1, 0, generator)).Message;
        StringAssert.Contains(message, "startShare");
        StringAssert.Contains(message, "length");
    }
}
