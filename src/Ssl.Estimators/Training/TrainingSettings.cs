using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators.Training;

/// <summary>How a pretraining run goes: length, optimizer, schedule, checkpoints, reports. Nothing about the method or the data.</summary>
public sealed class TrainingSettings
{
    internal static class Defaults
    {
        internal const int NumberOfEpochs = 10;
        internal const int BatchSize = 256;
        internal const double LearningRate = 1e-3;
        internal const double WeightDecay = 0.01;
        internal const double WarmupFraction = 0.05;
        internal const double GradientClipNorm = 1;
        internal const double Beta1 = 0.9;
        internal const double Beta2 = 0.999;
        internal const double Epsilon = 1e-8;
        internal const int CheckpointEveryEpochs = 1;
        internal const double CollapseThreshold = 0.1;
        internal const double ProgressIntervalSeconds = 0.25;
        internal const double LogIntervalSeconds = 5;
    }

    /// <summary>Passes over the data. At least 1.</summary>
    /// <value>The default value is 10.</value>
    public int NumberOfEpochs { get; set; } = Defaults.NumberOfEpochs;

    /// <summary>Rows a step. At least 1. The loop only counts steps with it; the batch source makes the batches.</summary>
    /// <value>The default value is 256.</value>
    public int BatchSize { get; set; } = Defaults.BatchSize;

    /// <summary>Learning rate after the warm-up; from there a half cosine takes it to 0. Greater than 0.</summary>
    /// <value>The default value is 0.001.</value>
    public double LearningRate { get; set; } = Defaults.LearningRate;

    /// <summary>Decoupled weight decay of AdamW. At least 0. Biases, norms and other vectors are not decayed.</summary>
    /// <value>The default value is 0.01.</value>
    public double WeightDecay { get; set; } = Defaults.WeightDecay;

    /// <summary>Share of all steps in which the learning rate rises linearly. From 0 to less than 1.</summary>
    /// <value>The default value is 0.05.</value>
    public double WarmupFraction { get; set; } = Defaults.WarmupFraction;

    /// <summary>Largest Euclidean norm of all gradients together; a longer gradient is scaled down to it. 0 turns clipping off.</summary>
    /// <value>The default value is 1.</value>
    public double GradientClipNorm { get; set; } = Defaults.GradientClipNorm;

    /// <summary>AdamW's decay of the gradient average. From 0 to less than 1.</summary>
    /// <value>The default value is 0.9.</value>
    public double Beta1 { get; set; } = Defaults.Beta1;

    /// <summary>AdamW's decay of the squared-gradient average. From 0 to less than 1.</summary>
    /// <value>The default value is 0.999.</value>
    public double Beta2 { get; set; } = Defaults.Beta2;

    /// <summary>Added to AdamW's denominator. Greater than 0.</summary>
    /// <value>The default value is 1e-8.</value>
    public double Epsilon { get; set; } = Defaults.Epsilon;

    /// <summary>
    /// Ends the run after this time; <see langword="null"/> for no limit. The learning rate follows the larger of the step share
    /// and the time share, so that a run which the clock ends has annealed as well.
    /// </summary>
    /// <value>The default value is <see langword="null"/>.</value>
    [NotPartOfIdentity("No two runs with a limit are equal, and one that it ended goes on with a later one.")]
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>
    /// Whether networks compute in bfloat16; weights and losses stay Float32. Refused on processors without bfloat16 instructions.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool MixedPrecision { get; set; }

    /// <summary>Whether a GPU may round what products in Float32 take (TensorFloat32). Holds for the process while the run lasts.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AllowTf32 { get; set; }

    /// <summary>File to which checkpoints are written and from which a run resumes; <see langword="null"/> for none.</summary>
    /// <remarks>
    /// Where the file exists and <see cref="Resume"/> is true, the run goes on from it. A checkpoint of another run is refused with a
    /// sentence that says what differs. The number of epochs must be the same too: the learning rate of every step follows from it. The
    /// file is written beside its place and renamed, so that a whole checkpoint is there at any time. The checkpoint of a finished run
    /// stays: another run with it has nothing left to do and returns its weights at once.
    /// </remarks>
    /// <value>The default value is <see langword="null"/>.</value>
    [NotPartOfIdentity("Where the file is changes nothing.")]
    public string? CheckpointPath { get; set; }

    /// <summary>Epochs between two checkpoints; the last epoch is always written. At least 1.</summary>
    /// <value>The default value is 1.</value>
    [NotPartOfIdentity("Writing changes nothing.")]
    public int CheckpointEveryEpochs { get; set; } = Defaults.CheckpointEveryEpochs;

    /// <summary>Whether a checkpoint that exists at <see cref="CheckpointPath"/> is continued; otherwise it is overwritten.</summary>
    /// <value>The default value is <see langword="true"/>.</value>
    [NotPartOfIdentity("Decides whether the file is read at all.")]
    public bool Resume { get; set; } = true;

    /// <summary>
    /// What else must be the same when a run resumes (method, encoder, data, seed), by name: stored in the checkpoint and compared with it.
    /// Settings of this class and the shapes of the weights are compared anyway.
    /// </summary>
    /// <value>The default value is empty.</value>
    [NotPartOfIdentity("Its values are, each under its own name.")]
    public IReadOnlyDictionary<string, string> Identity { get; set; } = new Dictionary<string, string>();

    /// <summary>
    /// Embedding spread under which the run warns of collapse: the standard deviation of the L2-normalized embeddings, times the
    /// square root of their dimension; 1 for directions spread evenly, 0 when all embeddings are equal. 0 turns the watch off.
    /// </summary>
    /// <value>The default value is 0.1.</value>
    [NotPartOfIdentity("Decides on a warning.")]
    public double CollapseThreshold { get; set; } = Defaults.CollapseThreshold;

    /// <summary>Shortest time between two progress reports inside an epoch; the end of an epoch is always reported.</summary>
    /// <value>The default value is 0.25 seconds.</value>
    [NotPartOfIdentity("Reports change nothing.")]
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(Defaults.ProgressIntervalSeconds);

    /// <summary>Time between two info lines inside a long epoch; the end of an epoch always has one.</summary>
    /// <value>The default value is 5 seconds.</value>
    [NotPartOfIdentity("Reports change nothing.")]
    public TimeSpan LogInterval { get; set; } = TimeSpan.FromSeconds(Defaults.LogIntervalSeconds);

    /// <summary>Steps between two readings of the steps' numbers from the device; by default 1 on the CPU, 16 elsewhere.</summary>
    internal int? ReadInterval { get; set; }

    /// <summary>The processes that train together; null for this one alone.</summary>
    internal ProcessGroup? Processes { get; set; }

    /// <summary>Whether parameters lie in common vectors while they are trained; by default not on the CPU.</summary>
    internal bool? JoinsParameters { get; set; }

    /// <summary>Adds what is out of range to <paramref name="faults"/>, under the names of these properties.</summary>
    internal void Validate(OptionFaults faults) => faults
        .AtLeast(NumberOfEpochs, 1)
        .AtLeast(BatchSize, 1)
        .Positive(LearningRate)
        .NotNegative(WeightDecay)
        .InHalfOpenRange(WarmupFraction, 0, 1)
        .NotNegative(GradientClipNorm)
        .InHalfOpenRange(Beta1, 0, 1)
        .InHalfOpenRange(Beta2, 0, 1)
        .Positive(Epsilon)
        .Positive(MaximumTrainingTime)
        .AtLeast(CheckpointEveryEpochs, 1)
        .InRange(CollapseThreshold, 0, 1)
        .Require(ProgressInterval >= TimeSpan.Zero, nameof(ProgressInterval), "must be at least 0", ProgressInterval)
        .Require(LogInterval >= TimeSpan.Zero, nameof(LogInterval), "must be at least 0", LogInterval);
}
