using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.StandIns.Tests.TorchSharpTests;

[TestClass]
public sealed class DisposeScopeTests
{
    [TestMethod]
    public void AScopeDisposesWhatWasMadeInIt()
    {
        Tensor inner, outer, free;
        using (var scope = NewDisposeScope())
        {
            using (NewDisposeScope())
            {
                inner = ones(2);
                outer = ones(2).MoveToOuterDisposeScope();
                free = ones(2).DetachFromDisposeScope();
            }
            Assert.IsTrue(inner.IsInvalid);
            Assert.IsFalse(outer.IsInvalid);
            Assert.IsTrue(scope.Contains(outer));
        }
        Assert.IsTrue(outer.IsInvalid);
        Assert.IsFalse(free.IsInvalid);
        free.Dispose();
    }

    [TestMethod]
    public void StatisticsCountOnTheirThread()
    {
        DisposeScopeManager.Statistics.Reset();
        using (NewDisposeScope())
        {
            var a = ones(1);
            a.Dispose();
            ones(1).DetachFromDisposeScope().Dispose();
            _ = ones(1);
        }
        var statistics = DisposeScopeManager.Statistics;
        Assert.AreEqual(3, statistics.CreatedInScopeCount);
        Assert.AreEqual(2, statistics.DisposedInScopeCount);
        Assert.AreEqual(1, statistics.DetachedFromScopeCount);
        Assert.AreEqual(0, statistics.ThreadTotalLiveCount);
        var elsewhere = 0L;
        var thread = new Thread(() => elsewhere = DisposeScopeManager.Statistics.CreatedInScopeCount);
        thread.Start();
        thread.Join();
        Assert.AreEqual(0, elsewhere);
    }

    [TestMethod]
    public void DisposeEverythingButKeeps()
    {
        using var scope = NewDisposeScope();
        Tensor kept = ones(1), gone = ones(1);
        scope.DisposeEverythingBut(kept);
        Assert.IsFalse(kept.IsInvalid);
        Assert.IsTrue(gone.IsInvalid);
        Assert.AreEqual(1, scope.DisposablesCount);
    }

    [TestMethod]
    public void AParameterTakesItsTensorOver()
    {
        using var scope = NewDisposeScope();
        var data = ones(2);
        var parameter = new global::TorchSharp.Modules.Parameter(data);
        Assert.IsTrue(data.IsInvalid);
        Assert.IsTrue(parameter.requires_grad);
        Assert.IsTrue(scope.Contains(parameter));
    }

    [TestMethod]
    public void CountsAndMemoryStayFlatOverManySteps()
    {
        using var layer = nn.Linear(64, 64);
        using var optimizer = optim.AdamW(layer.parameters());
        void Step()
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            layer.call(ones(32, 64)).pow(2).mean().backward();
            optimizer.step();
        }
        for (var k = 0; k < 50; k++) Step();
        var (tensors, memory) = (Tensor.TotalCount, Resident());
        for (var k = 0; k < 2000; k++) Step();
        Assert.AreEqual(tensors, Tensor.TotalCount, 2.0);
        Assert.IsLessThan(memory + 30_000_000, Resident());
    }

    private static long Resident()
    {
        var pages = File.ReadAllText("/proc/self/statm").Split(' ')[1];
        return long.Parse(pages, System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
