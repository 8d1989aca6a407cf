using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// What every fine-tuning estimator does: find the encoder, check the columns, read rows and labels, train a copy of the encoder with a
/// head on it, hand out a <see cref="FineTunedTransformer"/>. A derived class says what is predicted and what a prediction costs.
/// </summary>
public abstract class FineTuningTrainer : IEstimator<FineTunedTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly bool _seedIsStated;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    private protected FineTuningTrainer(MLContext mlContext, string name, FineTuningOptions options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        _mlContext = mlContext;
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        Settings = options.Snapshot();
        if (Settings.Encoder is { } encoder)
            encoder.Model.Lifetime.ThrowIfClosed();
        // Drawn once: every Fit of this estimator starts from the same seed, so a second Fit equals a fresh one.
        _mlContext = mlContext;
        var drawn = HostSeed.Register(mlContext, name, out _host);
        _seed = options.Seed ?? drawn;
        _seedIsStated = options.Seed is not null || HostSeed.IsStated(mlContext);
        _gpuDeviceId = mlContext.GpuDeviceId;
        _fallbackToCpu = mlContext.FallbackToCpu;
    }

    /// <summary>The settings as they were when the estimator was made.</summary>
    private protected FineTuningOptions Settings { get; }

    /// <summary>What is predicted.</summary>
    private protected abstract PredictionKind Kind { get; }

    /// <summary>Throws unless the label column has the type of the task.</summary>
    private protected abstract void CheckLabel(ColumnShape shape);

    /// <summary>Reads the label as a number; NaN where a row has none.</summary>
    private protected abstract ValueGetter<double> LabelGetter(DataViewRow row, DataViewSchema.Column label);

    /// <summary>What the head's outputs mean; throws where the labels leave nothing to learn.</summary>
    private protected abstract PredictionTask CreateTask(DataViewSchema.Column label, IReadOnlyList<double> labels);

    /// <summary>The method around a copy of the encoder and a new head.</summary>
    private protected abstract FineTuningMethod CreateMethod(Encoder encoder, PredictionHead head, PredictionTask task,
        IReadOnlyList<double> labels);

    /// <summary>How rows without a label are used; null where they are left out.</summary>
    private protected virtual PseudoLabels? PseudoLabeling => null;

    /// <summary>Gives the head its first weights, where those it has are not good enough.</summary>
    private protected virtual void InitializeHead(PredictionHead head, Encoder encoder, CachedBatchSource training, PredictionTask task)
    {
    }

    /// <summary>Tunes a copy of the encoder on all rows that have text and label.</summary>
    /// <param name="input">Holds the encoder's input columns, the label, and, if no encoder was given, the embedding column.</param>
    /// <returns>The model; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or carries no encoder.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled while rows were read, before there was enough to know what is
    /// predicted. Canceled later, before the first step, it returns a model whose head is not trained.</exception>
    /// <exception cref="InvalidOperationException">There are too few rows or classes, the loss became NaN, or the device is not
    /// there.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public FineTunedTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckLabel(ColumnShape.Find(input.Schema, Settings.LabelColumnName, "label"));
        var model = FindEncoder(input.Schema);
        model.Format.CheckColumns(input.Schema);
        if (Settings.MixedPrecision)
            model.Format.RequireBFloat16();
        Checkpoint.RequireWritable(Settings.CheckpointPath);

        using var channel = _host.Start("Fit");
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => Warn(channel, text));
        LibraryNotice.Tell(_mlContext);
        // Without a seed of the user's every process draws another: an interrupted training then goes on with its own.
        var seed = !_seedIsStated && Checkpoint.Peek(Settings.CheckpointPath, nameof(Settings.Seed)) is { } stored
            && long.TryParse(stored, out var known) ? known : _seed;
        using var streams = new RandomStreams(seed);
        using var rows = Read(input, model, streams, channel);
        rows.PlaceOn(device);
        int[] labeled = [.. Enumerable.Range(0, rows.Count).Where(row => !double.IsNaN(rows.Labels[row]))];
        var task = TaskOf(input.Schema[Settings.LabelColumnName], rows, labeled);
        var (training, validation) = rows.IsPartial ? (rows.Only(labeled), null) : Split(rows, labeled, streams.Shuffle);
        var tuned = Train(model, task, training, validation, streams, seed, device, channel, rows.IsPartial ? null : Settings.CheckpointPath, out var method);
        using (method)
        {
            if (PseudoLabeling is not { } pseudo || labeled.Length == rows.Count || Settings.CancellationToken.IsCancellationRequested)
                return new FineTunedTransformer(_mlContext, tuned);
            var labeledRows = labeled.ToHashSet();
            int[] unlabeled = [.. Enumerable.Range(0, rows.Count).Where(row => !labeledRows.Contains(row))];
            if (Predict(method, task, rows.Only(unlabeled), device) is not { } predictions)
                return new FineTunedTransformer(_mlContext, tuned);
            var chosen = pseudo.Choose(unlabeled, predictions, task.Width);
            Inform(channel, FormattableString.Invariant(
                $"{chosen.Count} of {unlabeled.Length} rows without a label get one, with a probability of at least {pseudo.Threshold}"));
            if (chosen.Count == 0)
                return new FineTunedTransformer(_mlContext, tuned);
            training = training.With(chosen);
        }
        tuned.Dispose();
        tuned = Train(model, task, training, validation, streams, seed, device, channel,
            Settings.CheckpointPath is { } path ? path + PseudoLabels.CheckpointSuffix : null, out method);
        method.Dispose();
        return new FineTunedTransformer(_mlContext, tuned);
    }

    private FineTunedModel Train(EncoderModel model, PredictionTask task, CachedBatchSource training, CachedBatchSource? validation,
        RandomStreams streams, long seed, Device device, IChannel channel, string? checkpointPath, out FineTuningMethod method)
    {
        var encoder = model.CreateTrainable(streams);
        var hidden = Settings.Head == FineTuningHead.Mlp ? model.Dimension : 0;
        var head = new PredictionHead(model.Dimension, hidden, task.HeadOutputs, streams);
        if (!Settings.CancellationToken.IsCancellationRequested)
            InitializeHead(head, encoder, training, task);
        var tuning = CreateMethod(encoder, head, task, training.ChosenLabels);
        method = tuning;
        channel.Info(MessageSensitivity.UserData | MessageSensitivity.Schema, "{0}", OptionTexts.Run(GetType(), Settings,
            Settings.NumberOfEpochs, training.BatchesPerEpoch, seed, device, nameof(Settings.Encoder), nameof(Settings.Seed)));
        var settings = Settings.ToTrainingSettings(checkpointPath);
        if (checkpointPath is not null)
        {
            settings.Identity = RunIdentity.OfOptions(Settings).Set("Method", GetType().Name).Set("Modality", model.Modality)
                .Set("Columns", model.InputColumns).Set("Rows", training.Count).Set("EncoderWeights", encoder)
                .Set(nameof(Settings.Seed), seed).Values;
        }
        try
        {
            var result = PretrainingLoop.Run(tuning, training, settings, streams, device,
                new TrainingReporter(Settings.Progress, text => Inform(channel, text), text => Warn(channel, text)),
                validation is null ? null : new EpochValidation(() => MeasureLoss(tuning, validation, device, Settings.MixedPrecision), Settings.Patience),
                Settings.CancellationToken);
            if (result is { End: TrainingEnd.Canceled, StepsCompleted: 0 })
                Warn(channel, "Fit was canceled before the first step: the head of the model that it returns is not trained.");
            var facts = TrainingFacts.Of(GetType().Name, result);
            if (model.Format.Truncates)
                facts[TrainingFacts.TruncationKey] = training.Truncation.ToJson();
            return new FineTunedModel(model.WithWeightsOf(encoder, device, facts), head.Copy(), task, device);
        }
        catch
        {
            tuning.Dispose();
            throw;
        }
    }

    /// <summary>The schema after <see cref="Fit"/>: all input columns and those of the prediction.</summary>
    /// <param name="inputSchema">Shape of the data that <see cref="Fit"/> will get.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or carries no encoder.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckLabel(ColumnShape.Find(inputSchema, Settings.LabelColumnName, "label"));
        if (Settings.Encoder is { } encoder)
        {
            encoder.Model.Format.CheckColumns(inputSchema);
        }
        else
        {
            ColumnShape.Find(inputSchema, Settings.FeatureColumnName, "feature");
            if (!EncoderAnnotation.IsAnnounced(inputSchema.First(c => c.Name == Settings.FeatureColumnName)))
                throw NoEncoder();
        }
        return PredictionColumns.Append(inputSchema, Kind, Settings.LabelColumnName);
    }

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

    // Of rows whose reading was canceled there may be too few to tell.
    private PredictionTask TaskOf(DataViewSchema.Column label, CachedBatchSource rows, int[] labeled)
    {
        try
        {
            return CreateTask(label, [.. labeled.Select(row => rows.Labels[row])]);
        }
        catch (InvalidOperationException e) when (rows.IsPartial)
        {
            throw Canceled(e);
        }
    }

    private OperationCanceledException Canceled(Exception? inner = null) => new("Fit was canceled while rows were read, before there were "
        + "labels enough to know what is predicted: there is no model to return.", inner, Settings.CancellationToken);

    private CachedBatchSource Read(IDataView input, EncoderModel model, RandomStreams streams, IChannel channel)
    {
        var format = model.Format;
        var preparation = new PreparationReporter(Settings.Progress, text => Inform(channel, text), Settings.NumberOfEpochs);
        var notices = new RowNotices();
        var rows = BatchSource.CreateLabeled(new WatchedView(input, preparation.Row), new BatchSource.Settings
        {
            Format = format,
            BatchSize = Settings.BatchSize,
            MinimumBatchRows = 1,
            GroupByLength = false,
            CacheLimit = long.MaxValue,
            ShuffleBufferSize = 1,
            Shuffle = streams.Shuffle,
            CancellationToken = Settings.CancellationToken,
            Label = new LabelColumn(Settings.LabelColumnName, LabelGetter),
            KeepsUnlabeled = PseudoLabeling is not null,
            Notices = notices,
        });
        if (notices.Any)
            Warn(channel, notices.Describe("Fine-tuning"));
        if (rows.Labels.All(double.IsNaN))
        {
            if (rows.IsPartial)
                throw Canceled();
            throw new InvalidOperationException("Training set has 0 instances, aborting training. "
                + (rows.LeftOut + rows.Count == 0 ? "There are no rows."
                    : $"All {rows.LeftOut + rows.Count} rows lack a {format.Needed} or a label (a key without value, or NaN)."));
        }
        Inform(channel, rows.Describe());
        if (format.DescribeLoss(rows.Truncation) is { } loss)
            Warn(channel, loss);
        if (rows.LeftOut > 0)
            Warn(channel, $"{rows.LeftOut} of {rows.Count + rows.LeftOut} rows are left out: they lack a {format.Needed} or a label "
                + "(a key without value, or NaN).");
        return rows;
    }

    // Of every class the same share is kept out, but never its last row.
    private (CachedBatchSource Training, CachedBatchSource? Validation) Split(CachedBatchSource rows, int[] labeled, Random random)
    {
        if (Settings.ValidationFraction == 0)
            return (rows.Only(labeled), null);
        var groups = labeled.GroupBy(row => Kind == PredictionKind.Regression ? 0 : rows.Labels[row]);
        var kept = new HashSet<int>();
        foreach (var group in groups)
        {
            int[] members = [.. group];
            random.Shuffle(members);
            var count = Math.Min((int)Math.Round(Settings.ValidationFraction * members.Length), members.Length - 1);
            kept.UnionWith(members[..count]);
        }
        if (kept.Count == 0)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"ValidationFraction {Settings.ValidationFraction} of {labeled.Length} rows leaves no row to validate on. ")
                + "Raise it, give more rows, or set it to 0.");
        }
        return (rows.Only([.. labeled.Where(row => !kept.Contains(row))]), rows.Only([.. labeled.Where(kept.Contains)]));
    }

    // Width numbers a row, row after row; null where the caller cancels meanwhile.
    private float[]? Predict(FineTuningMethod method, PredictionTask task, CachedBatchSource rows, Device device)
    {
        using var noGrad = no_grad();
        var predictions = new List<float>(rows.Count * task.Width);
        foreach (var columns in rows.InOrder())
        {
            if (Settings.CancellationToken.IsCancellationRequested)
                return null;
            using var scope = NewDisposeScope();
            using var inputs = columns[0].To(device);
            var output = task.Interpret(method.Head.call(method.Encoder.call(inputs))).cpu().contiguous(); // [N, Width]
            predictions.AddRange(MemoryMarshal.Cast<byte, float>(output.bytes));
            foreach (var column in columns)
                column.Dispose();
        }
        return [.. predictions];
    }

    private static double MeasureLoss(FineTuningMethod method, CachedBatchSource rows, Device device, bool mixedPrecision)
    {
        using var noGrad = no_grad();
        using var precision = MixedPrecision.Begin(mixedPrecision);
        using var all = NewDisposeScope();
        var losses = new List<(long Rows, Tensor Mean)>();
        foreach (var columns in rows.InOrder())
        {
            using var scope = NewDisposeScope();
            losses.Add((columns[0].Count, method.Loss([.. columns.Select(column => column.To(device))]).Total.MoveToOuterDisposeScope()));
            foreach (var column in columns)
                column.Dispose();
        }
        return StepMetrics.Mean(losses);
    }

    private static void Inform(IChannel channel, string text) => channel.Info(MessageSensitivity.None, "{0}", text);

    private static void Warn(IChannel channel, string text) => channel.Warning(MessageSensitivity.None, "{0}", text);
}
