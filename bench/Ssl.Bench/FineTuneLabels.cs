using Microsoft.ML;
using Quickstart;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>The namespace of a .NET member from its summary, with few labels, after paired pretraining on all members.</summary>
public sealed class FineTuneLabels : BenchCase
{
    private const int FewestMembers = 100;

    /// <inheritdoc/>
    public override string Name => "finetune-labels";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description => "namespace from summary, 5, 20 and 100 labels a class: fine-tuned, from scratch, TF-IDF";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var (epochs, draws, counts) = settings.Quick ? (4, 1, new[] { 5 }) : (20, 5, [5, 20, 100]);
        var corpus = Corpus.Create("", ReferenceDocumentation.Read(ReferenceDocumentation.FindSdk()), 2_000, int.MaxValue,
            BenchResults.Seed);
        var tfidf = new TfIdf(corpus.Training.SelectMany(document => new[] { document.Text, document.Pair }));
        var classes = corpus.Training.Where(document => document.Label.Length > 0).GroupBy(document => document.Label)
            .Where(group => group.Count() >= FewestMembers).Select(group => group.Key).ToHashSet();

        var rows = mlContext.Data.LoadFromEnumerable(corpus.Training.Select(d => new TextRow { Text = d.Text, Pair = d.Pair }).ToArray());
        using var untrained = Pretrain(mlContext, rows, 0);
        using var pretrained = Pretrain(mlContext, rows, epochs);
        var task = new FewLabels(mlContext, Labeled(corpus.Training), Labeled(corpus.HeldOut), tfidf);
        foreach (var count in counts)
            task.Measure(results, "", pretrained, untrained, count, draws);
        results.Note($"{corpus.Training.Count:N0} pairs (summary, details), {classes.Count} namespaces with at least {FewestMembers} members, "
            + $"{Labeled(corpus.HeldOut).Length:N0} held-out summaries; bag of tokens 512-512-256, paired pretraining of {epochs} epochs; "
            + $"labels drawn {draws} times.");
        results.Note($"{FewLabels.Recipe}. {FewLabels.References}.");

        LabeledText[] Labeled(IEnumerable<Document> documents) => [.. documents.Where(document => classes.Contains(document.Label))
            .Select(document => new LabeledText { Label = document.Label, Text = document.Text })];
    }

    private static EncoderTransformer Pretrain(MLContext mlContext, IDataView rows, int epochs)
        => mlContext.SelfSupervised().Text.PairedContrastive(new PairedContrastiveTrainer.Options
        {
            InputColumnName = nameof(TextRow.Text),
            PairColumnName = nameof(TextRow.Pair),
            Encoder = TextEncoders.Bag(embeddingDimension: 256, tokenDimension: 512),
            NumberOfEpochs = epochs,
            BatchSize = 512,
            LearningRate = 2e-3,
        }).Fit(rows);
}
