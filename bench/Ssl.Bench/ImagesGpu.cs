using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>What SimCLR with ResNet-18 learns of CIFAR-10 on a GPU, in mixed precision, beside eager PyTorch with the same network and views.</summary>
/// <remarks>SSL_PYTHON names a Python whose torch knows the GPU. The quick form computes a few steps, on the CPU where there is no GPU.</remarks>
public sealed class ImagesGpu : BenchCase
{
    private const int Neighbors = 20;

    /// <inheritdoc/>
    public override string Name => "images-gpu";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description
        => "nearest neighbors after 60 epochs of SimCLR with ResNet-18, bfloat16, on a GPU, against eager PyTorch on it";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        bool gpu = cuda.is_available();
        if (!gpu && !settings.Quick)
            throw new BenchUnavailableException("images-gpu needs a CUDA GPU and the TorchSharp-cuda package (SslTorch=cuda); --quick shows on the CPU that it works.");
        var (batch, epochs, width) = settings.Quick ? (32, 1, 8) : (512, 60, 64);
        var mlContext = new MLContext(seed: BenchResults.Seed) { GpuDeviceId = gpu ? 0 : null };
        IDataView all = BenchImages.Cifar(mlContext), test = BenchImages.Cifar(mlContext, test: true);
        var training = settings.Quick ? mlContext.Data.TakeRows(all, 16 * batch) : all;
        if (settings.Quick)
            test = mlContext.Data.TakeRows(test, 1_000);
        uint[] labels = [.. training.GetColumn<uint>("Label")], testLabels = [.. test.GetColumn<uint>("Label")];
        using var pytorch = new GpuPeer(gpu ? "cuda" : "cpu");
        var peer = pytorch.Measure(new JsonObject
        {
            ["row"] = "simclr", ["n"] = labels.Length, ["batch"] = batch, ["epochs"] = epochs, ["width"] = width, ["bf16"] = gpu,
            ["data"] = Environment.GetEnvironmentVariable("SSL_DATA"), ["tests"] = testLabels.Length,
        });
        using var encoder = mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = ImageEncoders.ResNet18(imageSize: 32, channels: 3, stem: ImageStem.Small, width: width),
            View = ImageViews.Photos(new ImageShape(3, 32, 32)),
            BatchSize = batch, NumberOfEpochs = epochs, LearningRate = 2e-3, Temperature = 0.5f, MixedPrecision = gpu,
        }).Fit(training);
        float[][] Embed(IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];
        using var scope = NewDisposeScope();
        var neighbors = new EmbeddingQuality(Embed(training), labels, Embed(test), testLabels).NearestNeighbors(Neighbors);
        results.Add($"{Neighbors} nearest neighbors after {epochs} epochs", neighbors, "%", (double)peer["knn"]!);
        results.Note($"CIFAR-10, {labels.Length:N0} images, {epochs} epochs, batch {batch}, ResNet-18 with a 3x3 stem, temperature 0.5, {(gpu ? "bfloat16, one GPU" : $"width {width}, Float32, CPU")}, seed {BenchResults.Seed}.");
        results.Note("Reference: eager PyTorch with autocast, the same network and views drawn on the same device. The case gpu has the speed.");
        results.Note("lightly reports 84.7 after 200 epochs on all 50,000 images: another length, not to be compared directly.");
    }
}
