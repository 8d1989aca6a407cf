using Microsoft.ML;
using Quickstart;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Intents (CLINC150) and opinions (SST-2) from few labels, after SimCSE on the training texts without their labels.</summary>
public sealed class FineTuneText : BenchCase
{
    private const int MostTexts = 15_000;

    /// <inheritdoc/>
    public override string Name => "finetune-text";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description => "CLINC150 and SST-2, 5, 20 and 100 labels a class: fine-tuned, from scratch, TF-IDF";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (epochs, draws) = settings.Quick ? (1, 1) : (5, 3);
        foreach (var name in new[] { "clinc150", "sst2" })
        {
            var mlContext = new MLContext(seed: BenchResults.Seed);
            var training = BenchText.Labeled(name, "train");
            var test = BenchText.Labeled(name, "test");
            new Random(BenchResults.Seed).Shuffle(training);
            var unlabeled = mlContext.Data.LoadFromEnumerable(training.Take(MostTexts).Select(row => new TextRow { Text = row.Text })
                .ToArray());
            using var untrained = Pretrain(mlContext, unlabeled, 0);
            using var pretrained = Pretrain(mlContext, unlabeled, epochs);
            var task = new FewLabels(mlContext, training, test, new TfIdf(training.Select(row => row.Text)));
            foreach (var count in settings.Quick ? new[] { 5 } : name == "clinc150" ? [5, 20] : [5, 20, 100])
                task.Measure(results, $"{name}, ", pretrained, untrained, count, draws);
            results.Note($"{name}: {training.DistinctBy(row => row.Label).Count()} classes, {test.Length:N0} test texts; bag of tokens 256-512-128, "
                + $"SimCSE of {epochs} epochs on {Math.Min(MostTexts, training.Length):N0} of its own training texts; labels drawn {draws} times.");
        }
        results.Note($"{FewLabels.Recipe}. {FewLabels.References}.");
    }

    private static EncoderTransformer Pretrain(MLContext mlContext, IDataView rows, int epochs)
        => mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options { Encoder = TextEncoders.Bag(), NumberOfEpochs = epochs })
            .Fit(rows);
}
