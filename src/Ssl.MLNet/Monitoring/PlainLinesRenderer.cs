using Ssl.Estimators.Training;

namespace Ssl.MLNet.Monitoring;

/// <summary>A line an epoch and, in long epochs, one every now and then: for logs and redirected output.</summary>
/// <param name="writer">Where the lines go.</param>
/// <param name="throttle">How often a line may come inside an epoch.</param>
internal sealed class PlainLinesRenderer(TextWriter writer, Throttle throttle) : IProgressRenderer
{
    /// <inheritdoc/>
    public void Draw(MonitorState state)
    {
        if (state.Latest is not { } latest || !throttle.TryPass(latest.EpochCompleted))
            return;
        writer.WriteLine(ProgressText.Line(latest));
        writer.Flush();
    }

    /// <inheritdoc/>
    public void Finish(MonitorState state) => writer.Flush();
}
