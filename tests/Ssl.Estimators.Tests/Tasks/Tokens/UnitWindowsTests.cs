using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Tests.Tasks.Tokens;

[TestClass]
public sealed class UnitWindowsTests
{
    // Units of 1 to room / 4 tokens.
    private static int[] Starts(Random random, int units, int room)
    {
        var starts = new int[units + 1];
        for (var i = 0; i < units; i++)
            starts[i + 1] = starts[i] + random.Next(1, UnitWindows.MostTokens(room) + 1);
        return starts;
    }

    [TestMethod]
    public void Windows_fit_cover_all_units_and_overlap_as_much_as_asked_for()
    {
        var random = new Random(1);
        for (var run = 0; run < 2_000; run++)
        {
            var (room, units, overlap) = (random.Next(1, 40), random.Next(0, 60), random.NextDouble() * UnitWindows.LargestOverlap);
            var starts = Starts(random, units, room);
            var windows = UnitWindows.Cut(starts, room, overlap);
            Assert.AreEqual(units == 0, windows.Count == 0);
            for (var i = 0; i < windows.Count; i++)
            {
                Assert.IsLessThanOrEqualTo(room, starts[windows[i].End] - starts[windows[i].First]);
                if (i == 0)
                {
                    Assert.AreEqual(0, windows[i].First);
                    continue;
                }
                Assert.IsGreaterThan(windows[i - 1].End, windows[i].End, "a window has something new");
                Assert.IsGreaterThan(windows[i - 1].First, windows[i].First);
                Assert.IsLessThanOrEqualTo(windows[i - 1].End, windows[i].First, "nothing is left out");
                Assert.IsLessThanOrEqualTo(overlap * room, starts[windows[i - 1].End] - starts[windows[i].First], "no more than asked for");
            }
            if (units > 0)
                Assert.AreEqual(units, windows[^1].End);
        }
    }

    [TestMethod]
    public void Units_of_one_token_overlap_by_exactly_the_share()
    {
        var windows = UnitWindows.Cut([.. Enumerable.Range(0, 21)], room: 8, overlap: 0.5);
        CollectionAssert.AreEqual(new[] { (0, 8), (4, 12), (8, 16), (12, 20) }, windows.Select(window => (window.First, window.End)).ToArray());
    }

    [TestMethod]
    public void A_unit_is_told_by_the_window_in_which_it_is_farthest_from_a_cut()
    {
        var random = new Random(2);
        for (var run = 0; run < 500; run++)
        {
            var room = random.Next(4, 40);
            var starts = Starts(random, random.Next(1, 60), room);
            var windows = UnitWindows.Cut(starts, room, random.NextDouble() * UnitWindows.LargestOverlap);
            var owners = UnitWindows.Owners(windows, starts);
            for (var unit = 0; unit < owners.Length; unit++)
            {
                var best = Enumerable.Range(0, windows.Count).Where(w => windows[w].First <= unit && unit < windows[w].End).MaxBy(w => Distance(windows[w], unit));
                Assert.AreEqual(Distance(windows[best], unit), Distance(windows[owners[unit]], unit));
                Assert.IsTrue(windows[owners[unit]].First <= unit && unit < windows[owners[unit]].End);
            }

            // The ends of the text cut nothing off.
            double Distance(UnitWindow window, int unit) => Math.Min(
                window.First == 0 ? double.PositiveInfinity : starts[unit] - starts[window.First],
                window.End == starts.Length - 1 ? double.PositiveInfinity : starts[window.End] - starts[unit + 1]);
        }
    }
}
