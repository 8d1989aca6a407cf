using System.Runtime.CompilerServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training.Optimizers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>A pretraining method: an encoder, what is needed beside it in training, and the loss of a step.</summary>
public abstract class PretrainingMethod : nn.Module
{
    private const string EncoderPrefix = "encoder.";

    // In a box, since RegisterComponents finds the modules in the fields of base classes, too: the encoder would be registered twice, and
    // stand twice in every state dictionary.
    private readonly StrongBox<Encoder> _encoder;

    private EncoderTuning _tuning = EncoderTuning.Full;
    private EncoderBlocks? _blocks;
    private IReadOnlyList<nn.Module> _resting = [];

    /// <summary>
    /// A method around an encoder. The derived class registers its components, the encoder among them, under the name "encoder".
    /// </summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">What is pretrained; disposed of with the method.</param>
    protected PretrainingMethod(string name, Encoder encoder) : base(name)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        _encoder = new StrongBox<Encoder>(encoder);
    }

    /// <summary>What is pretrained.</summary>
    public Encoder Encoder => _encoder.Value!;

    /// <summary>The loss of one step. Views and masks are drawn inside, on the batch's device.</summary>
    /// <remarks>
    /// Also measured on rows kept aside, in evaluation mode and without gradients. That must change nothing that later steps read, but two
    /// things, which are put back afterwards: the random streams, and the module's buffers. Keep what a step leaves to the next one in
    /// buffers, or change it in <see cref="OnStepCompleted"/>.
    /// </remarks>
    /// <param name="columns">One batch for every column that the method trains on, all of the same rows.</param>
    public abstract StepLoss Loss(IReadOnlyList<Batch> columns);

    /// <summary>One column of a step, which must be of the kind that the method learns from.</summary>
    /// <typeparam name="TBatch">Images, tokens, rows of a table or series.</typeparam>
    /// <param name="columns">What <see cref="Loss"/> got.</param>
    /// <param name="index">Which of them.</param>
    /// <param name="count">How many the method trains on.</param>
    /// <exception cref="ArgumentException">There are more or fewer columns, or it holds something else.</exception>
    protected static TBatch Column<TBatch>(IReadOnlyList<Batch> columns, int index = 0, int count = 1) where TBatch : Batch
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count != count)
        {
            throw new ArgumentException($"The method trains on {count} column{(count == 1 ? "" : "s")}, got {columns.Count}.",
                nameof(columns));
        }
        return columns[index] as TBatch ?? throw new ArgumentException(
            $"Column {index} must be a {typeof(TBatch).Name}, got {columns[index]?.GetType().Name ?? "null"}.", nameof(columns));
    }

    /// <summary>Whether dropout makes two views of a sample, as in SimCSE: it then stays on where the loss is measured.</summary>
    protected internal virtual bool ViewsComeFromDropout => false;

    /// <summary>Puts the method into evaluation mode, to measure its loss on rows that training does not see.</summary>
    internal void BeginEvaluation()
    {
        eval();
        if (!ViewsComeFromDropout)
            return;
        foreach (var dropout in modules().OfType<SeededDropout>())
            dropout.train();
    }

    /// <summary>Says which weights of the encoder change, and how fast; without it all do, alike.</summary>
    internal void Tune(EncoderTuning tuning)
    {
        var blocks = new EncoderBlocks(Encoder);
        foreach (var (name, parameter) in Encoder.named_parameters())
            parameter.requires_grad_(tuning.Trains(blocks, blocks[name]) && !IsLocked(name));
        (_tuning, _blocks, _resting) = (tuning, blocks, blocks.WithStatistics(Encoder, name => !tuning.Trains(blocks, blocks[name]) || IsLocked(name)));
    }

    /// <summary>Whether a weight of the encoder stays as it is, whatever block it is in.</summary>
    /// <param name="parameterName">Its name in the encoder.</param>
    private protected virtual bool IsLocked(string parameterName) => false;

    /// <summary>Modules of blocks that do not change, which keep their statistics.</summary>
    internal IReadOnlyList<nn.Module> Resting => _resting;

    /// <summary>How fast a parameter learns.</summary>
    /// <param name="parameterName">Its name in the method: "encoder.output.weight".</param>
    internal virtual ParameterRate RateOf(string parameterName)
        => _blocks is not null && parameterName.StartsWith(EncoderPrefix, StringComparison.Ordinal)
            ? new(Math.Pow(_tuning.LayerDecay, _blocks.Count - _blocks[parameterName[EncoderPrefix.Length..]])) : ParameterRate.Plain;

    /// <summary>Called before an epoch's first step, with the method in training mode.</summary>
    /// <param name="epoch">Its number, from 0.</param>
    internal virtual void OnEpochStarting(int epoch) => LetFrozenBlocksRest();

    /// <summary>Puts what keeps statistics in blocks that do not change out of training mode, which the whole encoder was put into.</summary>
    private protected void LetFrozenBlocksRest()
    {
        foreach (var module in _resting)
            module.eval();
    }

    /// <summary>Called before the loss of a step.</summary>
    /// <param name="progress">Share of the training that is over, from 0 to 1; also in a resumed training.</param>
    internal virtual void OnStepStarting(double progress)
    {
    }

    /// <summary>Called after the optimizer's step: for moving averages and queues.</summary>
    /// <param name="progress">Share of the training that is over, from 0 to 1.</param>
    public virtual void OnStepCompleted(double progress)
    {
    }
}

/// <summary>What a step gave.</summary>
/// <param name="Total">What is minimized: a scalar with gradient.</param>
/// <param name="Terms">Its named parts and other figures worth showing: scalars, detached.</param>
/// <param name="Embeddings">Detached [N, D] for the collapse watch; null where the method has none that could collapse.</param>
public sealed record StepLoss(Tensor Total, IReadOnlyList<(string Name, Tensor Value)> Terms, Tensor? Embeddings = null)
{
    /// <summary>The sum of what the parts of a method gave that count, with the terms of all, and the embeddings of the first that has some.</summary>
    /// <param name="parts">In their order; null for one that does not count. At least one does.</param>
    internal static StepLoss Sum(params ReadOnlySpan<StepLoss?> parts)
    {
        StepLoss? sum = null;
        foreach (var part in parts)
        {
            if (part is not null)
                sum = sum is null ? part : new StepLoss(sum.Total.add(part.Total, One), [.. sum.Terms, .. part.Terms], sum.Embeddings ?? part.Embeddings);
        }
        return sum!;
    }
}
