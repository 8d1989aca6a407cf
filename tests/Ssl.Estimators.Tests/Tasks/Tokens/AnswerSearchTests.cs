using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Tests.Tasks.Tokens;

[TestClass]
public sealed class AnswerSearchTests
{
    [TestMethod]
    public void The_likeliest_answers_are_found_by_trying_all()
    {
        var random = new Random(1);
        for (var run = 0; run < 300; run++)
        {
            // Windows of 4 to 7 units, each begins 3 behind the one before.
            var windows = Enumerable.Range(0, random.Next(1, 4)).Select(i =>
            {
                float[] Logs(int count) => [.. Enumerable.Range(0, count).Select(_ => -5 * random.NextSingle())];
                var units = random.Next(4, 8);
                return new AnswerWindow(3 * i, Logs(units + 1), Logs(units + 1));
            }).ToArray();
            var (count, longest) = (random.Next(1, 6), random.Next(1, 4));

            var all = new Dictionary<(int, int), double>();
            foreach (var window in windows)
            {
                for (var begin = 1; begin < window.Begins.Length; begin++)
                {
                    for (var end = begin; end < window.Ends.Length && end - begin < longest; end++)
                    {
                        var span = (window.First + begin - 1, window.First + end - 1);
                        all[span] = Math.Max(all.GetValueOrDefault(span), Math.Exp(window.Begins[begin]) * Math.Exp(window.Ends[end]));
                    }
                }
            }
            // That there is none must hold in every window.
            all[(-1, -1)] = windows.Min(window => Math.Exp(window.Begins[0]) * Math.Exp(window.Ends[0]));
            var expected = all.OrderByDescending(span => span.Value).Take(count).ToArray();
            var found = AnswerSearch.Best(windows, count, longest).ToArray();
            CollectionAssert.AreEqual(expected.Select(span => span.Key).ToArray(), found.Select(span => (span.First, span.Last)).ToArray());
            for (var i = 0; i < found.Length; i++)
                Assert.AreEqual(expected[i].Value, found[i].Score, 1e-6);
        }
    }

    [TestMethod]
    public void A_context_without_words_has_no_answer_for_sure()
        => Assert.AreEqual((-1, -1, 1.0), AnswerSearch.Best([], 3, 10).Single());
}
