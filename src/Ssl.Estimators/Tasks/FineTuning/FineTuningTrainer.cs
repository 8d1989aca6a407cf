using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// What every fine-tuning estimator does: find the encoder, check the columns, read rows and labels, train a copy of the encoder with a
/// head on it, hand out a <see cref="FineTunedTransformer"/>. A derived class says what is predicted and what a prediction costs.
/// </summary>
public abstract class FineTuningTrainer : TaskTrainer<FineTunedTransformer>
{
    private protected FineTuningTrainer(MLContext mlContext, string name, FineTuningOptions options) : base(mlContext, name, options)
    {
    }

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

    private protected sealed override void CheckLabels(Func<string, string, ColumnShape> find)
        => CheckLabel(find(Settings.LabelColumnName, "label"));

    private protected sealed override SchemaShape AppendOutput(SchemaShape inputSchema)
        => PredictionColumns.Append(inputSchema, Kind, Settings.LabelColumnName);

    private protected sealed override FineTunedTransformer Fit(IDataView input, EncoderModel model, TaskRun run)
    {
        using var rows = Read(input, model, run);
        rows.PlaceOn(run.Device);
        int[] labeled = [.. Enumerable.Range(0, rows.Count).Where(row => !double.IsNaN(rows.Labels[row]))];
        var task = TaskOf(input.Schema[Settings.LabelColumnName], rows, labeled);
        var (training, validation) = rows.IsPartial ? (rows.Only(labeled), null) : Split(rows, labeled, run.Streams.Shuffle);
        var tuned = Train(model, task, training, validation, run, rows.IsPartial ? null : Settings.CheckpointPath, out var method);
        using (method)
        {
            if (PseudoLabeling is not { } pseudo || labeled.Length == rows.Count || Settings.CancellationToken.IsCancellationRequested)
                return new FineTunedTransformer(Context, tuned);
            var labeledRows = labeled.ToHashSet();
            int[] unlabeled = [.. Enumerable.Range(0, rows.Count).Where(row => !labeledRows.Contains(row))];
            if (Predict(method, task, rows.Only(unlabeled), run.Device) is not { } predictions)
                return new FineTunedTransformer(Context, tuned);
            var chosen = pseudo.Choose(unlabeled, predictions, task.Width);
            run.Inform(FormattableString.Invariant(
                $"{chosen.Count} of {unlabeled.Length} rows without a label get one, with a probability of at least {pseudo.Threshold}"));
            if (chosen.Count == 0)
                return new FineTunedTransformer(Context, tuned);
            training = training.With(chosen);
        }
        tuned.Dispose();
        tuned = Train(model, task, training, validation, run,
            Settings.CheckpointPath is { } path ? path + PseudoLabels.CheckpointSuffix : null, out method);
        method.Dispose();
        return new FineTunedTransformer(Context, tuned);
    }

    private FineTunedModel Train(EncoderModel model, PredictionTask task, CachedBatchSource training, CachedBatchSource? validation,
        TaskRun run, string? checkpointPath, out FineTuningMethod method)
    {
        var encoder = model.CreateTrainable(run.Streams);
        var hidden = Settings.Head == FineTuningHead.Mlp ? model.Dimension : 0;
        var head = new PredictionHead(model.Dimension, hidden, task.HeadOutputs, run.Streams);
        if (!Settings.CancellationToken.IsCancellationRequested)
            InitializeHead(head, encoder, training, task);
        var tuning = CreateMethod(encoder, head, task, training.ChosenLabels);
        method = tuning;
        try
        {
            var result = Train(tuning, training, (training.Count, training.BatchesPerEpoch),
                validation is null ? null : () => MeasureLoss(tuning, validation.InOrder(), run.Device), model, run, checkpointPath);
            var facts = TrainingFacts.Of(GetType().Name, result);
            if (model.Format.Truncates)
                facts[TrainingFacts.TruncationKey] = training.Truncation.ToJson();
            return new FineTunedModel(model.WithWeightsOf(encoder, run.Device, facts), head.Copy(), task, run.Device);
        }
        catch
        {
            tuning.Dispose();
            throw;
        }
    }

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

    private CachedBatchSource Read(IDataView input, EncoderModel model, TaskRun run)
    {
        var format = model.Format;
        var preparation = new PreparationReporter(Settings.Progress, run.Inform, Settings.NumberOfEpochs);
        var notices = new RowNotices();
        var rows = BatchSource.CreateLabeled(new WatchedView(input, preparation.Row), new BatchSource.Settings
        {
            Format = format,
            BatchSize = Settings.BatchSize,
            MinimumBatchRows = 1,
            GroupByLength = false,
            CacheLimit = long.MaxValue,
            ShuffleBufferSize = 1,
            Shuffle = run.Streams.Shuffle,
            CancellationToken = Settings.CancellationToken,
            Label = new LabelColumn(Settings.LabelColumnName, LabelGetter),
            KeepsUnlabeled = PseudoLabeling is not null,
            Notices = notices,
        });
        if (notices.Any)
            run.Warn(notices.Describe("Fine-tuning"));
        if (rows.Labels.All(double.IsNaN))
        {
            if (rows.IsPartial)
                throw Canceled();
            throw new InvalidOperationException("Training set has 0 instances, aborting training. "
                + (rows.LeftOut + rows.Count == 0 ? "There are no rows."
                    : $"All {rows.LeftOut + rows.Count} rows lack a {format.Needed} or a label (a key without value, or NaN)."));
        }
        run.Inform(rows.Describe());
        if (format.DescribeLoss(rows.Truncation) is { } loss)
            run.Warn(loss);
        if (rows.LeftOut > 0)
            run.Warn($"{rows.LeftOut} of {rows.Count + rows.LeftOut} rows are left out: they lack a {format.Needed} or a label "
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
            throw NothingToValidateOn(labeled.Length);
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
}
