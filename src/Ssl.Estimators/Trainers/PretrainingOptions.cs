using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators.Trainers;

/// <summary>Settings that every pretraining estimator has. Checked when the estimator is made, all faults at once.</summary>
public abstract class PretrainingOptions
{
    /// <summary>The defaults that are the same for every method.</summary>
    internal static class CommonDefaults
    {
        public const string OutputColumnName = "Features";
        public const double WeightDecay = 0.01;
        public const double WarmupFraction = 0.05;
        public const double GradientClipNorm = 1;
        public const long CacheLimit = 2L << 30;
        public const int ShuffleBufferSize = 65_536;
        public const double ValidationFraction = 0;
    }

    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>, one embedding a row.</summary>
    /// <value>The default value is "Features".</value>
    [NotPartOfIdentity("A name of what comes out.")]
    public string OutputColumnName { get; set; } = CommonDefaults.OutputColumnName;

    /// <summary>Rows a step. At least 1, contrastive methods at least 2: the other rows of the batch are their negatives.</summary>
    public int BatchSize { get; set; }

    /// <summary>Passes over the data. 0 leaves the encoder untrained: the baseline that pretraining has to beat.</summary>
    public int NumberOfEpochs { get; set; }

    /// <summary>Peak learning rate of AdamW, reached after the warm-up; a cosine takes it to 0. Greater than 0.</summary>
    public double LearningRate { get; set; }

    /// <summary>Decoupled weight decay; biases, norms and embeddings of one dimension are left alone. At least 0.</summary>
    /// <value>The default value is 0.01.</value>
    public double WeightDecay { get; set; } = CommonDefaults.WeightDecay;

    /// <summary>Share of all steps in which the learning rate rises linearly. In [0, 1).</summary>
    /// <value>The default value is 0.05.</value>
    public double WarmupFraction { get; set; } = CommonDefaults.WarmupFraction;

    /// <summary>Largest norm of the gradient over all weights; 0 turns clipping off.</summary>
    /// <value>The default value is 1.</value>
    public double GradientClipNorm { get; set; } = CommonDefaults.GradientClipNorm;

    /// <summary>
    /// Share of the rows kept out of training to measure the loss on: after every epoch, on the same rows with the same views and masks, so
    /// that the losses of two epochs compare. <c>Fit</c> then returns the weights of the epoch where that loss was lowest, however the
    /// training ends. 0 trains on all rows and returns the last weights: the loss on the rows that are being trained on says nothing about
    /// which weights are best. In [0, 1).
    /// </summary>
    /// <remarks>
    /// The name is that of the fine-tuning options, of AutoML's and of scikit-learn's; Keras calls it validation_split. The seed draws the
    /// rows. Tokenizer, scales and mean pixel are learnt from all rows. Rows beyond <see cref="CacheLimit"/> are read once more for it
    /// after every epoch.
    /// </remarks>
    /// <value>The default value is 0.</value>
    public double ValidationFraction { get; set; } = CommonDefaults.ValidationFraction;

    /// <summary>
    /// Epochs without a lower validation loss after which the training ends. At least 1; needs <see cref="ValidationFraction"/> above 0.
    /// Null trains for all epochs.
    /// </summary>
    /// <remarks>
    /// The learning rate falls with <see cref="NumberOfEpochs"/>, and much of what is learnt is learnt towards its end: give patience
    /// rather than end a training that only paused.
    /// </remarks>
    /// <value>The default value is null.</value>
    [NotPartOfIdentity("Decides how long the training goes, not what a step does.")]
    public int? EarlyStoppingPatience { get; set; }

    /// <summary>
    /// Stops after this time, with the learning rate annealed by then. Null means no limit. Where rows are kept out of training, the loss
    /// on them is measured once more at the end.
    /// </summary>
    [NotPartOfIdentity("No two runs with a limit are equal, and one that it ended goes on with a later one.")]
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>Bytes of host memory for the rows in compact form; data beyond it are read anew every epoch. At least 0.</summary>
    /// <value>The default value is 2 GiB.</value>
    [NotPartOfIdentity("Whether rows are streamed counts, and stands for it.")]
    public long CacheLimit { get; set; } = CommonDefaults.CacheLimit;

    /// <summary>Rows in the shuffle buffer when the data do not fit <see cref="CacheLimit"/>. At least 1.</summary>
    /// <value>The default value is 65,536.</value>
    [NotPartOfIdentity("Counts where rows are streamed, and is told with that.")]
    public int ShuffleBufferSize { get; set; } = CommonDefaults.ShuffleBufferSize;

    /// <summary>Seed of all random draws of this estimator; null takes it from the <c>MLContext</c>.</summary>
    [NotPartOfIdentity("The seed that is used stands for it, whether stated here or drawn from the MLContext.")]
    public int? Seed { get; set; }

    /// <summary>
    /// File to which the state of the training is written after every epoch, and from which an interrupted training goes on. Null writes
    /// none.
    /// </summary>
    /// <remarks>
    /// A training goes on from the file of the same one only: same method, options, encoder, columns, number of rows and seed; that of
    /// another is refused with a sentence that says what differs. What changes no number may differ, such as
    /// <see cref="MaximumTrainingTime"/> or
    /// <see cref="EarlyStoppingPatience"/>. <see cref="NumberOfEpochs"/> may not: the learning rate of every step follows from it. Without
    /// a seed, here or in the <c>MLContext</c>, the training goes on with that of the file.
    /// </remarks>
    [NotPartOfIdentity("Where the file is changes nothing.")]
    public string? CheckpointPath { get; set; }

    /// <summary>Told after every step, throttled, and after every epoch. Called on the training thread.</summary>
    [NotPartOfIdentity("Reports change nothing.")]
    public IProgress<PretrainingProgress>? Progress { get; set; }

    /// <summary>
    /// Ends the training within a step; <c>Fit</c> then returns the encoder as it is, or, where <see cref="ValidationFraction"/> is above
    /// 0, with the weights of the epoch whose validation loss was lowest.
    /// </summary>
    [NotPartOfIdentity("A run that is cancelled is the one to continue.")]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Fewest rows a step that the method can learn from.</summary>
    internal virtual int MinimumBatchSize => 1;

    /// <summary>A copy that later changes of the original do not reach.</summary>
    internal PretrainingOptions Snapshot() => (PretrainingOptions)MemberwiseClone();

    internal virtual void Validate(OptionFaults faults)
    {
        faults.NotEmpty(OutputColumnName);
        faults.AtLeast(BatchSize, MinimumBatchSize);
        faults.NotNegative(NumberOfEpochs);
        faults.Positive(LearningRate);
        faults.NotNegative(WeightDecay);
        faults.InHalfOpenRange(WarmupFraction, 0, 1);
        faults.NotNegative(GradientClipNorm);
        faults.NotNegative(CacheLimit);
        faults.AtLeast(ShuffleBufferSize, 1);
        faults.InHalfOpenRange(ValidationFraction, 0, 1);
        if (EarlyStoppingPatience is { } patience)
        {
            faults.AtLeast(patience, 1, nameof(EarlyStoppingPatience));
            faults.Require(ValidationFraction != 0, nameof(EarlyStoppingPatience),
                "must be null where ValidationFraction is 0: it waits for a lower validation loss (set ValidationFraction, such as to 0.1)",
                patience);
        }
        faults.Positive(MaximumTrainingTime);
        if (CheckpointPath is not null)
            faults.NotEmpty(CheckpointPath);
    }

    internal virtual TrainingSettings ToTrainingSettings() => new()
    {
        BatchSize = BatchSize,
        NumberOfEpochs = NumberOfEpochs,
        LearningRate = LearningRate,
        WeightDecay = WeightDecay,
        WarmupFraction = WarmupFraction,
        GradientClipNorm = GradientClipNorm,
        MaximumTrainingTime = MaximumTrainingTime,
        CheckpointPath = CheckpointPath,
    };
}
