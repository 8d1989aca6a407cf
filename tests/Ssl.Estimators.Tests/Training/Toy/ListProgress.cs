namespace Ssl.Estimators.Tests.Training.Toy;

/// <summary>Keeps every report; unlike <see cref="Progress{T}"/>, on the reporting thread.</summary>
internal sealed class ListProgress : List<PretrainingProgress>, IProgress<PretrainingProgress>
{
    public void Report(PretrainingProgress value) => Add(value);
}
