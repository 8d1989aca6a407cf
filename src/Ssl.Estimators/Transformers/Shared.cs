namespace Ssl.Estimators.Transformers;

/// <summary>A value with several owners, disposed of with the last one.</summary>
internal sealed class Shared<T>(T value) where T : IDisposable
{
    private int _owners = 1;

    /// <summary>The value.</summary>
    public T Value => value;

    /// <summary>One owner more.</summary>
    /// <exception cref="ObjectDisposedException">The last owner has let go.</exception>
    public Shared<T> Retain()
    {
        int owners;
        do
        {
            owners = Volatile.Read(ref _owners);
            ObjectDisposedException.ThrowIf(owners == 0, value);
        }
        while (Interlocked.CompareExchange(ref _owners, owners + 1, owners) != owners);
        return this;
    }

    /// <summary>One owner less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _owners) == 0)
            value.Dispose();
    }
}
