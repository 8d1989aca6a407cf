using System.Diagnostics;
using Ssl.Estimators.Encoders;
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

    /// <summary>Share of the time of a copy that embedding rows with it may take in any case: the rest is for its training.</summary>
    public const double EmbeddingShare = 0.25;

    private const int RowsOfEstimate = 256, RowsOfFirstCall = 8;

    // What a row takes to train on, as a multiple of embedding it: as long as none was trained on.
    private const double TrainingPerEmbedding = 2.5;

    private const int FewestSteps = 10;

    private TimeSpan? _trainingOfRow;

    /// <summary>How a copy is trained: where time is short in smaller batches, and then in fewer steps.</summary>
    /// <param name="labeled">Labeled rows to learn from.</param>
    /// <param name="rowsThatFit">Rows, the same ones many times, for which there is time; null where it does not matter.</param>
    internal static (int BatchSize, int Steps) Plan(int labeled, double? rowsThatFit)
    {
        // Found on trials with 100 to 3,000 labeled rows: fewer than passes would take, as the loss is small soon.
        var steps = Math.Clamp(40 + labeled / 50, 40, 100);
        if (rowsThatFit is not { } rows)
            return (ClassBatches.LargestBatch, steps);
        var batchSize = (int)Math.Clamp(rows / steps, ClassBatches.LargestBatch / 2, ClassBatches.LargestBatch);
        return (batchSize, (int)Math.Clamp(rows / batchSize, FewestSteps, steps));
    }

    /// <summary>Length of an embedding.</summary>
    public int Dimension => model.Dimension;

    /// <summary>Trains a copy of the encoder, in as many steps as the time allows, of which the warm-up is a share.</summary>
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
            var (batchSize, steps) = Plan(used.Length, 0.95 * (limit / _trainingOfRow));
            var source = new ClassBatches(rows, used, [.. used.Select(row => labels[row])], streams.Shuffle, batchSize, steps);
            var result = PretrainingLoop.Run(method, source, new TrainingSettings
            {
                NumberOfEpochs = 1, BatchSize = batchSize, LearningRate = method.LearningRate, WarmupFraction = 0.1,
                MaximumTrainingTime = limit, CollapseThreshold = 0,
            }, streams, device, new TrainingReporter(Info: text => tell($"    {text}")), cancellationToken);
            if (result.StepsCompleted > 0)
                _trainingOfRow = result.Elapsed / (result.StepsCompleted * batchSize);
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
        var embedding = Estimate(rows, copy.Encoder, device);
        _trainingOfRow = TrainingPerEmbedding * embedding / rows.Count;
        return embedding;
    }

    /// <summary>The same of any rows: as many of them as tell it are embedded, from the first to the last.</summary>
    internal static TimeSpan Estimate(RowStore rows, Encoder network, Device device)
    {
        var count = Math.Min(rows.Count, RowsOfEstimate);
        int[] sample = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * rows.Count / count))];
        rows.EncodeSome(network, device, sample[..Math.Min(count, RowsOfFirstCall)]).cpu();                      // what a first call does beside computing
        var clock = Stopwatch.StartNew();
        rows.EncodeSome(network, device, sample).cpu();
        return clock.Elapsed * ((double)rows.Count / count);
    }

    /// <summary>Lets go of unlabeled rows where embedding all of them takes too long: without adaptation they are worth less.</summary>
    /// <param name="embedding">What all rows take.</param>
    /// <param name="left">Time for it.</param>
    /// <returns>The unlabeled rows that are left; null where none had to go.</returns>
    public int? KeepWhatFits(TimeSpan embedding, TimeSpan left)
    {
        if (embedding <= left || rows.Count <= labels.Length)
            return null;
        var kept = (int)Math.Clamp(rows.Count * (left / embedding), labels.Length, rows.Count);
        rows.KeepOnly([.. Enumerable.Range(0, kept)]);
        return kept - labels.Length;
    }

    /// <summary>A model with the trained copy's weights; the caller's to dispose of.</summary>
    /// <param name="method">What <see cref="Train"/> gave.</param>
    public EncoderModel ToModel(PretrainingMethod method) => model.WithWeightsOf(method.Encoder, device, model.TrainingFacts);
}
