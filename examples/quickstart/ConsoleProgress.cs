using Ssl.Estimators.Training;

namespace Quickstart;

/// <summary>Shows the training: a line that is rewritten where there is a terminal, else one line an epoch.</summary>
public sealed class ConsoleProgress : IProgress<PretrainingProgress>
{
    private readonly bool _terminal = !Console.IsOutputRedirected;

    /// <inheritdoc/>
    public void Report(PretrainingProgress value)
    {
        if (!_terminal && !value.EpochCompleted)
            return;
        var remaining = value.Remaining is { } time ? $", {time.TotalSeconds:0} s to go" : "";
        var spread = value.EmbeddingSpread is { } known ? $", spread {known:0.00}" : "";
        var line = $"  epoch {value.Epoch,2}/{value.NumberOfEpochs}  loss {value.Loss:0.000}{spread}, {value.SamplesPerSecond:N0} texts/s{remaining}";
        if (!_terminal)
            Console.WriteLine(line);
        else
            Console.Write("\r" + line.PadRight(78) + (value.EpochCompleted && value.Epoch == value.NumberOfEpochs ? "\n" : ""));
    }
}
