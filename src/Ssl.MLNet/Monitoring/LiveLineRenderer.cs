using Ssl.Estimators.Training;

namespace Ssl.MLNet.Monitoring;

/// <summary>One line that is drawn over and over: a bar and the numbers.</summary>
/// <param name="writer">A terminal.</param>
/// <param name="width">Its width in characters; asked at each drawing, since windows are resized.</param>
/// <param name="throttle">How often to draw.</param>
internal sealed class LiveLineRenderer(TextWriter writer, Func<int> width, Throttle throttle) : IProgressRenderer
{
    /// <summary>Width where the terminal does not tell.</summary>
    public const int DefaultWidth = 100;

    private const int BarLength = 20;

    private int _shown;
    private bool _open;

    /// <inheritdoc/>
    public void Draw(MonitorState state)
    {
        if (state.Latest is not { } latest || !throttle.TryPass(latest.EpochCompleted))
            return;
        string line = $"[{Bar(state.Share)}] {ProgressText.Line(latest)}";
        int room = Math.Max(1, width() - 1); // the last column would wrap
        if (line.Length > room)
            line = line[..room];
        writer.Write('\r' + line.PadRight(Math.Min(_shown, room)));
        writer.Flush();
        _shown = line.Length;
        _open = true;
        if (state.IsCompleted)
            Finish(state);
    }

    /// <inheritdoc/>
    public void Finish(MonitorState state)
    {
        if (!_open)
            return;
        writer.WriteLine();
        writer.Flush();
        (_open, _shown) = (false, 0);
    }

    private static string Bar(double share)
    {
        int full = (int)Math.Round(share * BarLength);
        return new string('=', full) + new string(' ', BarLength - full);
    }
}
