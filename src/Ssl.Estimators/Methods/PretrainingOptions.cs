using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining estimator has. Checked when the estimator is made, all faults at once.</summary>
public abstract class PretrainingOptions
{
    private readonly double _learningRate;
    private readonly int _usualEpochs;
    private int? _statedEpochs;

    /// <summary>Settings whose defaults each method has of its own.</summary>
    /// <param name="batchSize">Default of <see cref="BatchSize"/>.</param>
    /// <param name="numberOfEpochs">Default of <see cref="NumberOfEpochs"/>.</param>
    /// <param name="learningRate">The learning rate for an encoder with fresh weights.</param>
    /// <param name="weightDecay">Default of <see cref="WeightDecay"/>.</param>
    protected PretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay)
        => (BatchSize, _usualEpochs, _learningRate, WeightDecay) = (batchSize, numberOfEpochs, learningRate, weightDecay);

    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>, one embedding a row.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    [NotPartOfIdentity("A name of what comes out.")]
    public string OutputColumnName { get; set; } = ColumnNames.Features;

    /// <summary>Rows a step. At least 1, contrastive methods at least 2: the other rows of the batch are their negatives.</summary>
    public int BatchSize { get; set; }

    /// <summary>
    /// Passes over the data. 0 leaves the encoder untrained: the baseline that pretraining has to beat. While it is not set, few rows get
    /// more of them: <see cref="MinimumNumberOfSteps"/>.
    /// </summary>
    [OptionRange(Minimum = 0)]
    public int NumberOfEpochs
    {
        get => _statedEpochs ?? _usualEpochs;
        set => _statedEpochs = value;
    }

    /// <summary>
    /// Steps of a training whose <see cref="NumberOfEpochs"/> is not set: where so many epochs have fewer, there are more epochs. What is
    /// learned depends on the number of steps, not on how often a row is seen. Not for streamed rows, whose number is not known, nor for
    /// an encoder that starts from weights that exist, which needs few. At least 0; 0 leaves the epochs as they are.
    /// </summary>
    /// <value>The default value is 300.</value>
    [OptionRange(Minimum = 0)]
    [NotPartOfIdentity("The number of epochs that follows from it stands for it.")]
    public int MinimumNumberOfSteps { get; set; } = 300;

    /// <summary>
    /// Peak learning rate of AdamW, reached after the warm-up; a cosine takes it to 0. Greater than 0. Null takes the method's own for an
    /// encoder with fresh weights, and 0.00005 for one that starts from weights that exist, which the method's own would ruin.
    /// </summary>
    /// <remarks>
    /// <see cref="EffectiveLearningRate"/> tells which it is. Weights that exist are customarily adapted with 0.00001 to 0.0001 (Devlin et
    /// al., "BERT", 2019: 0.00002 to 0.00005).
    /// </remarks>
    /// <value>The default value is null.</value>
    [OptionRange(Above = 0)]
    public double? LearningRate { get; set; }

    /// <summary>The peak learning rate that is used: <see cref="LearningRate"/>, or where it is null what stands for it.</summary>
    public double EffectiveLearningRate
        => LearningRate ?? (StartsFromWeights ? AdaptingLearningRate : _learningRate);

    /// <summary>
    /// Blocks of the encoder, counted from its input, that stay as they are; see <see cref="Encoder.Blocks"/>. For encoders that start from
    /// weights that exist: what they know of single words or edges is kept, and a step is faster. At least 0, less than the encoder has.
    /// </summary>
    /// <value>The default value is 0.</value>
    [OptionRange(Minimum = 0)]
    public int FrozenBlocks { get; set; }

    /// <summary>
    /// Factor of the learning rate from one block of the encoder to the next towards the input: the method's heads learn with
    /// <see cref="EffectiveLearningRate"/>, the last block with this factor of it, the one before with its square. For encoders that start
    /// from weights that exist. 1 gives all the same. In (0, 1].
    /// </summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Above = 0, Maximum = 1)]
    public double LayerwiseLearningRateDecay { get; set; } = 1;

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

    /// <summary>
    /// Whether the networks compute in bfloat16, which has 8 of Float32's 24 bits and all of its range: products, convolutions, attention
    /// and what lies between them. Weights, sums within norms and softmax, and losses stay Float32, and so does what <c>Transform</c>
    /// computes with the trained encoder. Several times faster on GPUs since the Ampere generation. Refused on processors without bfloat16
    /// instructions, which would be slower, and for an encoder of your own module, which decides on its precision itself.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool MixedPrecision { get; set; }

    /// <summary>
    /// Whether a GPU may round what products and convolutions in Float32 take to 10 bits behind the point (TensorFloat32): faster since the
    /// Ampere generation, and the losses of a step change in the third or fourth digit. Torch has one such choice for the process: while
    /// this <c>Fit</c> runs, it holds for others, too. Nothing on a CPU.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool AllowTf32 { get; set; }

    /// <summary>
    /// Share of the rows kept out of training to measure the loss on: after every epoch, on the same rows with the same views and masks, so
    /// that the losses of two epochs compare. <c>Fit</c> then returns the weights of the epoch where that loss was lowest, however the
    /// training ends. 0 trains on all rows and returns the last weights: the loss on the rows that are being trained on says nothing about
    /// which weights are best. In [0, 1).
    /// </summary>
    /// <remarks>
    /// The name is that of the fine-tuning options, of AutoML's and of scikit-learn's; Keras calls it validation_split. The seed draws the
    /// rows. Tokenizer, scales and mean pixel are learned from all rows. Rows beyond <see cref="CacheLimit"/> are read once more for it
    /// after every epoch.
    /// </remarks>
    /// <value>The default value is 0.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public double ValidationFraction { get; set; }

    /// <summary>
    /// Epochs without a lower validation loss after which the training ends. At least 1; needs <see cref="ValidationFraction"/> above 0.
    /// Null trains for all epochs.
    /// </summary>
    /// <remarks>
    /// The learning rate falls with <see cref="NumberOfEpochs"/>, and much of what is learned is learned towards its end: give patience
    /// rather than end a training that only paused.
    /// </remarks>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    [NotPartOfIdentity("Decides how long the training goes, not what a step does.")]
    public int? EarlyStoppingPatience { get; set; }

    /// <summary>
    /// Stops after this time, with the learning rate annealed by then. Null means no limit. Where rows are kept out of training, the loss
    /// on them is measured once more at the end.
    /// </summary>
    [OptionRange(Above = 0)]
    [NotPartOfIdentity("No two runs with a limit are equal, and one that it ended goes on with a later one.")]
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>Bytes of host memory for the rows in compact form; data beyond it are read anew every epoch. At least 0.</summary>
    /// <value>The default value is 2 GiB.</value>
    [OptionRange(Minimum = 0)]
    [NotPartOfIdentity("Whether rows are streamed counts, and stands for it.")]
    public long CacheLimit { get; set; } = 2L << 30;

    /// <summary>Rows in the shuffle buffer when the data do not fit <see cref="CacheLimit"/>. At least 1.</summary>
    /// <value>The default value is 65,536.</value>
    [OptionRange(Minimum = 1)]
    [NotPartOfIdentity("Counts where rows are streamed, and is told with that.")]
    public int ShuffleBufferSize { get; set; } = 65_536;

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
    [NotEmpty(AllowsNull = true)]
    [NotPartOfIdentity("Where the file is changes nothing.")]
    public string? CheckpointPath { get; set; }

    /// <summary>
    /// Told after every step, throttled, and after every epoch; before the first step how many rows were read, and how far a tokenizer is.
    /// Called on the training thread.
    /// </summary>
    [NotPartOfIdentity("Reports change nothing.")]
    public IProgress<PretrainingProgress>? Progress { get; set; }

    /// <summary>
    /// Ends the training within a step; <c>Fit</c> then returns the encoder as it is, or, where <see cref="ValidationFraction"/> is above
    /// 0, with the weights of the epoch whose validation loss was lowest. Before the first step the reading of rows and the training of a
    /// tokenizer end, too: <c>Fit</c> then returns the untrained encoder with a warning, or throws
    /// <see cref="OperationCanceledException"/> where what an encoder needs of the data is not known yet.
    /// </summary>
    [NotPartOfIdentity("A run that is canceled is the one to continue.")]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Fewest rows a step that the method can learn from.</summary>
    protected internal virtual int MinimumBatchSize => 1;

    /// <summary>Whether the encoder starts from weights that exist.</summary>
    internal bool StartsFromWeights => EncoderToStartWith?.StartsFromWeights == true;

    /// <summary>The learning rate for an encoder that starts from weights that exist.</summary>
    internal virtual double AdaptingLearningRate => 5e-5;

    /// <summary>The encoder that the settings name; null for the method's default.</summary>
    private protected virtual EncoderFactory? EncoderToStartWith => null;

    /// <summary>Which weights of an encoder change, and how fast.</summary>
    /// <exception cref="ArgumentOutOfRangeException">None would.</exception>
    internal EncoderTuning TuningOf(Encoder encoder)
    {
        var count = new EncoderBlocks(encoder).Count;
        return FrozenBlocks < count ? new EncoderTuning(count - FrozenBlocks, LayerwiseLearningRateDecay)
            : throw new ArgumentOutOfRangeException(nameof(FrozenBlocks), $"FrozenBlocks must be less than {count}, the blocks of the encoder "
                + $"({string.Join(", ", encoder.Blocks)}), got {FrozenBlocks}: nothing of it would learn.");
    }

    /// <summary>Settings of a short form: what is null keeps the method's default.</summary>
    internal void Set(int? batchSize, int? numberOfEpochs, double? learningRate)
        => (BatchSize, _statedEpochs, LearningRate)
            = (batchSize ?? BatchSize, numberOfEpochs ?? _statedEpochs, learningRate ?? LearningRate);

    /// <summary>Passes over rows that make so many steps.</summary>
    /// <param name="stepsPerEpoch">Null where that is not known.</param>
    internal int EpochsOf(long? stepsPerEpoch) => _statedEpochs is null && !StartsFromWeights && stepsPerEpoch is > 0 and { } steps
        ? (int)Math.Max(_usualEpochs, (MinimumNumberOfSteps + steps - 1) / steps) : NumberOfEpochs;

    /// <summary>A copy that later changes of the original do not reach.</summary>
    internal PretrainingOptions Snapshot() => (PretrainingOptions)MemberwiseClone();

    // What all methods of a kind of data need, apart from Validate: a method that overrides that cannot forget it.
    private protected virtual void ValidateKind(OptionFaults faults)
    {
    }

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
        faults.Require(EarlyStoppingPatience is null || ValidationFraction != 0, nameof(EarlyStoppingPatience),
            "must be null where ValidationFraction is 0: it waits for a lower validation loss (set ValidationFraction, such as to 0.1)",
            EarlyStoppingPatience);
        faults.Require(!MixedPrecision || EncoderToStartWith is null or { RoundsToBFloat16: true }, nameof(MixedPrecision),
            EncoderFactory.ExactOnly, MixedPrecision);
        ValidateKind(faults);
        Validate(faults);
        faults.ThrowIfAny();
    }

    internal virtual TrainingSettings ToTrainingSettings() => new()
    {
        BatchSize = BatchSize,
        NumberOfEpochs = NumberOfEpochs,
        LearningRate = EffectiveLearningRate,
        WeightDecay = WeightDecay,
        WarmupFraction = WarmupFraction,
        GradientClipNorm = GradientClipNorm,
        MaximumTrainingTime = MaximumTrainingTime,
        CheckpointPath = CheckpointPath,
        MixedPrecision = MixedPrecision,
        AllowTf32 = AllowTf32,
    };
}
