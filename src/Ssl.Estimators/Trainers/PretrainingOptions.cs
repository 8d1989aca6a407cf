using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Training;

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
    }

    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>, one embedding a row.</summary>
    /// <value>The default value is "Features".</value>
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

    /// <summary>Stops after this time, with the learning rate annealed by then. Null means no limit.</summary>
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>Bytes of host memory for the rows in compact form; data beyond it are read anew every epoch. At least 0.</summary>
    /// <value>The default value is 2 GiB.</value>
    public long CacheLimit { get; set; } = CommonDefaults.CacheLimit;

    /// <summary>Rows in the shuffle buffer when the data do not fit <see cref="CacheLimit"/>. At least 1.</summary>
    /// <value>The default value is 65,536.</value>
    public int ShuffleBufferSize { get; set; } = CommonDefaults.ShuffleBufferSize;

    /// <summary>Seed of all random draws of this estimator; null takes it from the <c>MLContext</c>.</summary>
    public int? Seed { get; set; }

    /// <summary>
    /// File to which the state of the training is written after every epoch, and from which an interrupted training goes on.
    /// Null writes none.
    /// </summary>
    public string? CheckpointPath { get; set; }

    /// <summary>Told after every step, throttled. Called on the training thread.</summary>
    public IProgress<PretrainingProgress>? Progress { get; set; }

    /// <summary>Ends the training within a step; <c>Fit</c> then returns the best encoder so far.</summary>
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
        faults.Positive(MaximumTrainingTime);
        if (CheckpointPath is not null)
            faults.NotEmpty(CheckpointPath);
    }

    internal virtual TrainingSettings ToTrainingSettings(string configuration) => new()
    {
        BatchSize = BatchSize,
        NumberOfEpochs = NumberOfEpochs,
        LearningRate = LearningRate,
        WeightDecay = WeightDecay,
        WarmupFraction = WarmupFraction,
        GradientClipNorm = GradientClipNorm,
        MaximumTrainingTime = MaximumTrainingTime,
        CheckpointPath = CheckpointPath,
        Configuration = configuration,
    };
}
