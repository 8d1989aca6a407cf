using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Fashion-MNIST from the folder that SSL_DATA names, and the Python program that the image cases compare with.</summary>
public static class BenchImages
{
    // The peer's own program, without its quality probes (they take longer than the training).
    private const string PeerProgram =
        """
        import sys
        folder, sys.argv = sys.argv[1], ["simclr.py"] + sys.argv[2:]
        sys.path.insert(0, folder)
        import simclr
        simclr.probe = simclr.knn = lambda *a, **k: 0
        simclr.few = lambda *a, **k: {}
        simclr.embed = lambda *a, **k: None
        simclr.main()
        """;

    /// <summary>The training or test images with their labels.</summary>
    public static IDataView Fashion(MLContext mlContext, bool test = false)
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? Path.Combine(data, "fashion-mnist") : null;
        if (folder is null || !Directory.Exists(folder))
            throw new BenchUnavailableException("Fashion-MNIST was not found: set SSL_DATA to a folder that holds fashion-mnist/.");
        var name = Path.Combine(folder, test ? "t10k" : "train");
        return mlContext.SelfSupervised().Data.LoadIdx($"{name}-images-idx3-ubyte.gz", $"{name}-labels-idx1-ubyte.gz");
    }

    /// <summary>The training or test photos of CIFAR-10 with their labels.</summary>
    public static IDataView Cifar(MLContext mlContext, bool test = false)
    {
        var file = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data
            ? Path.Combine(data, "cifar10", test ? "test.bin.gz" : "train.bin.gz") : null;
        if (file is null || !File.Exists(file))
            throw new BenchUnavailableException("CIFAR-10 was not found: set SSL_DATA to a folder that holds cifar10/train.bin.gz and test.bin.gz.");
        return mlContext.SelfSupervised().Data.LoadCifarBinary(file);
    }

    /// <summary>What the peer measured: end to end, its loader alone, its network alone, in images a second.</summary>
    public static (double EndToEnd, double Loader, double Network) PeerRates(BenchSettings settings, int images, double maximumSeconds)
    {
        var python = PeerPython(settings);
        var file = Path.GetTempFileName();
        File.Delete(file);
        try
        {
            string[] arguments =
            [
                "-c", PeerProgram, settings.Peers!, "--n", $"{images}", "--epochs", "1", "--batch", "256", "--stem", "2", "--width", "16",
                "--baselines", "2", "--max-seconds", maximumSeconds.ToString(CultureInfo.InvariantCulture),
            ];
            var start = new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["PEER_OUT"] = file;
            using var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0 || !File.Exists(file))
                throw new InvalidOperationException($"simclr.py failed (exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}): {errors}");
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            var rates = json.RootElement.GetProperty("simclr").GetProperty("throughput");
            return (rates.GetProperty("samples_per_s").GetDouble(), rates.GetProperty("loader_only_sps").GetDouble(),
                rates.GetProperty("network_only_sps").GetDouble());
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string PeerPython(BenchSettings settings)
    {
        if (settings.Peers is null || !File.Exists(Path.Combine(settings.Peers, "simclr.py")))
            throw new BenchUnavailableException("the Python program simclr.py was not found; name its folder with --peers DIR.");
        const string Python = "/usr/bin/python3";
        var check = new ProcessStartInfo(Python, ["-c", "import torch, torchvision, sklearn"]) { RedirectStandardError = true };
        using var process = File.Exists(Python) ? Process.Start(check) : null;
        process?.StandardError.ReadToEnd();
        process?.WaitForExit();
        return process is { ExitCode: 0 } ? Python : throw new BenchUnavailableException(
            "Python's torch is not installed (Debian: apt-get install python3-torch python3-torchvision python3-sklearn), so there is nothing to compare with.");
    }
}
