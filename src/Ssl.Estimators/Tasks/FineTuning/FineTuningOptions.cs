using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators;

/// <summary>Settings that every fine-tuning estimator has. Checked when the estimator is made, all faults at once.</summary>
public abstract class FineTuningOptions
{
    /// <summary>The defaults that are the same for every task.</summary>
    internal static class CommonDefaults
    {
        public const string LabelColumnName = "Label";
        public const string FeatureColumnName = ColumnNames.Features;
        public const int BatchSize = 32;
        public const int NumberOfEpochs = 20;
        public const double LearningRate = 1e-3;
        public const double WeightDecay = 0.01;
        public const double WarmupFraction = 0.1;
        public const double GradientClipNorm = 1;
        public const FineTuningHead Head = FineTuningHead.Linear;
        public const TrainableLayers Layers = Estimators.TrainableLayers.Full;
        public const int NumberOfTrainableBlocks = 1;
        public const double LayerwiseLearningRateDecay = 1;
        public const int HeadOnlyEpochs = 0;
        public const double ValidationFraction = 0;
        public const int Patience = 3;
    }

    /// <summary>
    /// The encoder to tune a copy of; it never changes and must not be disposed of before <c>Fit</c>. Null finds the encoder of
    /// <see cref="FeatureColumnName"/>.
    /// </summary>
    /// <value>The default value is null.</value>
    [NotPartOfIdentity("Its modality, columns and weights stand for it.")]
    public EncoderTransformer? Encoder { get; set; }

    /// <summary>Name of the column to learn to predict.</summary>
    /// <value>The default value is "Label".</value>
    [NotEmpty]
    public string LabelColumnName { get; set; } = CommonDefaults.LabelColumnName;

    /// <summary>
    /// Name of the embedding column that an earlier stage of the same chain makes: it carries the encoder and the names of its input
    /// columns. Not read where <see cref="Encoder"/> is given.
    /// </summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string FeatureColumnName { get; set; } = CommonDefaults.FeatureColumnName;

    /// <summary>Rows a step. At least 1.</summary>
    /// <value>The default value is 32.</value>
    [OptionRange(Minimum = 1)]
    public int BatchSize { get; set; } = CommonDefaults.BatchSize;

    /// <summary>Passes over the data. At least 1.</summary>
    /// <value>The default value is 20.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfEpochs { get; set; } = CommonDefaults.NumberOfEpochs;

    /// <summary>Peak learning rate of AdamW, reached after the warm-up; a cosine takes it to 0. Greater than 0.</summary>
    /// <value>The default value is 0.001.</value>
    [OptionRange(Above = 0)]
    public double LearningRate { get; set; } = CommonDefaults.LearningRate;

    /// <summary>Decoupled weight decay; biases and norms are left alone. At least 0.</summary>
    /// <value>The default value is 0.01.</value>
    [OptionRange(Minimum = 0)]
    public double WeightDecay { get; set; } = CommonDefaults.WeightDecay;

    /// <summary>Share of all steps in which the learning rate rises linearly. In [0, 1).</summary>
    /// <value>The default value is 0.1.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public double WarmupFraction { get; set; } = CommonDefaults.WarmupFraction;

    /// <summary>Largest norm of the gradient over all weights; 0 turns clipping off.</summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Minimum = 0)]
    public double GradientClipNorm { get; set; } = CommonDefaults.GradientClipNorm;

    /// <summary>
    /// Whether the networks compute in bfloat16; weights, sums within norms and softmax, and losses stay Float32, and so does what the model
    /// computes when it predicts. See <see cref="PretrainingOptions.MixedPrecision"/>.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool MixedPrecision { get; set; }

    /// <summary>
    /// Whether a GPU may round what products and convolutions in Float32 take to 10 bits behind the point (TensorFloat32). Holds for the
    /// process while this <c>Fit</c> runs. See <see cref="PretrainingOptions.AllowTf32"/>.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool AllowTf32 { get; set; }

    /// <summary>What stands on the encoder.</summary>
    /// <value>The default value is <see cref="FineTuningHead.Linear"/>.</value>
    public FineTuningHead Head { get; set; } = CommonDefaults.Head;

    /// <summary>Which weights change.</summary>
    /// <value>The default value is <see cref="Estimators.TrainableLayers.Full"/>.</value>
    public TrainableLayers TrainableLayers { get; set; } = CommonDefaults.Layers;

    /// <summary>
    /// Blocks of the encoder that change where <see cref="TrainableLayers"/> is <see cref="Estimators.TrainableLayers.LastBlocks"/>, counted
    /// from its output; all of them where it has fewer. At least 1.
    /// </summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfTrainableBlocks { get; set; } = CommonDefaults.NumberOfTrainableBlocks;

    /// <summary>
    /// Factor of the learning rate from one block of the encoder to the next towards the input: the head learns with
    /// <see cref="LearningRate"/>, the last block with this factor of it, the one before with its square. 1 gives all the same. In (0, 1].
    /// </summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Above = 0, Maximum = 1)]
    public double LayerwiseLearningRateDecay { get; set; } = CommonDefaults.LayerwiseLearningRateDecay;

    /// <summary>
    /// Epochs at the beginning in which only the head learns, before the encoder is unfrozen: a random head would pull a pretrained
    /// encoder about. At least 0, less than <see cref="NumberOfEpochs"/>.
    /// </summary>
    /// <value>The default value is 0.</value>
    [OptionRange(Minimum = 0)]
    public int HeadOnlyEpochs { get; set; } = CommonDefaults.HeadOnlyEpochs;

    /// <summary>
    /// Share of the rows kept out of training, of every class alike: after every epoch the loss is measured on them, and the weights of
    /// the best epoch are kept. 0 trains on all rows and keeps the last weights. In [0, 1).
    /// </summary>
    /// <value>The default value is 0.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public double ValidationFraction { get; set; } = CommonDefaults.ValidationFraction;

    /// <summary>Epochs without a lower validation loss after which the training ends. At least 1.</summary>
    /// <value>The default value is 3.</value>
    [OptionRange(Minimum = 1)]
    [NotPartOfIdentity("Decides how long the training goes, not what a step does.")]
    public int Patience { get; set; } = CommonDefaults.Patience;

    /// <summary>Stops after this time, with the learning rate annealed by then. Null means no limit.</summary>
    [OptionRange(Above = 0)]
    [NotPartOfIdentity("No two runs with a limit are equal, and one that it ended goes on with a later one.")]
    public TimeSpan? MaximumTrainingTime { get; set; }

    /// <summary>Seed of all random draws of this estimator; null takes it from the <c>MLContext</c>.</summary>
    [NotPartOfIdentity("The seed that is used stands for it, whether stated here or drawn from the MLContext.")]
    public int? Seed { get; set; }

    /// <summary>
    /// File to which the state of the training is written after every epoch, and from which an interrupted training with the same data and
    /// settings goes on. Null writes none.
    /// </summary>
    [NotEmpty(AllowsNull = true)]
    [NotPartOfIdentity("Where the file is changes nothing.")]
    public string? CheckpointPath { get; set; }

    /// <summary>Told after every step, throttled, and before the first how many rows were read. Called on the training thread.</summary>
    [NotPartOfIdentity("Reports change nothing.")]
    public IProgress<PretrainingProgress>? Progress { get; set; }

    /// <summary>Ends the training within a step; <c>Fit</c> then returns the model as it is, or, where
    /// <see cref="ValidationFraction"/> is above 0, with the weights of the epoch whose validation loss was lowest. The reading of rows ends,
    /// too: <c>Fit</c> then returns a model whose head is not trained, with a warning, or throws
    /// <see cref="OperationCanceledException"/> where too few labels were read to know what is predicted.</summary>
    [NotPartOfIdentity("A run that is canceled is the one to continue.")]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>A copy that later changes of the original do not reach.</summary>
    internal FineTuningOptions Snapshot() => (FineTuningOptions)MemberwiseClone();

    internal virtual void Validate(OptionFaults faults)
    {
        OptionRuleAttribute.Check(this, faults);
        faults.Require(HeadOnlyEpochs <= 0 || HeadOnlyEpochs < NumberOfEpochs, nameof(HeadOnlyEpochs),
            $"must be less than NumberOfEpochs {NumberOfEpochs}", HeadOnlyEpochs);
    }

    /// <summary>Which weights of the encoder change, as the method takes it.</summary>
    internal EncoderTuning Tuning => new(
        TrainableLayers switch
        {
            TrainableLayers.HeadOnly => 0,
            TrainableLayers.LastBlocks => NumberOfTrainableBlocks,
            _ => null,
        },
        LayerwiseLearningRateDecay,
        HeadOnlyEpochs);

    internal TrainingSettings ToTrainingSettings(string? checkpointPath) => new()
    {
        BatchSize = BatchSize,
        NumberOfEpochs = NumberOfEpochs,
        LearningRate = LearningRate,
        WeightDecay = WeightDecay,
        WarmupFraction = WarmupFraction,
        GradientClipNorm = GradientClipNorm,
        MaximumTrainingTime = MaximumTrainingTime,
        CheckpointPath = checkpointPath,
        MixedPrecision = MixedPrecision,
        AllowTf32 = AllowTf32,
    };
}

/// <summary>Settings that fine-tuning for classes has beside the common ones.</summary>
public abstract class ClassificationOptions : FineTuningOptions
{
    /// <summary>The defaults that are the same for two classes and several.</summary>
    internal static class ClassificationDefaults
    {
        public const double LabelSmoothing = 0;
        public const ClassWeights Weights = Estimators.ClassWeights.Equal;
        public const HeadInitialization Initialization = Estimators.HeadInitialization.Random;
    }

    /// <summary>Share of the target that is spread over all classes, against overconfidence. In [0, 1).</summary>
    /// <value>The default value is 0.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public double LabelSmoothing { get; set; } = ClassificationDefaults.LabelSmoothing;

    /// <summary>How much a row counts by its class.</summary>
    /// <value>The default value is <see cref="Estimators.ClassWeights.Equal"/>.</value>
    public ClassWeights ClassWeights { get; set; } = ClassificationDefaults.Weights;

    /// <summary>What the head starts from. Class means need a linear head.</summary>
    /// <value>The default value is <see cref="Estimators.HeadInitialization.Random"/>.</value>
    public HeadInitialization HeadInitialization { get; set; } = ClassificationDefaults.Initialization;

    internal override void Validate(OptionFaults faults)
    {
        base.Validate(faults);
        faults.Require(HeadInitialization != HeadInitialization.ClassMeans || Head == FineTuningHead.Linear, nameof(HeadInitialization),
            "must be Random for a head that is not Linear", HeadInitialization);
    }
}
