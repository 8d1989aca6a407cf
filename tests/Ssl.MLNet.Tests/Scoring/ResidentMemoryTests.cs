using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Resident memory of a process that scores for days.</summary>
[TestClass]
[DoNotParallelize]
public sealed class ResidentMemoryTests
{
    // What the allocators and the collector may take for themselves; a leak of the weights (some MB a cycle) or of a tensor a call is far more; other tests ran before.
    private const long Slack = 48L << 20;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [TestCategory("Long")]
    public void MemoryIsFlatOverTwoHundredCyclesOfLoadingAndScoring() => Cycle(200);

    [TestMethod]
    public void MemoryIsFlatOverSomeCyclesOfLoadingAndScoring() => Cycle(40);

    [TestMethod]
    public void MemoryIsFlatOverSomePredictions() => Predict(10_000);

    [TestMethod]
    [TestCategory("Long")]
    public void MemoryIsFlatOverAHundredThousandPredictions() => Predict(100_000);

    private void Cycle(int cycles)
    {
        var path = Path.GetTempFileName();
        try
        {
            var data = ContractData.View(_mlContext);
            // Some megabytes of weights, so that those that stay are seen.
            using (var encoder = _mlContext.SelfSupervised().Text.SimCse(new()
            {
                Encoder = TextEncoders.Transformer(dimension: 256, numberOfLayers: 2, numberOfHeads: 2),
                NumberOfEpochs = 0,
            }).Fit(data))
                _mlContext.SelfSupervised().SaveEncoder(encoder, path);
            Flat(cycles, () =>
            {
                var encoder = _mlContext.SelfSupervised().LoadEncoder(path);
                // The last of several owners frees the weights.
                using var stage = _mlContext.SelfSupervised().Embed(encoder).Fit(data);
                encoder.Dispose();
                Assert.HasCount(96, ScoringData.Embeddings(stage.Transform(data)));
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    private void Predict(int predictions)
    {
        using var encoder = ScoringData.Encoder(_mlContext);
        using var engine = ScoringData.Engine(_mlContext, encoder);
        var rows = ContractData.Rows(50);
        var next = 0;
        Flat(predictions, () => engine.Predict(rows[next++ % rows.Count]));
    }

    // A fifth to warm up; then growth must not follow the number of calls.
    private void Flat(int calls, Action call)
    {
        for (var i = 0; i < calls / 5; i++)
            call();
        var before = Resident();
        var middle = before;
        for (var i = calls / 5; i < calls; i++)
        {
            call();
            if (i == calls * 3 / 5)
                middle = Resident();
        }
        var after = Resident();
        TestContext.WriteLine($"{calls:N0}: {before >> 20} MB, {middle >> 20} MB, {after >> 20} MB");
        Assert.IsLessThan(before + Slack, after, $"resident bytes {before:N0}, {middle:N0}, {after:N0}");
    }

    private static long Resident()
    {
        if (!OperatingSystem.IsLinux())
            return Environment.WorkingSet;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
