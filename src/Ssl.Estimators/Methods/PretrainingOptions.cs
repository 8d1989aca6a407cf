using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Methods;

/// <summary>Settings that every pretraining estimator has. Checked when the estimator is made, all faults at once.</summary>
public abstract class PretrainingOptions
{
    /// <summary>Settings whose defaults each method has of its own.</summary>
    private protected PretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay)
        => (BatchSize, NumberOfEpochs, LearningRate, WeightDecay) = (batchSize, numberOfEpochs, learningRate, weightDecay);

    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>, one embedding a row.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string OutputColumnName { get; set; } = ColumnNames.Features;

    /// <summary>Rows a step. At least 1, contrastive methods at least 2: the other rows of the batch are their negatives.</summary>
    public int BatchSize { get; set; }

    /// <summary>Passes over the data. 0 leaves the encoder untrained: the baseline that pretraining has to beat.</summary>
    [OptionRange(Minimum = 0)]
    public int NumberOfEpochs { get; set; }

    /// <summary>Peak learning rate of AdamW, reached after the warm-up; a cosine takes it to 0. Greater than 0.</summary>
    [OptionRange(Above = 0)]
    public double LearningRate { get; set; }

    /// <summary>Decoupled weight decay; biases, norms and embeddings of one dimension are left alone. At least 0.</summary>
    [OptionRange(Minimum = 0)]
    public double WeightDecay { get; set; }

    /// <summary>Share of all steps in which the learning rate rises linearly. In [0, 1).</summary>
    /// <value>The default value is 0.05.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public double WarmupFraction { get; set; } = 0.05;

    /// <summary>Largest norm of the gradient over all weights; 0 turns clipping off.</summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Minimum = 0)]
    public double GradientClipNorm { get; set; } = 1;

    /// <summary>Stops after this time, with the learning rate annealed by then. Null means no limit.</summary>
    [OptionRange(Above = 0)]
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>Bytes of host memory for the rows in compact form; data beyond it are read anew every epoch. At least 0.</summary>
    /// <value>The default value is 2 GiB.</value>
    [OptionRange(Minimum = 0)]
    public long CacheLimit { get; set; } = 2L << 30;

    /// <summary>Rows in the shuffle buffer when the data do not fit <see cref="CacheLimit"/>. At least 1.</summary>
    /// <value>The default value is 65,536.</value>
    [OptionRange(Minimum = 1)]
    public int ShuffleBufferSize { get; set; } = 65_536;

    /// <summary>Seed of all random draws of this estimator; null takes it from the <c>MLContext</c>.</summary>
    public int? Seed { get; set; }

    /// <summary>
    /// File to which the state of the training is written after every epoch, and from which an interrupted training goes on.
    /// Null writes none.
    /// </summary>
    [NotEmpty(AllowsNull = true)]
    public string? CheckpointPath { get; set; }

    /// <summary>Told after every step, throttled. Called on the training thread.</summary>
    public IProgress<PretrainingProgress>? Progress { get; set; }

    /// <summary>Ends the training within a step; <c>Fit</c> then returns the best encoder so far.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Fewest rows a step that the method can learn from.</summary>
    protected internal virtual int MinimumBatchSize => 1;

    /// <summary>Settings of a short form: what is null keeps the method's default.</summary>
    internal void Set(int? batchSize, int? numberOfEpochs, double? learningRate)
        => (BatchSize, NumberOfEpochs, LearningRate)
            = (batchSize ?? BatchSize, numberOfEpochs ?? NumberOfEpochs, learningRate ?? LearningRate);

    /// <summary>A copy that later changes of the original do not reach.</summary>
    internal PretrainingOptions Snapshot() => (PretrainingOptions)MemberwiseClone();

    /// <summary>Checks what the options' own rules cannot say: rules between several options.</summary>
    /// <param name="faults">Gets a sentence for each fault; all of them are shown together.</param>
    protected virtual void Validate(OptionFaults faults)
    {
    }

    internal void ThrowIfInvalid()
    {
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(this, faults);
        faults.AtLeast(BatchSize, MinimumBatchSize);
        Validate(faults);
        faults.ThrowIfAny();
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
