using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Checkpoints;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// What every pretraining estimator does: check the columns, read them, train, hand out an <see cref="EncoderTransformer"/>.
/// A derived class says which columns it reads, how a row becomes a batch's tensors (its <see cref="RowFormat"/>), and which method learns
/// from them.
/// </summary>
public abstract class PretrainingTrainer : IEstimator<EncoderTransformer>
{
    // Batches that give the statistics of batch norms: more change nothing that can be seen.
    private const int StatisticsBatches = 100;

    private const string SeedName = nameof(PretrainingOptions.Seed);

    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly bool _seedIsStated;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    protected PretrainingTrainer(MLContext mlContext, PretrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfInvalid();
        _mlContext = mlContext;
        Settings = options.Snapshot();
        // Drawn once: every Fit of this estimator starts from the same seed, so a second Fit equals a fresh one.
        var drawn = HostSeed.Register(mlContext, GetType().Name, out _host);
        _seed = options.Seed ?? drawn;
        _seedIsStated = options.Seed is not null || HostSeed.IsStated(mlContext);
        _gpuDeviceId = mlContext.GpuDeviceId;
        _fallbackToCpu = mlContext.FallbackToCpu;
    }

    /// <summary>The settings as they were when the estimator was made.</summary>
    protected PretrainingOptions Settings { get; }

    /// <summary>Columns that training reads.</summary>
    protected abstract IReadOnlyList<string> TrainingColumns { get; }

    /// <summary>Columns that the transformer embeds later.</summary>
    private protected virtual IReadOnlyList<string> EmbeddedColumns => TrainingColumns;

    /// <summary>Length of the embedding.</summary>
    protected abstract int EmbeddingDimension { get; }

    /// <summary>Why there may be no row to learn from: what the exception about it says, in a sentence.</summary>
    protected abstract string EmptyHint { get; }

    /// <summary>
    /// Rows of similar length in one batch: less padding, but also easier negatives, so contrastive methods leave it off.
    /// </summary>
    protected virtual bool GroupByLength => false;

    /// <summary>Throws unless a column has a type to learn from, before any work.</summary>
    /// <param name="name">One of <see cref="TrainingColumns"/>.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <exception cref="ArgumentOutOfRangeException">What <see cref="ColumnShape.Mismatch"/> gives.</exception>
    protected abstract void CheckColumn(string name, ColumnShape shape);

    /// <summary>How rows become batches, and the encoder that is pretrained; what that needs of the data is learned here.</summary>
    /// <param name="input">The data, whose columns were checked.</param>
    /// <param name="channel">The log.</param>
    protected abstract RowFormat LearnFormat(IDataView input, IChannel channel);

    /// <summary>The method around a new encoder.</summary>
    /// <param name="format">Made the encoder, and the batches.</param>
    /// <param name="encoder">With fresh weights.</param>
    /// <param name="streams">Weights, views, masks.</param>
    protected abstract PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams);

    /// <summary>All rows of the <see cref="TrainingColumns"/> as they stand in the data, for <see cref="LearnFormat"/>.</summary>
    /// <param name="input">The data; each enumeration reads them once.</param>
    /// <returns>The memory of a row is only valid until the next is asked for.</returns>
    protected IEnumerable<RawRow> ReadRows(IDataView input) => RowReader.All(input, TrainingColumns, Settings.CancellationToken);

    /// <summary>What a model keeps of a trained method.</summary>
    private protected virtual (RowFormat Format, Encoder Network) Kept(RowFormat format, PretrainingMethod method, BatchSource source,
        Device device) => (format, method.Encoder);

    /// <summary>Computes the statistics of the encoder's batch norms anew, from rows as they are, where there are any and something was trained.</summary>
    private protected void RecomputeStatistics(PretrainingMethod method, BatchSource source, Device device)
    {
        // The untrained network stays the baseline that it is. Also in a canceled training: it gives the weights of then their use.
        if (Settings.NumberOfEpochs > 0 && !source.IsPartial && BatchStatistics.Has(method.Encoder))
            BatchStatistics.Recompute(method.Encoder, method.Resting, source.Sample(StatisticsBatches), device, Settings.MixedPrecision);
    }

    /// <summary>Pretrains an encoder on the rows of the input; labels are not used.</summary>
    /// <param name="input">Holds the input column(s); read several times.</param>
    /// <returns>The encoder; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled before what an encoder needs of the data was learned: a
    /// tokenizer, the scales and categories of columns. Canceled later, before the first step, it returns the untrained encoder.</exception>
    /// <exception cref="InvalidOperationException">There are too few usable rows, the loss became NaN, the device is not
    /// there, or the checkpoint is of another training.</exception>
    public EncoderTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (ProcessGroup.Current is not { } group)
            return FitWith(null, input);
        try
        {
            return FitWith(group, input);
        }
        catch (Exception fault)
        {
            group.Report(fault, isInStep: false);
            throw;
        }
    }

    private EncoderTransformer FitWith(ProcessGroup? group, IDataView input)
    {
        foreach (var name in TrainingColumns)
            CheckColumn(name, ColumnShape.Find(input.Schema, name));
        Checkpoint.RequireWritable(Settings.CheckpointPath);

        using var channel = _host.Start("Fit");
        // Each process of a machine computes on a GPU of its own.
        var device = TorchDevice.Choose(_gpuDeviceId + (group?.LocalRank ?? 0), _fallbackToCpu, text => Warn(channel, text));
        LibraryNotice.Tell(_mlContext);
        var seed = Seed();
        if (group is not null)
            seed = SharedFit.Begin(group, this, input.Schema, Settings, TrainingColumns, seed, _seedIsStated);
        using var streams = new RandomStreams(seed);
        using var run = Prepare(input, streams, channel);
        run.Source.PlaceOn(device);
        var batches = run.Source.BatchesPerEpoch;
        var isPartial = run.Source.IsPartial;
        if (group is not null)
            (batches, isPartial) = (group.Least(batches), group.Any(isPartial));
        var epochs = Settings.EpochsOf(batches);
        if (epochs > Settings.NumberOfEpochs)
        {
            Inform(channel, Invariant($"{epochs} epochs in place of {Settings.NumberOfEpochs}, for MinimumNumberOfSteps ")
                + Invariant($"{Settings.MinimumNumberOfSteps}; set NumberOfEpochs for another number"));
        }
        Inform(channel, OptionTexts.Run(GetType(), Settings, epochs, batches, seed, device, SeedName)
            + (group is null ? "" : Invariant($", {group.Count} processes")), MessageSensitivity.UserData | MessageSensitivity.Schema);
        if (epochs > 0 && Settings is { StartsFromWeights: true, LearningRate: null })
            Inform(channel, Invariant($"the encoder starts from weights that exist: learning rate {Settings.EffectiveLearningRate} unless LearningRate says another"));
        // No epochs: the untrained encoder, the baseline that pretraining has to beat.
        var result = epochs == 0 || isPartial ? null : Train(run, input.Schema, streams, seed, epochs, device, channel);
        if (epochs > 0 && result is null or { End: TrainingEnd.Canceled, StepsCompleted: 0 })
            Warn(channel, "Fit was canceled before the first step: the encoder that it returns is not trained.");
        var model = run.CreateModel(device, result);
        model.TrainingFacts[TrainingFacts.SeedKey] = seed;
        return new EncoderTransformer(_mlContext, model, result?.History);
    }

    // Null where the caller cancels before it begins.
    private TrainingResult? Train(PretrainingRun run, DataViewSchema schema, RandomStreams streams, long seed, int epochs, Device device,
        IChannel channel)
    {
        try
        {
            return PretrainingLoop.Run(run.Method, run.Source, CreateSettings(schema, run, seed, epochs), streams, device,
                new TrainingReporter(IsSilent ? null : Settings.Progress, text => Inform(channel, text), text => Warn(channel, text)),
                Validation(run, streams, device), Settings.CancellationToken);
        }
        catch (OperationCanceledException) when (Settings.CancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    // Without a seed of the user's every process draws another: an interrupted training then goes on with its own.
    private long Seed()
        => !_seedIsStated && Checkpoint.Peek(Settings.CheckpointPath, SeedName) is { } stored && long.TryParse(stored, out var seed)
            ? seed : _seed;

    private TrainingSettings CreateSettings(DataViewSchema schema, PretrainingRun run, long seed, int epochs)
    {
        var settings = Settings.ToTrainingSettings();
        settings.NumberOfEpochs = epochs;
        settings.Processes = ProcessGroup.Current;
        if (settings.CheckpointPath is null)
            return settings;
        var identity = RunIdentity.OfOptions(Settings).Set("Method", GetType().Name);
        foreach (var (name, value) in run.Facts)
            identity.Set(char.ToUpperInvariant(name[0]) + name[1..], value);
        foreach (var name in TrainingColumns)
            identity.Set($"Column '{name}'", schema[name].Type.ToString());
        identity.Set(nameof(PretrainingOptions.LearningRate), settings.LearningRate).Set(nameof(settings.NumberOfEpochs), epochs);
        var rows = run.Source.CountAllRows();
        // A process counts its own share, where it holds rows, and all of them where it streams them.
        if (ProcessGroup.Current is { } group)
        {
            var isShare = run.Source is CachedBatchSource || group.RowsAreDivided;
            rows = group.Sum(isShare ? rows : (rows - group.Rank + group.Count - 1) / group.Count);
        }
        identity.Set("Rows", rows).Set("RowOrder", run.Source.Order).Set(SeedName, seed);
        settings.Identity = identity.Values;
        return settings;
    }

    private EpochValidation? Validation(PretrainingRun run, RandomStreams streams, Device device)
    {
        if (Settings.ValidationFraction == 0)
            return null;
        var loss = new HeldOutLoss(run.Method, run.Source.HeldOut, streams, device, Settings.ToTrainingSettings().MixedPrecision);
        return new EpochValidation(() => loss.Measure(Settings.CancellationToken), Settings.EarlyStoppingPatience);
    }

    // The rows to train on, in memory or streamed, the network, and what becomes of it.
    private PretrainingRun Prepare(IDataView input, RandomStreams streams, IChannel channel)
    {
        var preparation = Preparation(channel);
        var watched = new WatchedView(input, preparation.Row);
        var format = Learn(watched, channel);
        var group = ProcessGroup.Current;
        if (group is { RowsAreDivided: true })
            format = SharedFit.OfFirst(group, format);
        if (Settings.MixedPrecision)
            format.RequireBFloat16();
        var notices = new RowNotices();
        var source = BatchSource.Create(watched, new BatchSource.Settings
        {
            Format = format,
            BatchSize = Settings.BatchSize / (group?.Count ?? 1),
            MinimumBatchRows = Settings.MinimumBatchSize,
            Shard = group is { RowsAreDivided: false } ? new RowShard(group.Rank, group.Count) : null,
            GroupByLength = GroupByLength,
            CacheLimit = Settings.CacheLimit,
            ShuffleBufferSize = Settings.ShuffleBufferSize,
            Shuffle = streams.Shuffle,
            CancellationToken = Settings.CancellationToken,
            Notices = notices,
            Split = Settings.ValidationFraction == 0 ? null : new RowSplit(Settings.ValidationFraction, streams.ValidationSeed),
        });
        preparation.End();
        if (!source.IsPartial)
            RequireRows(source.RowCount, EmptyHint);
        Inform(channel, source.Describe());
        if (format.DescribeLoss(source.Truncation) is { } loss)
            Warn(channel, loss);
        if (notices.Any)
            Warn(channel, notices.Describe("Training"));
        format = format.Learned();
        var encoder = format.CreateEncoder(streams);
        var tuning = Settings.TuningOf(encoder);
        var method = MethodFor(format, encoder, streams);
        method.Tune(tuning);
        return new PretrainingRun(method, source, CreateModel, format.ToJson());

        EncoderModel CreateModel(Device device, TrainingResult? result)
        {
            method.to(device);          // where nothing was trained, it is not there yet
            var (kept, network) = Kept(format, method, source, device);
            // Statistics computed anew are of each process's own rows.
            if (ProcessGroup.Current is { } all)
                SharedFit.Equalize(all, network);
            var facts = TrainingFacts.Of(GetType().Name, result, wasCanceled: result is null && Settings.NumberOfEpochs > 0);
            if (kept.Truncates)
                facts[TrainingFacts.TruncationKey] = source.Truncation.ToJson();
            // Where the checkpoint was is nobody's business who gets the model.
            facts[TrainingFacts.OptionsKey] = OptionTexts.Changed(Settings, SeedName, nameof(Settings.CheckpointPath));
            return EncoderModel.CopyOf(network, kept.WithColumns(EmbeddedColumns), device, Settings.OutputColumnName, facts);
        }
    }

    private RowFormat Learn(IDataView input, IChannel channel)
    {
        try
        {
            return LearnFormat(input, channel);
        }
        catch (OperationCanceledException e) when (Settings.CancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("Fit was canceled while rows were read for the first time: what an encoder needs of the data "
                + "(a tokenizer, the scales and categories of columns) is not known yet, so that there is none to return.", e, Settings.CancellationToken);
        }
    }

    /// <summary>Tells how far a <see cref="Fit"/> is before its first step.</summary>
    private protected PreparationReporter Preparation(IChannel channel)
        => new(IsSilent ? null : Settings.Progress, text => Inform(channel, text), Settings.NumberOfEpochs);

    /// <summary>A tokenizer for the texts of some columns.</summary>
    /// <param name="input">Has them; read once.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="options">Of the tokenizer.</param>
    /// <param name="channel">The log.</param>
    private protected WordPieceTokenizer TrainTokenizer(IDataView input, IReadOnlyList<string> columns, WordPieceTokenizer.Options options, IChannel channel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var tokenizer = WordPieceTokenizer.Train(Texts(), options, Preparation(channel).Token);
        Inform(channel, Invariant($"tokenizer trained: {tokenizer.VocabularySize:N0} tokens in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s"));
        return tokenizer;

        IEnumerable<ReadOnlyMemory<char>> Texts()
        {
            foreach (var row in RowReader.All(input, columns, Settings.CancellationToken))
            {
                for (var i = 0; i < row.Texts.Length; i++)
                    yield return row.Texts.Span[i];
            }
        }
    }

    /// <summary>The schema after <see cref="Fit"/>: all input columns and the embedding.</summary>
    /// <param name="inputSchema">Shape of the data that <see cref="Fit"/> will get.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (var name in TrainingColumns)
            CheckColumn(name, ColumnShape.Find(inputSchema, name));
        return SchemaShapes.Append(inputSchema, SchemaShapes.Embedding(Settings.OutputColumnName, EmbeddingDimension));
    }

    /// <summary>Refuses data that are too few to learn from, before the network is made.</summary>
    /// <param name="rows">Usable rows; null where that is not known before the first epoch.</param>
    /// <param name="emptyHint">Why there may be none.</param>
    private protected void RequireRows(long? rows, string emptyHint)
    {
        if (rows < Settings.MinimumBatchSize)
            throw new InvalidOperationException(rows == 0
                ? $"Training set has 0 instances, aborting training. {emptyHint}"
                : $"{GetType().Name} needs at least {Settings.MinimumBatchSize} rows, got {rows}. Give Fit more rows.");
    }

    // Of several processes the first one speaks.
    private protected static bool IsSilent => ProcessGroup.Current is { IsFirst: false };

    internal static void Inform(IChannel channel, string text, MessageSensitivity sensitivity = MessageSensitivity.None)
    {
        if (!IsSilent)
            channel.Info(sensitivity, "{0}", text);
    }

    private protected static void Warn(IChannel channel, string text, MessageSensitivity sensitivity = MessageSensitivity.None)
    {
        if (!IsSilent)
            channel.Warning(sensitivity, "{0}", text);
    }
}
