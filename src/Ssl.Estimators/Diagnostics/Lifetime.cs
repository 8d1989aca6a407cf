namespace Ssl.Estimators.Diagnostics;

/// <summary>
/// How long something that several threads use may be used. After <see cref="Close"/> nobody new gets in; who is inside finishes, and the
/// last one out frees. So a call made while another thread disposes either ends as if nothing had happened, or says what happened.
/// </summary>
/// <param name="owner">Name of the public type that is disposed of.</param>
/// <param name="free">Frees what is held; called once.</param>
internal sealed class Lifetime(string owner, Action free)
{
    private int _holders = 1;               // the owner, and everybody inside
    private volatile bool _closed;

    /// <summary>Whether <see cref="Close"/> was called.</summary>
    public bool IsClosed => _closed;

    /// <summary>Throws after <see cref="Close"/>.</summary>
    /// <exception cref="ObjectDisposedException">It names the public type, and says what to do.</exception>
    public void ThrowIfClosed()
    {
        if (_closed)
            throw Disposed();
    }

    /// <summary>Keeps everything usable until the result is disposed of.</summary>
    /// <exception cref="ObjectDisposedException">It names the public type, and says what to do.</exception>
    public Use Enter()
    {
        int holders;
        do
        {
            holders = Volatile.Read(ref _holders);
            if (_closed || holders == 0)
                throw Disposed();
        }
        while (Interlocked.CompareExchange(ref _holders, holders + 1, holders) != holders);
        return new Use(this);
    }

    /// <summary>Lets nobody in any more, and frees once the last user has left; a second call does nothing.</summary>
    public void Close()
    {
        lock (free)
        {
            if (_closed)
                return;
            _closed = true;
        }
        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            free();
    }

    private ObjectDisposedException Disposed() => new(owner, $"This {owner} was disposed of and what it held is freed. Dispose of it only "
        + "when nothing reads its results any more; to go on, fit or load it again.");

    /// <summary>Somebody inside; dispose of it exactly once.</summary>
    internal readonly struct Use(Lifetime lifetime) : IDisposable
    {
        /// <summary>Leaves.</summary>
        public void Dispose() => lifetime.Leave();
    }
}
