using System.Diagnostics;
using TorchSharp;
using TorchSharp.Native;
using static TorchSharp.torch;

namespace Ssl.StandIns.Tests.TorchSharpTests;

/// <summary>The native half: finding it, calling it from many threads, the cost of a call.</summary>
[TestClass]
public sealed class NativeTests
{
    [TestMethod]
    public void AMissingLibrarySaysWhatTheRealPackageSays()
    {
        var failure = NativeMethods.Load(["/nowhere/libssl_torch.so", null], out var handle);
        Assert.AreEqual(0, handle);
        StringAssert.StartsWith(failure, "This application or script uses TorchSharp but doesn't contain a reference to libtorch-cpu-");
        StringAssert.Contains(failure, "Consider referencing one of the combination packages TorchSharp-cpu");
        StringAssert.Contains(failure, "/nowhere/libssl_torch.so");
    }

    [TestMethod]
    public void AnUnknownOperatorIsNamed()
    {
        var missing = new Operator("no_such_operator");
        Assert.IsFalse(missing.Exists);
        var error = Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => missing.Call(1L));
        StringAssert.Contains(error.Message, "aten::no_such_operator");
    }

    [TestMethod]
    public void ThreadsComputeApart()
    {
        using var shared = nn.Linear(16, 16);
        using var input = ones(4, 16);
        using var expected = shared.call(input).detach();
        var failures = 0;
        var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (var k = 0; k < 200; k++)
            {
                using var scope = NewDisposeScope();
                using var mode = no_grad();
                if (!shared.call(input).Equals(expected)) Interlocked.Increment(ref failures);
                try
                {
                    ones(2, 3).mm(ones(2, 3));
                    Interlocked.Increment(ref failures);
                }
                catch (System.Runtime.InteropServices.ExternalException)
                {
                    // The error of this thread, not of another.
                }
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.AreEqual(0, failures);
        Assert.IsTrue(is_grad_enabled());
    }

    [TestMethod]
    public void AbandonedTensorsAreFreedByTheCollector()
    {
        var before = Tensor.TotalCount;
        Abandon();
        for (var k = 0; k < 10 && Tensor.TotalCount > before + 10; k++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.IsLessThanOrEqualTo(before + 10, Tensor.TotalCount);
    }

    [TestMethod]
    public void ATinyOperationCostsMicroseconds()
    {
        using Tensor a = ones(4), b = ones(4);
        var best = double.MaxValue;
        for (var round = 0; round < 30; round++)
        {
            var watch = Stopwatch.StartNew();
            for (var k = 0; k < 1000; k++) a.add(b).Dispose();
            best = Math.Min(best, watch.Elapsed.TotalMicroseconds / 1000);
        }
        Console.WriteLine($"a.add(b) of 4 elements: {best:f2} us");
        Assert.IsLessThan(10.0, best);
    }

    private static void Abandon()
    {
        for (var k = 0; k < 100; k++) _ = ones(1);
    }
}
