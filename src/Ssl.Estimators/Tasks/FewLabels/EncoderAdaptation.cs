using System.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Trains copies of the encoder that made a column on labeled rows, and embeds all rows with them.</summary>
/// <param name="model">The encoder.</param>
/// <param name="rows">The labeled rows, then the unlabeled ones, as the encoder takes them.</param>
/// <param name="labels">The classes of the labeled rows.</param>
/// <param name="seed">Of batches and dropout: the same for every copy.</param>
/// <param name="device">Where to compute.</param>
/// <param name="tell">Gets lines for the log.</param>
internal sealed class EncoderAdaptation(EncoderModel model, RowStore rows, float[] labels, long seed, Device device, Action<string> tell)
{
    /// <summary>Unlabeled rows that are worth embedding with every copy.</summary>
    public const int MaximumUnlabeledRows = 10_000;

    /// <summary>Share of the time of a copy that embedding rows with it may take: the rest is for its training.</summary>
    public const double EmbeddingShare = 0.25;

    private const int RowsOfEstimate = 256, RowsAtOnce = 32;

    // Found on trials with 100 to 3,000 labeled rows: fewer steps than passes would be, as the loss is small soon.
    private static int Steps(int labeled) => Math.Clamp(40 + labeled / 50, 40, 100);

    /// <summary>Length of an embedding.</summary>
    public int Dimension => model.Dimension;

    /// <summary>Trains a copy of the encoder.</summary>
    /// <param name="used">Numbers of the labeled rows to learn from.</param>
    /// <param name="limit">Time for it; null for none.</param>
    /// <param name="cancellationToken">Ends it with the weights so far.</param>
    /// <returns>The method that owns the copy; the caller's to dispose of.</returns>
    public PretrainingMethod Train(int[] used, TimeSpan? limit, CancellationToken cancellationToken)
    {
        using var streams = new RandomStreams(seed);
        var method = new ClassContrast(model.CreateTrainable(streams));
        try
        {
            var source = new ClassBatches(rows, used, [.. used.Select(row => labels[row])], streams.Shuffle, Steps(used.Length));
            PretrainingLoop.Run(method, source, new TrainingSettings
            {
                NumberOfEpochs = 1, BatchSize = ClassBatches.BatchSize, LearningRate = method.LearningRate, WarmupFraction = 0.1,
                MaximumTrainingTime = limit, CollapseThreshold = 0,
            }, streams, device, new TrainingReporter(Info: text => tell($"    {text}")), cancellationToken);
            EncoderModel.Keep(method);
            return method;
        }
        catch
        {
            method.Dispose();
            throw;
        }
    }

    /// <summary>Embeds all rows, in the caller's dispose scope.</summary>
    /// <param name="method">What <see cref="Train"/> gave.</param>
    public FeatureSpace Embed(PretrainingMethod method)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = rows.EncodeAll(method.Encoder, device).cpu();
        var space = new FeatureSpace(all.narrow(0, 0, labels.Length), all.narrow(0, labels.Length, rows.Count - labels.Length));
        space.Labeled.MoveToOuterDisposeScope();
        space.Unlabeled.MoveToOuterDisposeScope();
        return space;
    }

    /// <summary>What embedding all rows with a copy will take, from some of them.</summary>
    public TimeSpan EstimateEmbedding()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var streams = new RandomStreams(seed);
        using var copy = new ClassContrast(model.CreateTrainable(streams));
        copy.to(device);
        copy.eval();
        var count = Math.Min(rows.Count, RowsOfEstimate);
        // Rows of similar length together, as later.
        var parts = Enumerable.Range(0, count).Select(i => (int)((long)i * rows.Count / count)).OrderBy(rows.Length).Chunk(RowsAtOnce).ToArray();
        rows.Encode(copy.Encoder, device, parts[0]).cpu();                  // what a first call does beside computing
        var clock = Stopwatch.StartNew();
        foreach (var part in parts)
            rows.Encode(copy.Encoder, device, part).cpu();
        return clock.Elapsed * ((double)rows.Count / count);
    }

    /// <summary>Lets go of unlabeled rows where embedding all of them leaves too little time to train: without adaptation they are worth less.</summary>
    /// <param name="embedding">What all rows take.</param>
    /// <param name="share">Time for a copy, its training included.</param>
    /// <returns>The unlabeled rows that are left; null where none had to go.</returns>
    public int? KeepWhatFits(TimeSpan embedding, TimeSpan share)
    {
        if (embedding <= share * EmbeddingShare || rows.Count <= labels.Length)
            return null;
        var kept = (int)Math.Clamp(rows.Count * (share * EmbeddingShare / embedding), labels.Length, rows.Count);
        rows.KeepOnly([.. Enumerable.Range(0, kept)]);
        return kept - labels.Length;
    }

    /// <summary>A model with the trained copy's weights; the caller's to dispose of.</summary>
    /// <param name="method">What <see cref="Train"/> gave.</param>
    public EncoderModel ToModel(PretrainingMethod method) => model.WithWeightsOf(method.Encoder, device, model.TrainingFacts);
}
