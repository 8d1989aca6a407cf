using Ssl.Estimators.Transformers;
using TorchSharp;

namespace Ssl.Estimators.Tests.Transformers;

[TestClass]
[DoNotParallelize]
public sealed class ComputeThreadsTests
{
    [TestMethod]
    public void CoresAreDividedAndTheRestOfTheProcessKeepsItsNumber()
    {
        var before = torch.get_num_threads();
        try
        {
            foreach (var cores in (int[])[1, 2, 3, 9])
            {
                torch.set_num_threads(cores);
                var threads = ComputeThreads.ForThisThread();
                Assert.AreEqual(Math.Min(cores, 4), threads.Count);
                Assert.AreSame(threads, ComputeThreads.ForThisThread());
                Assert.AreEqual(cores, torch.get_num_threads(), "this thread");
                Assert.AreEqual(cores, OnANewThread(torch.get_num_threads), "a thread that comes later");

                var within = new int[threads.Count];
                using var together = new Barrier(threads.Count);                        // all of them, not one of them several times
                Task.WaitAll([.. Enumerable.Range(0, threads.Count).Select(i => threads.Run(() =>
                {
                    together.SignalAndWait();
                    within[i] = torch.get_num_threads();
                }))]);
                CollectionAssert.AreEqual(Enumerable.Repeat(cores / threads.Count, threads.Count).ToArray(), within);
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }

    [TestMethod]
    public void AnErrorReachesWhoeverWaits()
    {
        var task = ComputeThreads.ForThisThread().Run(() => throw new InvalidOperationException("no room"));
        Assert.AreEqual("no room", Assert.ThrowsExactly<InvalidOperationException>(() => task.GetAwaiter().GetResult()).Message);
        ComputeThreads.ForThisThread().Run(() => { }).GetAwaiter().GetResult();
    }

    private static int OnANewThread(Func<int> read)
    {
        var result = 0;
        var thread = new Thread(() => result = read());
        thread.Start();
        thread.Join();
        return result;
    }
}
