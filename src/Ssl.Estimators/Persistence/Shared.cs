namespace Ssl.Estimators.Persistence;

/// <summary>
/// A value with several owners, disposed of with the last one; or, where owners went without a word (an engine gives its encoder back
/// without disposing of it), once nothing can reach it any more.
/// </summary>
internal sealed class Shared<T>(T value) where T : IDisposable
{
    private int _owners = 1;

    /// <summary>Native modules hold memory that no finalizer of their own gives back.</summary>
    ~Shared()
    {
        if (Interlocked.Exchange(ref _owners, 0) > 0)
            value.Dispose();
    }

    /// <summary>The value.</summary>
    public T Value => value;

    /// <summary>One owner more. The caller is one, or keeps one from letting go.</summary>
    public Shared<T> Retain()
    {
        Interlocked.Increment(ref _owners);
        return this;
    }

    /// <summary>One owner less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _owners) != 0)
            return;
        GC.SuppressFinalize(this);
        value.Dispose();
    }
}
