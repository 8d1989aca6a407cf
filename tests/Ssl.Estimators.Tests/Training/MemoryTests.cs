using System.Globalization;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
[DoNotParallelize]
public class MemoryTests
{
    [TestMethod]
    public void MemoryIsFlatOverTwoThousandSteps()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams, inputs: 32, dimension: 16);
        var residents = new List<long>();
        var live = new List<long>();
        int steps = 0;
        var source = new ToySource(streams, rows: 64 * 200, batchSize: 64, inputs: 32)
        {
            BeforeStep = (_, _) =>
            {
                if (++steps % 400 == 0)
                {
                    residents.Add(ResidentBytes());
                    live.Add(Tensor.TotalCount);
                }
            },
        };
        PretrainingLoop.Run(method, source, new TrainingSettings { NumberOfEpochs = 10, BatchSize = 64 }, streams, CPU);
        Assert.AreEqual(2000, steps);
        // Without a collection in between: only what is not freed by the loop itself would add up.
        Assert.IsLessThan(16L << 20, residents[^1] - residents[0], $"resident bytes {string.Join(", ", residents)}");
        Assert.IsLessThan(10, live[^1] - live[0], $"tensors {string.Join(", ", live)}");
    }

    private static long ResidentBytes()
    {
        if (!OperatingSystem.IsLinux())
            return Environment.WorkingSet;
        string line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
