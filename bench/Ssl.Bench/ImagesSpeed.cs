using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>SimCLR end to end (reading, views, training) against a plain PyTorch program with the same network, batch and images.</summary>
public sealed class ImagesSpeed : BenchCase
{
    private const int BatchSize = 256, Threads = 2;

    /// <inheritdoc/>
    public override string Name => "images-speed";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description
        => "images/s of SimCLR end to end (thin ResNet-18, batch 256) against Python's torch and torchvision";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        int images = settings.Quick ? 2_560 : 20_480, repeats = settings.Quick ? 1 : 3;
        var mlContext = new MLContext(seed: BenchResults.Seed);
        _ = BenchImages.Fashion(mlContext);
        TorchSharp.torch.set_num_threads(Threads);
        List<double> ours = [], peer = [], network = [];
        for (var i = 0; i < repeats; i++)
        {
            var (endToEnd, _, networkOnly) = BenchImages.PeerRates(settings, images, maximumSeconds: 600);
            peer.Add(endToEnd);
            network.Add(networkOnly);
            ours.Add(images / Measure.Seconds(() =>
            {
                // Reading and unpacking the file counts.
                using var encoder = mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
                {
                    Encoder = ImageEncoders.ResNet18(imageSize: 28, channels: 1, stem: ImageStem.Strided, width: 16),
                    View = ImageViews.Gray(new ImageShape(1, 28, 28)),
                    BatchSize = BatchSize,
                    ProjectionDimension = 64,
                    NumberOfEpochs = 1,
                }).Fit(mlContext.Data.TakeRows(BenchImages.Fashion(mlContext), images));
            }));
            Console.WriteLine($"  run {i + 1}: ours {ours[^1]:N0} images/s, peer {peer[^1]:N0}, its network alone {network[^1]:N0}");
        }
        results.Add("images/s, reading and views included", Measure.Median(ours), "images/s", Measure.Median(peer));
        results.Add("images/s, against the peer's network alone", Measure.Median(ours), "images/s", Measure.Median(network));
        results.Note($"{images:N0} images of Fashion-MNIST, 1 epoch, batch {BatchSize}, ResNet-18 of width 16 with a stride-2 stem, {Threads} threads; "
            + $"sides interleaved, median of {repeats}.");
        results.Note("The peer draws its views with torchvision in two DataLoader workers; reading the file is not in its figure, but in ours.");
    }
}
