using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// What every estimator does that trains a copy of a pretrained encoder with a head on it: find the encoder, choose device and seed, run
/// the loop. A derived class reads the rows and says what is predicted.
/// </summary>
/// <typeparam name="TTransformer">The fitted model.</typeparam>
public abstract class TaskTrainer<TTransformer> : IEstimator<TTransformer> where TTransformer : class, ITransformer
{
    private readonly IHost _host;
    private readonly long _seed;
    private readonly bool _seedIsStated;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    private protected TaskTrainer(MLContext mlContext, string name, FineTuningOptions options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        Settings = options.Snapshot();
        if (Settings.Encoder is { } encoder)
            encoder.Model.Lifetime.ThrowIfClosed();
        Context = mlContext;
        // Drawn once: every Fit of this estimator starts from the same seed, so a second Fit equals a fresh one.
        var drawn = HostSeed.Register(mlContext, name, out _host);
        _seed = options.Seed ?? drawn;
        _seedIsStated = options.Seed is not null || HostSeed.IsStated(mlContext);
        _gpuDeviceId = mlContext.GpuDeviceId;
        _fallbackToCpu = mlContext.FallbackToCpu;
    }

    /// <summary>The settings as they were when the estimator was made.</summary>
    private protected FineTuningOptions Settings { get; }

    /// <summary>The context that made the estimator.</summary>
    private protected MLContext Context { get; }

    /// <summary>Throws unless the columns that are learned to predict have the types of the task.</summary>
    private protected abstract void CheckLabels(Func<string, string, ColumnShape> find);

    /// <summary>Throws unless the encoder serves the task.</summary>
    private protected virtual void CheckEncoder(EncoderModel encoder)
    {
    }

    /// <summary>Whether the task predicts from the columns that the encoder embeds, which must then be there.</summary>
    private protected virtual bool ReadsEncoderColumns => true;

    /// <summary>Trains and hands out the model; all columns were checked.</summary>
    private protected abstract TTransformer Fit(IDataView input, EncoderModel encoder, TaskRun run);

    /// <summary>The columns of the prediction, after the input's.</summary>
    private protected abstract SchemaShape AppendOutput(SchemaShape inputSchema);

    /// <summary>Tunes a copy of the encoder on all rows that have an input and a label.</summary>
    /// <param name="input">Holds the columns to predict from, those to predict, and, if no encoder was given, the embedding column.</param>
    /// <returns>The model; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or carries no encoder.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled while rows were read, before there was enough to know what is
    /// predicted. Canceled later, before the first step, it returns a model whose head is not trained.</exception>
    /// <exception cref="InvalidOperationException">There are too few rows or classes, the loss became NaN, or the device is not
    /// there.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckLabels((name, role) => ColumnShape.Find(input.Schema, name, role));
        var encoder = FindEncoder(input.Schema);
        CheckEncoder(encoder);
        if (ReadsEncoderColumns)
            encoder.Format.CheckColumns(input.Schema);
        if (Settings.MixedPrecision)
            encoder.Format.RequireBFloat16();
        Checkpoint.RequireWritable(Settings.CheckpointPath);

        using var channel = _host.Start("Fit");
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => channel.Warning(MessageSensitivity.None, "{0}", text));
        LibraryNotice.Tell(Context);
        // Without a seed of the user's every process draws another: an interrupted training then goes on with its own.
        var seed = !_seedIsStated && Checkpoint.Peek(Settings.CheckpointPath, nameof(Settings.Seed)) is { } stored
            && long.TryParse(stored, out var known) ? known : _seed;
        using var streams = new RandomStreams(seed);
        return Fit(input, encoder, new TaskRun(channel, device, streams, seed));
    }

    /// <summary>The schema after <see cref="Fit(IDataView)"/>: all input columns and those of the prediction.</summary>
    /// <param name="inputSchema">Shape of the data that <see cref="Fit(IDataView)"/> will get.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or carries no encoder.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckLabels((name, role) => ColumnShape.Find(inputSchema, name, role));
        if (Settings.Encoder is { } encoder)
        {
            CheckEncoder(encoder.Model);
            if (ReadsEncoderColumns)
                encoder.Model.Format.CheckColumns(inputSchema);
        }
        else
        {
            ColumnShape.Find(inputSchema, Settings.FeatureColumnName, "feature");
            if (!EncoderAnnotation.IsAnnounced(inputSchema.First(c => c.Name == Settings.FeatureColumnName)))
                throw NoEncoder();
        }
        return AppendOutput(inputSchema);
    }

    /// <summary>Runs the loop.</summary>
    /// <param name="method">Owns a copy of the encoder and a head.</param>
    /// <param name="source">Where its batches come from.</param>
    /// <param name="rows">Rows to train on, and steps an epoch.</param>
    /// <param name="validation">The loss on rows kept aside; null for none.</param>
    /// <param name="encoder">What the copy was made of.</param>
    /// <param name="run">Device, seed, log.</param>
    /// <param name="checkpointPath">Null for no checkpoint.</param>
    private protected TrainingResult Train(FineTuningMethod method, IBatchSource source, (long Count, long? StepsPerEpoch) rows,
        Func<double?>? validation, EncoderModel encoder, TaskRun run, string? checkpointPath)
    {
        run.Channel.Info(MessageSensitivity.UserData | MessageSensitivity.Schema, "{0}", OptionTexts.Run(GetType(), Settings,
            Settings.NumberOfEpochs, rows.StepsPerEpoch, run.Seed, run.Device, nameof(Settings.Encoder), nameof(Settings.Seed)));
        var settings = Settings.ToTrainingSettings(checkpointPath);
        if (checkpointPath is not null)
        {
            settings.Identity = RunIdentity.OfOptions(Settings).Set("Method", GetType().Name).Set("Modality", encoder.Modality)
                .Set("Columns", encoder.InputColumns).Set("Rows", rows.Count).Set("EncoderWeights", method.Encoder)
                .Set(nameof(Settings.Seed), run.Seed).Values;
        }
        var result = PretrainingLoop.Run(method, source, settings, run.Streams, run.Device,
            new TrainingReporter(Settings.Progress, run.Inform, run.Warn),
            validation is null ? null : new EpochValidation(validation, Settings.Patience), Settings.CancellationToken);
        if (result is { End: TrainingEnd.Canceled, StepsCompleted: 0 })
            run.Warn("Fit was canceled before the first step: the head of the model that it returns is not trained.");
        return result;
    }

    /// <summary>The mean loss of batches, which are moved to the device and disposed of.</summary>
    private protected double MeasureLoss(FineTuningMethod method, IEnumerable<IReadOnlyList<Batch>> batches, Device device)
    {
        using var noGrad = no_grad();
        using var precision = MixedPrecision.Begin(Settings.MixedPrecision);
        using var all = NewDisposeScope();
        var losses = new List<(long Rows, Tensor Mean)>();
        foreach (var columns in batches)
        {
            using var scope = NewDisposeScope();
            losses.Add((columns[0].Count, method.Loss([.. columns.Select(column => column.To(device))]).Total.MoveToOuterDisposeScope()));
            foreach (var column in columns)
                column.Dispose();
        }
        return StepMetrics.Mean(losses);
    }

    /// <summary>What a Fit throws whose share of rows kept out is none.</summary>
    /// <param name="rows">Rows that there are.</param>
    private protected InvalidOperationException NothingToValidateOn(int rows) => new(FormattableString.Invariant(
        $"ValidationFraction {Settings.ValidationFraction} of {rows} rows leaves no row to validate on. ") + "Raise it, give more rows, or set it to 0.");

    /// <summary>What a Fit throws that was canceled before it knew what to predict.</summary>
    private protected OperationCanceledException Canceled(Exception? inner = null) => new("Fit was canceled while rows were read, before there were "
        + "labels enough to know what is predicted: there is no model to return.", inner, Settings.CancellationToken);

    private EncoderModel FindEncoder(DataViewSchema schema)
    {
        EncoderModel? model;
        if (Settings.Encoder is { } encoder)
        {
            model = encoder.Model;
        }
        else
        {
            ColumnShape.Find(schema, Settings.FeatureColumnName, "feature");
            model = EncoderAnnotation.Find(schema[Settings.FeatureColumnName]) ?? throw NoEncoder();
        }
        model.Lifetime.ThrowIfClosed();
        return model;
    }

    private ArgumentOutOfRangeException NoEncoder() => new(Check.InputSchema,
        $"Feature column '{Settings.FeatureColumnName}' carries no encoder to fine-tune. It must come straight from a pretraining or "
        + "Embed stage earlier in the chain (normalizing or concatenating an embedding loses its encoder), or give the encoder itself to FineTune.");
}

/// <summary>What belongs to one Fit.</summary>
/// <param name="Channel">The log.</param>
/// <param name="Device">Where to compute.</param>
/// <param name="Streams">The random streams, of the seed.</param>
/// <param name="Seed">The seed that is used.</param>
internal sealed record TaskRun(IChannel Channel, Device Device, RandomStreams Streams, long Seed)
{
    /// <summary>A line of the log.</summary>
    public void Inform(string text) => Channel.Info(MessageSensitivity.None, "{0}", text);

    /// <summary>A warning of the log.</summary>
    public void Warn(string text) => Channel.Warning(MessageSensitivity.None, "{0}", text);
}
