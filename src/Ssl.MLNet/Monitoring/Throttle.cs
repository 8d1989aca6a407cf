namespace Ssl.MLNet.Monitoring;

/// <summary>Lets through one call an interval.</summary>
/// <param name="clock">Tells the time.</param>
/// <param name="interval">Shortest time between two calls that pass.</param>
internal sealed class Throttle(TimeProvider clock, TimeSpan interval)
{
    private long? _last;

    /// <summary>Whether a call may pass now; the first one may. If so, the interval starts anew.</summary>
    /// <param name="always">Passes whatever the time.</param>
    public bool TryPass(bool always = false)
    {
        long now = clock.GetTimestamp();
        if (!always && _last is { } last && clock.GetElapsedTime(last, now) < interval)
            return false;
        _last = now;
        return true;
    }
}
