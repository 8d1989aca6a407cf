using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Whether views whose strengths are learned help: SimCLR with them, fixed at where they start and end, and chosen by hand.</summary>
public sealed class ImagesLearnedView : BenchCase
{
    private const int Labeled = 10_000, Threads = 2, Draws = 5;

    /// <inheritdoc/>
    public override string Name => "images-learned-view";

    /// <inheritdoc/>
    public override int Minutes => 21;

    /// <inheritdoc/>
    public override string Description => "SimCLR on Fashion-MNIST with adversarially learned views against fixed ones, three seeds";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        int images = settings.Quick ? 3_000 : 60_000;
        int[] seeds = settings.Quick ? [0] : [0, 1, 2];
        var mlContext = new MLContext(seed: BenchResults.Seed);
        IDataView all = BenchImages.Fashion(mlContext), test = BenchImages.Fashion(mlContext, test: true);
        var (training, probe) = (mlContext.Data.TakeRows(all, images), mlContext.Data.TakeRows(all, Labeled));
        set_num_threads(Threads);
        var net = ImageEncoders.SmallConvNet(imageSize: 28, channels: 1, numberOfStages: 3, width: 32);
        LearnableCrop crop = new(28, 28, minimumArea: 0.1, maximumArea: 0.9);
        LearnableColorJitter jitter = new(minimumStrength: 0.1, maximumStrength: 0.9, maximumNoise: 0.1);
        (string Name, ImageView View)[] views =
        [
            ("learned", ImageViews.Compose(crop, jitter)),
            ("fixed at the learned one's start",
                ImageViews.Compose(new RandomResizedCrop(28, 28, minimumArea: 0.5), new ColorJitter(0.5, 0.5, 0, 0))),
            // Bounds without width, and noise that starts at the middle and does not move.
            ("fixed at the learned one's end", ImageViews.Compose(new LearnableCrop(28, 28, minimumArea: 0.14, maximumArea: 0.14),
                new LearnableColorJitter(minimumStrength: 0.85, maximumStrength: 0.85, maximumNoise: 0.184, learningRateScale: 1e-9))),
            ("chosen by hand", ImageViews.Compose(new RandomResizedCrop(28, 28, minimumArea: 0.4), new ColorJitter(0.8, 0.8, 0, 0))),
        ];
        foreach (var (name, view) in views.Where(view => settings.Sets?.Contains(view.Name) ?? true))
        {
            var figures = new List<double[]>();
            IReadOnlyDictionary<string, double> last = new Dictionary<string, double>();
            foreach (var seed in seeds)
            {
                using var encoder = mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
                {
                    Encoder = net, View = view, NumberOfEpochs = 1, Temperature = 0.2f, BatchSize = 128, Seed = seed,
                    Progress = new Reports(progress => last = progress.EpochCompleted ? last : progress.Terms),
                }).Fit(training);
                using var scope = NewDisposeScope();
                float[][] Embed(IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];
                var quality = new EmbeddingQuality(Embed(probe), [.. probe.GetColumn<uint>("Label")], Embed(test),
                    [.. test.GetColumn<uint>("Label")]);
                figures.Add([quality.Linear([.. Enumerable.Range(0, Labeled)]), quality.NearestNeighbors(20),
                    quality.FewLabels(100, Draws), quality.FewLabels(1_000, Draws)]);
                Console.WriteLine($"  {name}, seed {seed}: linear {figures[^1][0]:0.0}, kNN {figures[^1][1]:0.0}, 100 labels {figures[^1][2]:0.0}, 1,000 labels {figures[^1][3]:0.0}"
                    + string.Concat(last.Select(term => $"; {term.Key} {term.Value:0.00}")));
                foreach (var (strength, value) in last)
                    results.Add($"{name}, seed {seed}, {strength} at the end", value, "");
            }
            string[] probes = ["linear, 10,000 labels", "20 nearest neighbors", "100 labels", "1,000 labels"];
            for (var i = 0; i < probes.Length; i++)
            {
                var mean = figures.Average(figure => figure[i]);
                results.Add($"{name}, {probes[i]}", mean, "%");
                results.Add($"{name}, {probes[i]}, deviation over seeds",
                    Math.Sqrt(figures.Average(figure => Math.Pow(figure[i] - mean, 2))), "%");
            }
            results.Save();
        }
        results.Note($"Fashion-MNIST, {images:N0} images, 1 epoch, batch 128, temperature 0.2, SmallConvNet of 3 stages and width 32, pretraining seeds {string.Join(", ", seeds)}.");
        results.Note("Fixed at the learned one's end: smallest area 0.14, brightness and contrast 0.85, noise 0.092, as the learned ones ended.");
        results.Note("Learned: smallest area from 0.1 to 0.9, brightness and contrast from 0.1 to 0.9, noise up to 0.1; each starts in the middle.");
    }
}
