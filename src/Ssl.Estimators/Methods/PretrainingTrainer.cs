using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Methods;

/// <summary>
/// What every pretraining estimator does: check the columns, read them, train, hand out an <see cref="EncoderTransformer"/>.
/// A derived class says which columns it reads, how a row becomes numbers, and which method learns from them.
/// </summary>
public abstract class PretrainingTrainer : IEstimator<EncoderTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    private protected PretrainingTrainer(MLContext mlContext, PretrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfInvalid();
        _mlContext = mlContext;
        Settings = options.Snapshot();
        // Drawn once: every Fit of this estimator starts from the same seed, so a second Fit equals a fresh one.
        var drawn = HostSeed.Register(mlContext, GetType().Name, out _host);
        _seed = options.Seed ?? drawn;
        _gpuDeviceId = mlContext.GpuDeviceId;
        _fallbackToCpu = mlContext.FallbackToCpu;
    }

    /// <summary>The settings as they were when the estimator was made.</summary>
    protected PretrainingOptions Settings { get; }

    /// <summary>Columns that training reads; the first ones, as many as the encoder takes, are what the transformer embeds later.</summary>
    private protected abstract IReadOnlyList<string> TrainingColumns { get; }

    /// <summary>Length of the embedding.</summary>
    private protected abstract int EmbeddingDimension { get; }

    /// <summary>Says what is wrong with a column, or null: kind and item type in ML.NET's words.</summary>
    private protected abstract void CheckColumn(string name, ColumnShape shape);

    /// <summary>Learns the preprocessing from the data, reads the rows, and makes the network.</summary>
    private protected abstract PretrainingRun Prepare(IDataView input, RandomStreams streams, IChannel channel);

    /// <summary>Pretrains an encoder on all rows of the input; labels are not used.</summary>
    /// <param name="input">Holds the input column(s); read several times.</param>
    /// <returns>The encoder; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are too few usable rows, the loss became NaN, or the device is not
    /// there.</exception>
    public EncoderTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        foreach (var name in TrainingColumns)
            CheckColumn(name, ColumnShape.Find(input.Schema, name));

        using var channel = _host.Start("Fit");
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => Warn(channel, text));
        LibraryNotice.Tell(_mlContext);
        using var streams = new RandomStreams(_seed);
        using var run = Prepare(input, streams, channel);
        // No epochs: the untrained encoder, the baseline that pretraining has to beat.
        var result = Settings.NumberOfEpochs == 0 ? null : PretrainingLoop.Run(
            run.Method, run.Source, Settings.ToTrainingSettings(run.Configuration), streams, device,
            new TrainingReporter(Settings.Progress, text => Inform(channel, text), text => Warn(channel, text)),
                Settings.CancellationToken);
        return new EncoderTransformer(_mlContext, run.CreateModel(device, result));
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

    private static void Inform(IChannel channel, string text) => channel.Info(MessageSensitivity.None, "{0}", text);

    private static void Warn(IChannel channel, string text) => channel.Warning(MessageSensitivity.None, "{0}", text);
}
