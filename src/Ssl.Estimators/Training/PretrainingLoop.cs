using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training.Checkpoints;
using Ssl.Estimators.Training.Optimizers;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>The training loop that all methods share: batch, loss, backward, clip, step, report, checkpoint.</summary>
/// <remarks>
/// <para>AdamW with decoupled weight decay on matrices only, linear warm-up and a half cosine to 0, computed anew at every step.</para>
/// <para>
/// The loop draws nothing at random: the batch source and the method do, from the run's <see cref="RandomStreams"/>. The same seed,
/// data, settings and device give the same weights.
/// </para>
/// <para>
/// On the CPU a loss that is not finite stops the run at once. On other devices the numbers are read back every few steps, since
/// reading waits for the device; the step that is named is the right one all the same.
/// </para>
/// </remarks>
public sealed class PretrainingLoop
{
    // How many steps may pass on a GPU before their losses are read back.
    private const int DeviceReadInterval = 16;

    private readonly PretrainingMethod _method;
    private readonly IBatchSource _source;
    private readonly TrainingSettings _settings;
    private readonly RandomStreams _streams;
    private readonly Device _device;
    private readonly AdamWOptimizer _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly RunLength _length;
    private readonly CollapseWatch _watch;
    private readonly StepMetrics _metrics;
    private readonly BestWeights _best;
    private readonly RunReporter _reporter;
    private readonly bool _readsEachStep;
    private readonly EpochValidation? _validation;
    private readonly List<EpochSummary> _epochs = [];
    private readonly StepRecorder _recorder = new();
    private readonly SharedSteps? _shared;
    private long _steps;

    private PretrainingLoop(PretrainingMethod method, IBatchSource source, TrainingSettings settings, RandomStreams streams,
        Device device, TrainingReporter sinks, EpochValidation? validation)
    {
        _validation = validation;
        (_method, _source, _settings, _streams, _device) = (method, source, settings, streams, device);
        _optimizer = new AdamWOptimizer(method.named_parameters(), settings.WeightDecay, settings.Beta1, settings.Beta2, settings.Epsilon,
            method.RateOf, settings.LearningRate, settings.Processes is null ? settings.JoinsParameters : false);
        _shared = settings.Processes is { } group ? new SharedSteps(group, method, streams) : null;
        _schedule = new LearningRateSchedule(settings.LearningRate, settings.WarmupFraction);
        long? steps = source.BatchesPerEpoch
            ?? (source.RowCount is { } rows ? (rows + settings.BatchSize - 1) / settings.BatchSize : null);
        if (_shared is not null)
            steps = _shared.Least(steps);
        _length = new RunLength(settings.NumberOfEpochs, steps, settings.MaximumTrainingTime);
        _watch = new CollapseWatch(settings.CollapseThreshold, patience: Math.Max(settings.WarmupFraction, 0.1));
        int readInterval = settings.ReadInterval ?? (device.type == DeviceType.CPU ? 1 : DeviceReadInterval);
        _readsEachStep = readInterval == 1;
        _metrics = new StepMetrics(readInterval);
        _best = new BestWeights();
        var before = TimeSpan.Zero;
        if (settings.CheckpointPath is { } path && settings.Resume && File.Exists(path))
            before = Resume(path);
        _reporter = new RunReporter(settings, sinks, _length, before, _recorder);
        if (_epochs.Count > 0)
            _reporter.Inform($"resumed from '{settings.CheckpointPath}' after epoch {_epochs.Count} of {settings.NumberOfEpochs}");
    }

    /// <summary>Trains a method's weights in place.</summary>
    /// <param name="method">The method; moved to <paramref name="device"/> and left in evaluation mode.</param>
    /// <param name="source">Where the batches come from.</param>
    /// <param name="settings">Length, optimizer, checkpoints.</param>
    /// <param name="streams">
    /// The random streams that <paramref name="source"/> and <paramref name="method"/> draw from: their state goes into checkpoints.
    /// </param>
    /// <param name="device">Where to compute.</param>
    /// <param name="reporter">Where to report to; <see langword="null"/> for nowhere.</param>
    /// <param name="cancellationToken">
    /// Ends the run within a step: the method then holds the weights of that moment; no exception is thrown.
    /// </param>
    /// <returns>What was done.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Settings out of range, all in one message.</exception>
    /// <exception cref="InvalidOperationException">
    /// The loss or a weight became NaN or infinite; the source has no batches; the checkpoint is of another run; a step needs more memory
    /// than there is; <see cref="TrainingSettings.MixedPrecision"/> on a processor without bfloat16.
    /// </exception>
    /// <exception cref="IOException">No checkpoint can be written to the path. One that cannot be written later is a warning.</exception>
    public static TrainingResult Run(PretrainingMethod method, IBatchSource source, TrainingSettings settings, RandomStreams streams,
        Device device, TrainingReporter? reporter = null, CancellationToken cancellationToken = default)
        => Run(method, source, settings, streams, device, reporter, null, cancellationToken);

    /// <summary>
    /// The same with a validation after every epoch: however the run ends, the method has the weights of the epoch with the lowest
    /// validation loss (those of the moment while there is none), and the run ends when that loss no longer falls.
    /// </summary>
    internal static TrainingResult Run(PretrainingMethod method, IBatchSource source, TrainingSettings settings, RandomStreams streams,
        Device device, TrainingReporter? reporter, EpochValidation? validation, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(device);
        var faults = new OptionFaults();
        settings.Validate(faults);
        faults.ThrowIfAny();
        HardNegatives.Require(method, source);
        Checkpoint.RequireWritable(settings.CheckpointPath);
        if (settings.MixedPrecision)
            TorchDevice.RequireBFloat16(device);

        if (device.type == DeviceType.CPU)
            TorchDevice.UseAllCores();
        using var tf32 = TensorFloat32.Begin(settings.AllowTf32, device);
        using var gradients = enable_grad(); // whatever the application has set on this thread
        method.to(device);
        method.train();
        var loop = new PretrainingLoop(method, source, settings, streams, device, reporter ?? new TrainingReporter(), validation);
        try
        {
            return loop.Run(cancellationToken);
        }
        catch (Exception fault) when (loop.Fails(fault) && DeviceMemory.IsExhausted(fault))
        {
            throw DeviceMemory.Explain(fault, device, settings);
        }
        finally
        {
            loop._optimizer.Dispose();
            loop._metrics.Dispose();
            loop._best.Dispose();
            loop._shared?.Dispose();
            // Those that follow others as a moving average may lie in a vector of their own.
            if (settings.JoinsParameters ?? device.type != DeviceType.CPU && settings.Processes is null)
                ParameterVector.Separate(method.parameters().Where(parameter => !parameter.requires_grad));
            method.zero_grad();
            method.eval();
        }
    }

    private TrainingResult Run(CancellationToken cancellationToken)
    {
        // A resumed run may have ended before its last epoch.
        var end = GetsBetter || _epochs.Count == _settings.NumberOfEpochs ? TrainingEnd.Completed : TrainingEnd.EarlyStopped;
        while (_epochs.Count < _settings.NumberOfEpochs && end == TrainingEnd.Completed)
        {
            end = RunEpoch(_epochs.Count, cancellationToken);
            if (end == TrainingEnd.Completed)
                end = CompleteEpoch();
        }
        // By the end of its time the learning rate has fallen: the weights of now may well be better than those of the last whole epoch.
        if (end == TrainingEnd.TimeLimit && _validation is not null && _reporter.StepsInEpoch > 0
            && Validate(_validation, _epochs.Count + 1) is { } loss)
        {
            _reporter.Inform($"validation loss {ProgressText.Number(loss)} "
                + $"after {_reporter.StepsInEpoch} steps of epoch {_epochs.Count + 1}");
        }
        double finalLoss = _epochs.Count > 0 ? _epochs[^1].Loss : _reporter.EpochLoss;
        if (_best.Epoch > 0)
            _best.Restore(_method);
        RequireFiniteWeights();
        var history = new TrainingHistory([.. _recorder.Entries], _epochs, _best.Epoch > 0 ? _best.Epoch : null);
        var result = new TrainingResult(end, _steps, finalLoss, _validation?.Best, history, _reporter.Elapsed, _reporter.Spread);
        _reporter.Inform(ProgressText.Line(result));
        if (DeviceMemory.Describe(_device) is { } memory)
            _reporter.Inform(memory);
        return result;
    }

    private TrainingEnd RunEpoch(int epoch, CancellationToken cancellationToken)
    {
        _reporter.BeginEpoch(epoch + 1);
        _method.OnEpochStarting(epoch);
        HardNegatives.Arrange(_method, _source, epoch, _device, _reporter.Inform, cancellationToken);
        long step = 0;
        _shared?.BeginEpoch(epoch);
        try
        {
            foreach (IReadOnlyList<Batch> columns in Batches(epoch, cancellationToken))
            {
                try
                {
                    if (_shared?.IsCanceled ?? cancellationToken.IsCancellationRequested)
                        return End(TrainingEnd.Canceled);
                    if (Elapsed >= _settings.MaximumTrainingTime)
                        return End(TrainingEnd.TimeLimit);
                    Step(columns, ++step);
                }
                finally
                {
                    foreach (Batch column in columns)
                        column.Dispose();
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return End(TrainingEnd.Canceled);
        }
        if (_shared?.IsCanceled ?? cancellationToken.IsCancellationRequested)
            return End(TrainingEnd.Canceled); // the source may end a pass early on cancellation: this was not a whole epoch
        if (step == 0)
            throw Check.NoTrainingData();
        return TrainingEnd.Completed;
    }

    // Tells the other processes; true, for a filter.
    private bool Fails(Exception fault)
    {
        _shared?.Fail(fault);
        return true;
    }

    // Of this step; where several processes train, the first one's clock is that of all.
    private TimeSpan Elapsed => _shared?.Elapsed ?? _reporter.Elapsed;

    private IEnumerable<IReadOnlyList<Batch>> Batches(int epoch, CancellationToken cancellationToken)
        => _shared is null ? _source.Epoch(epoch, cancellationToken)
            : _shared.Align(_source.Epoch(epoch, cancellationToken), () => _reporter.Elapsed, cancellationToken);

    private TrainingEnd End(TrainingEnd end)
    {
        ReadMetrics();
        return end;
    }

    private void Step(IReadOnlyList<Batch> columns, long step)
    {
        using var scope = NewDisposeScope();
        double middle = _length.Share(_epochs.Count, step - 0.5, Elapsed);
        double learningRate = _schedule.At(middle);
        var moved = new Batch[columns.Count];
        for (int i = 0; i < moved.Length; i++)
            moved[i] = columns[i].To(_device);

        _method.OnStepStarting(_length.Share(_epochs.Count, step - 1, Elapsed));
        StepLoss loss;
        if (_settings.MixedPrecision)
            _optimizer.RoundWeights();
        using (_shared?.Enter())
        {
            using (MixedPrecision.Begin(_settings.MixedPrecision, _optimizer.Rounded))
                loss = _method.Loss(moved);
            if (_readsEachStep && _shared is null)
                RequireFinite("Loss", loss.Total.to(ScalarType.Float32).Value<float>(), step, learningRate);
            loss.Total.backward();
        }
        // The gradients of all, whose loss is that of the step.
        if (_shared?.Average(loss.Total) is { } mean)
        {
            RequireFinite("Loss", (float)mean, step, learningRate);
            loss = loss with { Total = tensor((float)mean) };
        }
        Tensor? norm = _optimizer.Step(learningRate, _settings.GradientClipNorm);
        _optimizer.ZeroGradients();

        Tensor? spread = (step - 1) % CollapseWatch.Interval == 0 ? CollapseWatch.Measure(loss.Embeddings) : null;
        _metrics.Add(step, columns[0].Count, learningRate, loss, norm, spread);
        if (_metrics.IsFull || _reporter.IsDue)
            ReadMetrics();
        using (no_grad())
        using (_shared?.Enter())
            _method.OnStepCompleted(_length.Share(_epochs.Count, step, Elapsed));
        _shared?.Leave();
        _steps++;
        _reporter.Report();

        for (int i = 0; i < moved.Length; i++)
        {
            if (!ReferenceEquals(moved[i], columns[i]))
                moved[i].Dispose();
        }
    }

    private void ReadMetrics()
    {
        foreach (StepNumbers numbers in _metrics.Read())
        {
            RequireFinite("Loss", numbers.Loss, numbers.Step, numbers.LearningRate);
            RequireFinite("Gradient", numbers.GradientNorm ?? 0, numbers.Step, numbers.LearningRate);
            _reporter.Add(numbers);
            if (numbers.Spread is { } spread && _watch.Add(spread, _length.Share(_epochs.Count, numbers.Step, _reporter.Elapsed)))
            {
                _reporter.Warn(Invariant($"The embeddings are collapsing: their spread is {spread:0.000} at epoch {_reporter.Epoch}, ")
                    + Invariant($"step {numbers.Step} (1 = even, 0 = all equal; the watch warns under CollapseThreshold ")
                    + Invariant($"{_settings.CollapseThreshold}). Lower LearningRate, raise BatchSize, or make views or masks harder."));
            }
        }
    }

    private void RequireFinite(string what, float value, long step, double learningRate)
    {
        if (float.IsFinite(value))
            return;
        string became = float.IsNaN(value) ? "NaN" : "infinite";
        throw NotFinite(Invariant($"{what} became {became} at epoch {_reporter.Epoch}, step {step} (learning rate {learningRate:G4})"));
    }

    private InvalidOperationException NotFinite(string what)
    {
        string advice = _settings.GradientClipNorm > 0 ? "or GradientClipNorm" : "or set GradientClipNorm";
        return new($"{what}. Lower LearningRate {advice}.");
    }

    private TrainingEnd CompleteEpoch()
    {
        ReadMetrics();
        _length.EpochCompleted(_reporter.StepsInEpoch);
        _reporter.EndTraining();
        double? loss = _validation is null ? null : Validate(_validation, _reporter.Epoch);
        _epochs.Add(_reporter.CompleteEpoch(loss));
        // A resumed run repeats an epoch whose validation was cut off, since its weights might have been the best.
        if (_validation is not null && loss is null)
            return TrainingEnd.Canceled;
        int epoch = _epochs.Count;
        if (_settings.CheckpointPath is { } path && _shared?.Writes != false
            && (epoch % _settings.CheckpointEveryEpochs == 0 || epoch == _settings.NumberOfEpochs || !GetsBetter))
        {
            RequireFiniteWeights();
            WriteCheckpoint(path);
        }
        return GetsBetter || epoch == _settings.NumberOfEpochs ? TrainingEnd.Completed : TrainingEnd.EarlyStopped;
    }

    // A full disk or a folder that is gone must not throw the training away: its result is in memory.
    private void WriteCheckpoint(string path)
    {
        try
        {
            Checkpoint.Write(path, _settings, _method, _optimizer, _streams, _best,
                new CheckpointState(_epochs, _recorder.Entries, _steps, _reporter.Elapsed));
            _shared?.Written(path, _epochs.Count);
        }
        catch (IOException fault)
        {
            string next = _epochs.Count < _settings.NumberOfEpochs ? " and tries again" : "";
            _reporter.Warn($"There is no checkpoint of epoch {_epochs.Count}; the training goes on{next}. {fault.Message}");
        }
    }

    // A loss tells of the weights before its step: those after the last one are looked at themselves.
    private void RequireFiniteWeights()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] finite = [.. _method.named_parameters().Where(item => item.parameter.is_floating_point())
            .Select(item => item.parameter.isfinite().all())];
        if (finite.Length > 0 && !stack(finite).all().Value<bool>())
            throw NotFinite(Invariant($"A weight became NaN or infinite in epoch {_reporter.Epoch} (learning rate up to {_settings.LearningRate:G4})"));
    }

    // Whether the run goes on: not after as many epochs without a lower validation loss as its patience allows.
    private bool GetsBetter => _validation?.Patience is not { } patience || _epochs.Count - _best.Epoch < patience;

    // The loss, after which the weights are kept where it is the lowest so far; null where the caller canceled meanwhile.
    private double? Validate(EpochValidation validation, int epoch)
    {
        _method.BeginEvaluation();
        double? loss = validation.Measure();
        if (_shared is not null)
            loss = _shared.Mean(loss);
        _method.train();
        if (loss is { } measured && validation.Improves(measured))
            _best.Take(_method, epoch);
        return loss;
    }

    private TimeSpan Resume(string path)
    {
        CheckpointState state = Checkpoint.Read(path, _settings, _method, _optimizer, _streams, _best);
        _epochs.AddRange(state.Epochs);
        _steps = state.Steps;
        _recorder.Restore(state.StepHistory);
        foreach (EpochSummary epoch in _epochs.Where(epoch => epoch.ValidationLoss is not null))
            _validation?.Improves(epoch.ValidationLoss!.Value);
        if (_epochs.Count > 0)
            _length.EpochCompleted(_epochs[^1].Steps);
        return state.Elapsed;
    }
}
