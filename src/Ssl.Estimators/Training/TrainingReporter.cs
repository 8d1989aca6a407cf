namespace Ssl.Estimators.Training;

/// <summary>Where a run reports to, and by which clock. Everything is optional.</summary>
/// <param name="Progress">Receives a report a few times a second and after each epoch, on the training thread.</param>
/// <param name="Info">Receives one line an epoch, and every few seconds in a long epoch.</param>
/// <param name="Warning">Receives warnings: collapse, a fallback to the CPU.</param>
/// <param name="Clock">Tells the time; <see cref="TimeProvider.System"/> where null.</param>
public sealed record TrainingReporter(IProgress<PretrainingProgress>? Progress = null, Action<string>? Info = null,
    Action<string>? Warning = null, TimeProvider? Clock = null);
