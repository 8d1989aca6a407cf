using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Methods;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Peak memory and time of a step with batches of rising size, embedded at once and in parts: a method of each kind of data.</summary>
public sealed class GradientCaching : BenchCase
{
    private const int Steps = 3, Part = 128;

    private static readonly string[] s_methods = ["Clip", "MoCo", "ContrastiveMaskedCells", "ContrastiveMasked", "Ts2Vec"];

    /// <inheritdoc/>
    public override string Name => "gradient-caching";

    /// <inheritdoc/>
    public override int Minutes => 30;

    /// <inheritdoc/>
    public override string Description => "peak memory and seconds of a step of a method of each kind of data with 256, 1,024 and 4,096 rows, at once and in parts of 128";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        foreach (var method in s_methods.Where(method => settings.Sets?.Contains(method) ?? (!settings.Quick || method == s_methods[0])))
        {
            foreach (var rows in settings.Quick ? (int[])[256] : [256, 1_024, 4_096])
            {
                var (whole, parts) = (ChildProcess.Start("cached-step", method, $"{rows}", "0"), ChildProcess.Start("cached-step", method, $"{rows}", $"{Part}"));
                results.Add($"{method}, peak memory, {rows:N0} rows, parts of {Part}", parts["peak"], "MB", whole["peak"], lessIsBetter: true);
                results.Add($"{method}, seconds a step, {rows:N0} rows, parts of {Part}", parts["seconds"], "s", whole["seconds"], lessIsBetter: true);
            }
        }
        results.Note($"Encoders with their defaults, of MoCo SmallConvNet; images of 3 x 32 x 32 pixels, texts of 8 and 60 words, 12 numbers and 4 categories, series of 2 x 128; {Steps} steps; "
            + "the reference embeds all rows at once; each run in a process of its own.");
    }

    /// <summary>The child's side: some steps on made-up rows.</summary>
    public static Dictionary<string, double> Train(string method, int rows, int part)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var random = new Random(1);
        string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => $"word{random.Next(500)}"));
        var data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i =>
        {
            var row = new Row { Text = Words(8), LongText = method == "ContrastiveMasked" ? Words(60) : "", A = $"a{random.Next(9)}", B = $"b{random.Next(30)}", C = $"c{random.Next(3)}", D = $"d{random.Next(99)}" };
            random.NextBytes(row.Image);
            for (var j = 0; j < row.Series.Length; j++)
                row.Series[j] = MathF.Sin(0.1f * j * (1 + i % 7)) + random.NextSingle();
            for (var j = 0; j < row.Numbers.Length; j++)
                row.Numbers[j] = random.NextSingle();
            return row;
        }).ToArray());
        var (clock, ssl) = (new Clock(), mlContext.SelfSupervised());
        int? most = part == 0 ? null : part;
        IEstimator<EncoderTransformer> trainer = method switch
        {
            "Clip" => ssl.ImageText.Clip(With(new ClipTrainer.Options { EncoderBatchSize = most, RecomputesBatchStatistics = false })),
            "MoCo" => ssl.Images.MoCo(With(new MoCoTrainer.Options { EncoderBatchSize = most, Encoder = ImageEncoders.SmallConvNet(imageSize: 32, channels: 3), RecomputesBatchStatistics = false })),
            "ContrastiveMaskedCells" => ssl.Tabular.ContrastiveMaskedCells(With(new ContrastiveMaskedCellsTrainer.Options { EncoderBatchSize = most, InputColumnNames = ["Numbers", "A", "B", "C", "D"] })),
            "ContrastiveMasked" => ssl.Text.ContrastiveMasked(With(new ContrastiveMaskedTrainer.Options { EncoderBatchSize = most, InputColumnName = "LongText" })),
            "Ts2Vec" => ssl.TimeSeries.Ts2Vec(With(new Ts2VecTrainer.Options { EncoderBatchSize = most, InputColumnName = "Series" })),
            _ => throw new ArgumentException($"No method '{method}'.", nameof(method)),
        };
        using var encoder = trainer.Fit(data);
        return new Dictionary<string, double> { ["peak"] = Measure.PeakMegabytes(), ["seconds"] = clock.SecondsOfASingleStep };

        T With<T>(T options) where T : PretrainingOptions
        {
            (options.BatchSize, options.NumberOfEpochs, options.Progress) = (rows, Steps, clock);
            return options;
        }
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

    private sealed class Row
    {
        [VectorType(3, 32, 32)]
        public byte[] Image { get; set; } = new byte[3 * 32 * 32];

        [VectorType(2, 128)]
        public float[] Series { get; set; } = new float[2 * 128];

        [VectorType(12)]
        public float[] Numbers { get; set; } = new float[12];

        public string Text { get; set; } = "";

        public string LongText { get; set; } = "";

        public string A { get; set; } = "";

        public string B { get; set; } = "";

        public string C { get; set; } = "";

        public string D { get; set; } = "";
    }
}
