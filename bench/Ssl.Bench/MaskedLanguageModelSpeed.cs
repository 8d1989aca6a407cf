using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Tokens a second of masked-language-model training against a plain PyTorch program of the same shape.</summary>
public sealed class MaskedLanguageModelSpeed : BenchCase
{
    private const int Dimension = 128, Layers = 2, Heads = 2, MaximumTokens = 64, BatchSize = 128, VocabularySize = 4000, Threads = 2;

    // The peer's own program, without its quality probes (they take longer than the training).
    private const string PeerProgram =
        """
        import sys
        folder, sys.argv = sys.argv[1], ["mlm.py"] + sys.argv[2:]
        sys.path.insert(0, folder)
        import mlm
        mlm.probe = lambda *a, **k: 0
        mlm.few = lambda *a, **k: {"5": 0, "100": 0}
        try:
            mlm.main()
        except IndexError:
            pass  # no SimCSE epochs were asked for, and the program sums up their losses
        """;

    /// <inheritdoc/>
    public override string Name => "mlm-speed";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description => "tokens/s of MLM training (dim 128, 2 layers, 64 tokens, batch 128) against Python's torch";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var python = PeerPython(settings);
        var texts = BenchText.PeerCorpus(MaximumTokens);
        if (settings.Quick)
            texts = [.. texts.Where((_, place) => place % 16 == 0)];
        const int epochs = 1;
        var repeats = settings.Quick ? 1 : 3;
        var peerSeconds = settings.Quick ? 5 : 600;
        TorchSharp.torch.set_num_threads(Threads);

        var tokenizer = WordPieceTokenizer.Train(texts,
            new WordPieceTokenizer.Options { VocabularySize = VocabularySize, MinimumCount = 1 });
        var buffer = new List<int>();
        var tokensAnEpoch = texts.Sum(text =>
        {
            buffer.Clear();
            return (long)tokenizer.Encode(text, buffer, MaximumTokens, addSpecialTokens: true);
        });

        var ours = new List<double>();
        var oursLoop = new List<double>();
        var peer = new List<double>();
        var peerTextsPerSecond = new List<double>();
        for (var i = 0; i < repeats; i++)
        {
            var (peerTokens, peerTexts) = PeerRates(python, settings.Peers!, epochs, peerSeconds);
            peer.Add(peerTokens);
            peerTextsPerSecond.Add(peerTexts);
            var (whole, loop) = OurSeconds(texts, epochs);
            ours.Add(tokensAnEpoch * epochs / whole);
            oursLoop.Add(tokensAnEpoch * epochs / loop);
            Console.WriteLine($"  run {i + 1}: ours {ours[^1]:N0} tokens/s (loop alone {oursLoop[^1]:N0}), peer {peer[^1]:N0}");
        }
        results.Add("tokens/s, tokenizing included", Measure.Median(ours), "tokens/s", Measure.Median(peer));
        results.Add("tokens/s, training loop alone", Measure.Median(oursLoop), "tokens/s", Measure.Median(peer));
        results.Add("texts/s, tokenizing included", Measure.Median(ours) / tokensAnEpoch * texts.Length, "texts/s",
            Measure.Median(peerTextsPerSecond));
        results.Note($"{texts.Length:N0} texts of SST-2, CLINC150 and WikiText-2, {epochs} epoch, {Threads} threads, vocabulary {VocabularySize:N0}; sides interleaved, median of {repeats}.");
        results.Note("Reference: mlm.py's own figure, which leaves its tokenizing out. Tokens are counted without padding;");
        results.Note($"the peer's are whole words (rare ones are all one unknown word), ours are pieces of words and two marks a text: {tokensAnEpoch:N0} an epoch.");
    }

    private static (double Whole, double Loop) OurSeconds(string[] texts, int epochs)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }));
        var loop = 0.0;
        var whole = Measure.Seconds(() =>
        {
            using var encoder = mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
            {
                Encoder = TextEncoders.Transformer(dimension: Dimension, numberOfLayers: Layers, numberOfHeads: Heads,
                    maximumTokens: MaximumTokens),
                VocabularySize = VocabularySize,
                MinimumTokenCount = 1,
                BatchSize = BatchSize,
                NumberOfEpochs = epochs,
                Progress = new LastElapsed(seconds => loop = seconds),
            }).Fit(data);
        });
        return (whole, loop);
    }

    private static (double Tokens, double Texts) PeerRates(string python, string peers, int epochs, int seconds)
    {
        var file = Path.GetTempFileName();
        File.Delete(file);
        try
        {
            string[] arguments =
            [
                "-c", PeerProgram, peers, "--dim", $"{Dimension}", "--layers", $"{Layers}", "--heads", $"{Heads}", "--maxlen",
                    $"{MaximumTokens}", "--batch", $"{BatchSize}",
                "--vocab", $"{VocabularySize}", "--epochs", $"{epochs}", "--cse-epochs", "0", "--baselines", "0", "--max-seconds",
                    $"{seconds}",
            ];
            var start = new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["PEER_OUT"] = file;
            using var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0 || !File.Exists(file))
                throw new InvalidOperationException($"mlm.py failed (exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}): {errors}");
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            var rates = json.RootElement.GetProperty("mlm").GetProperty("throughput");
            return (rates.GetProperty("tokens_per_s").GetDouble(), rates.GetProperty("samples_per_s").GetDouble());
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string PeerPython(BenchSettings settings)
    {
        if (settings.Peers is null || !File.Exists(Path.Combine(settings.Peers, "mlm.py")))
            throw new BenchUnavailableException("the Python program mlm.py was not found; name its folder with --peers DIR.");
        const string Python = "/usr/bin/python3";
        var check = new ProcessStartInfo(Python, ["-c", "import torch, sklearn"]) { RedirectStandardError = true };
        using var process = File.Exists(Python) ? Process.Start(check) : null;
        process?.StandardError.ReadToEnd();
        process?.WaitForExit();
        return process is { ExitCode: 0 } ? Python
            : throw new BenchUnavailableException("Python's torch is not installed (Debian: apt-get install python3-torch python3-sklearn), so there is nothing to compare with.");
    }

    private sealed class LastElapsed(Action<double> keep) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => keep(value.Elapsed.TotalSeconds);
    }
}
