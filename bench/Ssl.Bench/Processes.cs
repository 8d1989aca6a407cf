using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Rows a second of a training by two processes of one thread, against one process of one thread and of two.</summary>
public sealed class Processes : BenchCase
{
    private const int Repetitions = 3;

    /// <inheritdoc/>
    public override string Name => "processes";

    /// <inheritdoc/>
    public override int Minutes => 12;

    /// <inheritdoc/>
    public override string Description => "rows a second of two processes of one thread against one of one and of two threads: images and texts, on one machine";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        const string launcher = "mpirun";
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, launcher))))
            throw new BenchUnavailableException("it needs mpirun of Open MPI (openmpi-bin) or MPICH.");
        foreach (var kind in settings.Sets ?? ["images", "texts"])
        {
            // One after the other, several times: what disturbs one of them disturbs all.
            var (one, two, together, figures) = (new List<double>(), new List<double>(), new List<double>(), new Dictionary<string, double>());
            for (var i = 0; i < (settings.Quick ? 1 : Repetitions); i++)
            {
                one.Add(Train([], kind, threads: 1)["rows"]);
                two.Add(Train([], kind, threads: 2)["rows"]);
                figures = Train([launcher, .. OpenMpi(), "-n", "2"], kind, threads: 1);
                together.Add(figures["rows"]);
            }
            var (a, b, c) = (Median(one), Median(two), Median(together));
            results.Add($"{kind}: two processes of one thread, against one of one", c, "rows/s", a);
            results.Add($"{kind}: two processes of one thread, against one of two", c, "rows/s", b);
            results.Note(FormattableString.Invariant($"{kind}: efficiency {c / (2 * a):0.00}; each process sends {figures["bytes"] / 1e6:0.00} MB a step, ")
                + FormattableString.Invariant($"waits {1000 * figures["waited"]:0.0} of {1000 * figures["step"]:0.0} ms of a step in {figures["calls"]:0} calls"));
        }
        results.Note($"made-up rows; SimClr with SmallConvNet on 3 x 32 x 32 pixels, 256 rows a step; MaskedLanguageModel with its default encoder, 128 texts of 40 words a step; "
            + $"median of {Repetitions} runs, the first epoch left out.");
    }

    /// <summary>The child's side; docs/scaling.md says how it is started by hand, for other machines and networks.</summary>
    public static Dictionary<string, double> Fit(string kind, bool compresses)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        using var processes = ssl.UseProcesses(new ProcessGroupOptions { CompressesGradients = compresses });
        var random = new Random(1);
        var clock = new Clock(() => (processes.BytesSent, processes.TimeWaited.TotalSeconds, processes.Calls));
        using var encoder = kind switch
        {
            "images" => (IDisposable)ssl.Images.SimClr(new SimClrTrainer.Options
            {
                BatchSize = 256, NumberOfEpochs = 4, RecomputesBatchStatistics = false, Progress = clock, InputColumnName = "Image",
            }).Fit(mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 2048).Select(_ =>
            {
                var row = new ImageRow();
                random.NextBytes(row.Image);
                return row;
            }).ToArray())),
            "texts" => ssl.Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options { BatchSize = 128, NumberOfEpochs = 4, Progress = clock })
                .Fit(mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 2048).Select(_ => new TextRow
                {
                    Text = string.Join(' ', Enumerable.Range(0, 40).Select(_ => $"word{random.Next(3000)}")),
                }).ToArray())),
            _ => throw new ArgumentException($"There is no kind '{kind}'."),
        };
        return processes.IsFirst ? clock.Figures : [];
    }

    private static string[] OpenMpi()
    {
        using var process = Process.Start(new ProcessStartInfo("mpirun", "--version") { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd().Contains("Open MPI", StringComparison.Ordinal) ? ["--bind-to", "none", "--oversubscribe"] : [];
    }

    private static Dictionary<string, double> Train(string[] launcher, string kind, int threads)
        => ChildProcess.Start("processes-fit", [kind], launcher, new Dictionary<string, string?>
        {
            ["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture), ["OMPI_ALLOW_RUN_AS_ROOT"] = "1", ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1",
        });

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    // Buffers are made in the first epoch: the others count.
    private sealed class Clock(Func<(long Bytes, double Waited, long Calls)> sent) : IProgress<PretrainingProgress>
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private readonly List<(double Time, long Rows, long Steps, (long Bytes, double Waited, long Calls) Sent)> _ends = [];

        public Dictionary<string, double> Figures
        {
            get
            {
                var (first, last) = (_ends[0], _ends[^1]);
                double seconds = last.Time - first.Time, steps = last.Steps - first.Steps;
                return new()
                {
                    ["rows"] = (last.Rows - first.Rows) / seconds, ["step"] = seconds / steps, ["bytes"] = (last.Sent.Bytes - first.Sent.Bytes) / steps,
                    ["waited"] = (last.Sent.Waited - first.Sent.Waited) / steps, ["calls"] = (last.Sent.Calls - first.Sent.Calls) / steps,
                };
            }
        }

        public void Report(PretrainingProgress value)
        {
            if (value.EpochCompleted)
                _ends.Add((_watch.Elapsed.TotalSeconds, value.Epoch * 2048L, value.Epoch * value.NumberOfSteps!.Value, sent()));
        }
    }

    private sealed class ImageRow
    {
        [VectorType(3, 32, 32)]
        public byte[] Image { get; set; } = new byte[3 * 32 * 32];
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
