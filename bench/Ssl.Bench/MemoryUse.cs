using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Resident memory over many steps, and against the number of rows when the rows do not fit the cache.</summary>
public sealed class MemoryUse : BenchCase
{
    private const int BatchSize = 256, Words = 12;

    /// <inheritdoc/>
    public override string Name => "memory";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description => "resident memory over 2,000 steps, and with 100k and 1M streamed rows";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (small, large, steps) = settings.Quick ? (5_000L, 50_000L, 150) : (100_000L, 1_000_000L, 2_000);
        var few = ChildProcess.Start("train-streaming", $"{small}", $"{steps}");
        var many = ChildProcess.Start("train-streaming", $"{large}", $"{steps}");
        results.Add($"resident after 1/4 of the steps, {small:N0} rows", few["early"], "MB");
        results.Add($"resident at the end ({few["steps"]:N0} steps)", few["late"], "MB", few["early"], lessIsBetter: true);
        results.Add($"resident at the end, {large:N0} rows ({many["steps"]:N0} steps)", many["late"], "MB", few["late"],
            lessIsBetter: true);
        results.Add($"peak, {large:N0} rows", many["peak"], "MB", few["peak"], lessIsBetter: true);
        results.Note($"Streaming (CacheLimit 0, shuffle buffer 16,384) of made-up texts of 6 to {Words} words, batches of {BatchSize}; each run in a process of its own.");
    }

    /// <summary>The child's side: pretrains on rows that are made as they are read, and watches its own memory.</summary>
    public static Dictionary<string, double> TrainStreaming(long rows, int steps)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var data = mlContext.Data.LoadFromEnumerable(Rows(rows));
        var watch = new Watch(steps);
        var epochs = Math.Max(1, (int)Math.Ceiling((double)steps * BatchSize / rows));
        using var encoder = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(),
            BatchSize = BatchSize,
            NumberOfEpochs = epochs,
            CacheLimit = 0,
            ShuffleBufferSize = 16_384,
            VocabularySize = 4_000,
            Progress = watch,
        }).Fit(data);
        return new Dictionary<string, double>
        {
            ["early"] = watch.Early, ["late"] = Measure.ResidentMegabytes(), ["peak"] = Measure.PeakMegabytes(),
            ["steps"] = (double)epochs * rows / BatchSize,
        };
    }

    private static IEnumerable<TextRow> Rows(long count)
    {
        foreach (var text in BenchText.Synthetic(count, Words, BenchResults.Seed))
            yield return new TextRow { Text = text };
    }

    /// <summary>Notes resident memory once a quarter of the steps is done.</summary>
    private sealed class Watch(int steps) : IProgress<PretrainingProgress>
    {
        private long _completed;

        public double Early { get; private set; } = double.NaN;

        public void Report(PretrainingProgress value)
        {
            var done = _completed + value.Step;
            if (value.EpochCompleted)
                _completed += value.Step;
            if (double.IsNaN(Early) && done >= steps / 4)
                Early = Measure.ResidentMegabytes();
        }
    }
}
