using System.Text.Json.Nodes;
using Ssl.Estimators.Native;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Training of every kind of data on a GPU against eager PyTorch there, one row after the other.</summary>
/// <remarks>
/// SSL_PYTHON names a Python whose torch knows the GPU. Each of our sides runs in a process of its own, whose memory is the row's alone; the
/// file of results is written after each row. The quick form computes small networks, on the CPU where there is no GPU.
/// </remarks>
public sealed class GpuSpeed : BenchCase
{
    /// <inheritdoc/>
    public override string Name => "gpu";

    /// <inheritdoc/>
    public override int Minutes => 4;

    /// <inheritdoc/>
    public override string Description => "samples/s and memory of pretraining and Transform on a GPU against eager PyTorch; --sets chooses rows";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var gpu = cuda.is_available();
        if (!gpu && !settings.Quick)
            throw new BenchUnavailableException("gpu needs a CUDA GPU and the TorchSharp-cuda package (SslTorch=cuda); --quick shows on the CPU that it works.");
        var device = gpu ? "cuda" : "cpu";
        var rows = GpuRow.All(settings.Quick, gpu);
        if (settings.Sets?.Except(rows.Select(row => row.Name)).ToArray() is { Length: > 0 } unknown)
            throw new ArgumentException($"There are no rows {string.Join(", ", unknown)}. Known: {string.Join(", ", rows.Select(row => row.Name))}.");
        results.Note(gpu ? $"{CudaDriver.Name(0)}; libtorch of TorchSharp's {typeof(Tensor).Assembly.GetName().Version}." : "CPU: these figures only show that both sides work.");
        results.Note("From the second epoch on, sides one after the other. Reference: eager PyTorch with autocast to bfloat16 where ours computes in it, rows held on the device, views and masks drawn there; for transform our own network's forward on ids that lie on the device.");
        results.Note("Memory: ours is what the process took beyond a bare CUDA context, PyTorch's what its allocator reserved.");

        using var peer = new GpuPeer(device);
        var faults = new List<string>();
        double? products = null;
        foreach (var row in rows.Where(row => settings.Sets is null || settings.Sets.Contains(row.Name)))
        {
            try
            {
                var ours = ChildProcess.Start("gpu-row", row.Name, $"{settings.Quick}");
                var theirs = row.Peer is null ? null : peer.Measure((JsonObject)row.Peer.DeepClone());
                results.Add(row.Title, ours["rate"], row.Unit, theirs is null ? ours["bare"] : (double)theirs["rate"]!);
                if (ours.TryGetValue("memory", out var memory))
                    results.Add($"{row.Title}: memory", memory, "MB", (double?)theirs?["memory"], lessIsBetter: true);
                if (row.Name == GpuRow.Products)
                    products = ours["rate"];
                else if (row.Multiplications is { } each && products is { } ceiling)
                    results.Add($"{row.Title}: share of the product's speed", ours["rate"] * each / 1e12 / ceiling, "",
                        theirs is null ? null : (double)theirs["rate"]! * each / 1e12 / ceiling);
            }
            catch (InvalidOperationException fault)
            {
                faults.Add(row.Name);
                results.Note($"{row.Title} FAILED: {fault.Message.Trim()}");
            }
            results.Save();
        }
        if (faults.Count > 0)
        {
            results.Print();
            throw new InvalidOperationException($"These rows failed, see the notes: {string.Join(", ", faults)}.");
        }
    }
}
