using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.FreshProcess;

/// <summary>A program as a user writes it, started several times by a launcher, which goes as planned or in which one process does not.</summary>
internal static class RankFitTasks
{
    /// <summary>Fits an encoder, and prints what became of it, with the number of the process before each line.</summary>
    /// <param name="plan">What is particular about the last process; "none" for nothing.</param>
    /// <param name="checkpoint">Where checkpoints go; "none" for nowhere.</param>
    /// <param name="epochs">Length of the training.</param>
    public static void Run(string plan, string checkpoint, int epochs)
    {
        var mlContext = new MLContext(plan == "no-seed" ? null : 3);
        var ssl = mlContext.SelfSupervised();
        using var processes = ssl.UseProcesses(new ProcessGroupOptions
        {
            CompressesGradients = plan == "compressed", RowsAreDivided = plan == "divided", Timeout = plan == "late" ? TimeSpan.FromSeconds(2) : TimeSpan.FromMinutes(2),
        });
        var isOdd = processes.Rank == processes.Count - 1;
        mlContext.Log += (_, e) =>
        {
            if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Info && e.Source.StartsWith("SimCse", StringComparison.Ordinal))
                Say($"log: {e.Message}");
        };
        try
        {
            if (isOdd && plan == "leaves")
                return;
            if (isOdd && plan == "late")
                Thread.Sleep(8_000);
            using var cancellation = new CancellationTokenSource();
            var options = new SimCseTrainer.Options
            {
                Encoder = TextEncoders.Transformer(1, 32, 2), BatchSize = plan == "uneven" ? 33 : 32, NumberOfEpochs = epochs,
                CheckpointPath = checkpoint == "none" ? null : checkpoint, CancellationToken = cancellation.Token,
                Temperature = isOdd && plan == "options" ? 0.1f : 0.05f, ValidationFraction = plan == "validation" ? 0.25 : 0,
                Progress = new Teller<PretrainingProgress>(progress =>
                {
                    if (progress.Epoch >= 3 && plan == "cancels-first")
                        cancellation.Cancel();
                    Say($"epoch {progress.Epoch}");
                }),
            };
            var rows = Rows(mlContext, plan == "divided" ? processes : null, i =>
            {
                if (isOdd && plan == "data" && i == 200)
                    throw new InvalidDataException("row 200 cannot be read");
            });
            if (isOdd && plan is "killed" or "cancels")
                new Thread(() => Act(plan, cancellation, checkpoint)) { IsBackground = true }.Start();
            using var encoder = ssl.Text.SimCse(options).Fit(rows);
            Say($"steps {encoder.TrainingHistory!.Steps.Count}, loss {encoder.TrainingHistory.Epochs[^1].Loss:0.0000} after {encoder.TrainingHistory.Epochs[0].Loss:0.0000}, "
                + $"{encoder.TrainingHistory.Epochs.Count} epochs");
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            if (plan == "files")
            {
                string[] inputs = [.. Directory.GetFiles(checkpoint + "-in").Order()];
                var outputs = ssl.TransformFiles(encoder, inputs, path => mlContext.Data.LoadFromTextFile<Sample>(path), checkpoint + "-out", ["Features"],
                    new Teller<string>(path => Say($"wrote {Path.GetFileName(path)}")));
                var all = ssl.Data.LoadFiles(outputs);
                Say($"files {outputs.Count}, rows {all.GetColumn<float[]>("Features").Count()}");
            }
            // Of the same rows in each process.
            rows = Rows(mlContext, null, _ => { });
            foreach (var vector in encoder.Transform(rows).GetColumn<float[]>("Features"))
                hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector));
            Say($"embeddings {Convert.ToHexString(hash.GetHashAndReset())[..16]}");
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or InvalidDataException)
        {
            Say($"fault: {fault.Message}");
        }

        void Say(string text) => Console.WriteLine($"[{processes.Rank}] {text}");
    }

    // When the training is under way: after its first checkpoint.
    private static void Act(string plan, CancellationTokenSource cancellation, string checkpoint)
    {
        while (!File.Exists(checkpoint))
            Thread.Sleep(20);
        Thread.Sleep(200);
        if (plan == "cancels")
            cancellation.Cancel();
        else
            Process.GetCurrentProcess().Kill();
    }

    private static IDataView Rows(MLContext mlContext, ProcessGroup? divided, Action<int> read)
    {
        var random = new Random(5);
        string[] texts = [.. Enumerable.Range(0, 256).Select(i => string.Join(' ', Enumerable.Range(0, 3 + i % 5).Select(_ => $"word{i % 7}x{random.Next(20)}")))];
        // A word that only one process knows: what each learns by itself differs.
        if (divided is not null)
            texts = [.. divided.Share(texts).Select(text => $"{text} only{divided.Rank}")];
        return mlContext.Data.LoadFromEnumerable(texts.Select((text, i) =>
        {
            read(i);
            return new Sample { Text = text };
        }));
    }

    private sealed class Teller<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }

    private sealed class Sample
    {
        [LoadColumn(0)]
        public string Text { get; set; } = "";
    }
}
