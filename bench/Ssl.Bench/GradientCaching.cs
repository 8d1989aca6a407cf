using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Peak memory and time of a step of CLIP with batches of rising size, embedded at once and in parts.</summary>
public sealed class GradientCaching : BenchCase
{
    private const int Steps = 3, Part = 128;

    /// <inheritdoc/>
    public override string Name => "gradient-caching";

    /// <inheritdoc/>
    public override int Minutes => 5;

    /// <inheritdoc/>
    public override string Description => "peak memory and seconds of a step of Clip with 256, 1,024 and 4,096 rows, at once and in parts of 128";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        foreach (var rows in settings.Quick ? (int[])[256] : [256, 1_024, 4_096])
        {
            var (whole, parts) = (ChildProcess.Start("clip-step", $"{rows}", "0"), ChildProcess.Start("clip-step", $"{rows}", $"{Part}"));
            results.Add($"peak memory, {rows:N0} rows, parts of {Part}", parts["peak"], "MB", whole["peak"], lessIsBetter: true);
            results.Add($"seconds a step, {rows:N0} rows, parts of {Part}", parts["seconds"], "s", whole["seconds"], lessIsBetter: true);
        }
        results.Note($"Clip, images of 3 x 32 x 32 pixels, SmallConvNet and Bag with their defaults, {Steps} steps; the reference embeds all rows at once; each run in a process of its own.");
    }

    /// <summary>The child's side: some steps on made-up rows.</summary>
    public static Dictionary<string, double> Train(int rows, int part)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var random = new Random(1);
        var data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i =>
        {
            var row = new PairRow { Text = string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"word{random.Next(500)}")) };
            random.NextBytes(row.Image);
            return row;
        }).ToArray());
        var clock = new Clock();
        using var encoder = mlContext.SelfSupervised().ImageText.Clip(new ClipTrainer.Options
        {
            BatchSize = rows, NumberOfEpochs = Steps, EncoderBatchSize = part == 0 ? null : part, RecomputesBatchStatistics = false, Progress = clock,
        }).Fit(data);
        return new Dictionary<string, double> { ["peak"] = Measure.PeakMegabytes(), ["seconds"] = clock.SecondsOfASingleStep };
    }

    // The first step also makes buffers: the others count.
    private sealed class Clock : IProgress<PretrainingProgress>
    {
        private readonly List<double> _ends = [];
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        public double SecondsOfASingleStep => (_ends[^1] - _ends[0]) / (_ends.Count - 1);

        public void Report(PretrainingProgress value)
        {
            if (value.EpochCompleted)
                _ends.Add(_watch.Elapsed.TotalSeconds);
        }
    }

    private sealed class PairRow
    {
        [VectorType(3, 32, 32)]
        public byte[] Image { get; set; } = new byte[3 * 32 * 32];

        public string Text { get; set; } = "";
    }
}
