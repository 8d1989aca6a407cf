using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Two views of an image, alone, against torchvision in two DataLoader workers.</summary>
public sealed class ImagesViews : BenchCase
{
    private const int BatchSize = 256, Threads = 2;

    /// <inheritdoc/>
    public override string Name => "images-views";

    /// <inheritdoc/>
    public override int Minutes => 2;

    /// <inheritdoc/>
    public override string Description
        => "images/s of two views each (crop, flip, brightness, contrast) against torchvision in two workers";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        int images = settings.Quick ? 10_240 : 60_000 / BatchSize * BatchSize, repeats = settings.Quick ? 1 : 3;
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var rows = mlContext.Data.TakeRows(BenchImages.Fashion(mlContext), images).GetColumn<byte[]>("Image").ToArray();
        set_num_threads(Threads);
        var gray = ImageViews.Gray(new ImageShape(1, 28, 28));
        var photos = ImageViews.Photos(new ImageShape(3, 32, 32));
        using var streams = new RandomStreams(BenchResults.Seed);
        List<double> ours = [], peer = [], color = [];
        using var colors = rand(BatchSize, 3, 32, 32, generator: streams.Masks).mul_(255).to(ScalarType.Byte);
        for (var i = 0; i < repeats; i++)
        {
            peer.Add(BenchImages.PeerRates(settings, 5_120, maximumSeconds: 1).Loader);
            ours.Add(images / Measure.Seconds(() =>
            {
                for (var first = 0; first < images; first += BatchSize)
                {
                    using var scope = NewDisposeScope();
                    var pixels = empty(BatchSize, 1, 28, 28, dtype: ScalarType.Byte);
                    for (var row = 0; row < BatchSize; row++)
                        rows[first + row].CopyTo(pixels.bytes[(row * 784)..]);
                    var batch = new ImageBatch(pixels);
                    _ = gray.Apply(batch, streams.Views);
                    _ = gray.Apply(batch, streams.Views);
                }
            }));
            const int colorBatches = 20;
            color.Add(colorBatches * BatchSize / Measure.Seconds(() =>
            {
                for (var k = 0; k < colorBatches; k++)
                {
                    using var scope = NewDisposeScope();
                    var batch = new ImageBatch(colors.alias());
                    _ = photos.Apply(batch, streams.Views);
                    _ = photos.Apply(batch, streams.Views);
                }
            }));
            Console.WriteLine($"  run {i + 1}: ours {ours[^1]:N0} images/s, torchvision {peer[^1]:N0}; color {color[^1]:N0}");
        }
        results.Add("images/s, two views each, 28 x 28 gray", Measure.Median(ours), "images/s", Measure.Median(peer));
        results.Add("images/s, two views each, 32 x 32 color", Measure.Median(color), "images/s");
        results.Note($"{images:N0} images of Fashion-MNIST, batch {BatchSize}, {Threads} threads; sides interleaved, median of {repeats}.");
        results.Note("Reference: the same views by torchvision in two DataLoader workers. Color adds saturation, hue and grayscale (SimCLR's preset).");
    }
}
