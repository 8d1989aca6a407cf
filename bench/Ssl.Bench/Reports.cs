using Ssl.Estimators;

namespace Ssl.Bench;

/// <summary>Gives reports of a run on, on its own thread and in order.</summary>
internal sealed class Reports(Action<PretrainingProgress> action) : IProgress<PretrainingProgress>
{
    public void Report(PretrainingProgress value) => action(value);
}
