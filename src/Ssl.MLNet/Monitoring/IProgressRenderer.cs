namespace Ssl.MLNet.Monitoring;

/// <summary>Draws the state of a run; decides itself how often.</summary>
internal interface IProgressRenderer
{
    /// <summary>Called after every report.</summary>
    void Draw(MonitorState state);

    /// <summary>Called once, after the last report.</summary>
    void Finish(MonitorState state);
}
