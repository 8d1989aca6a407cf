using System.Collections;
using System.Threading.Channels;

namespace Ssl.MLNet.Data;

/// <summary>
/// The rows of an asynchronous source for readers that wait: each pass asks the source anew, reads some rows ahead on the thread pool, and ends the
/// source where the reader ends early.
/// </summary>
/// <param name="source">Asked once a pass.</param>
/// <param name="readAhead">Rows that may lie ready at once.</param>
/// <param name="cancellationToken">Ends every pass with an <see cref="OperationCanceledException"/>.</param>
internal sealed class AsyncRows<T>(Func<IAsyncEnumerable<T>> source, int readAhead, CancellationToken cancellationToken) : IEnumerable<T>
{
    /// <summary>How long the end of a pass waits for a source that does not heed its token, so that two passes do not share what it reads from.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    public IEnumerator<T> GetEnumerator()
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var rows = Channel.CreateBounded<T>(new BoundedChannelOptions(readAhead) { SingleReader = true, SingleWriter = true });
        var token = stop.Token;
        // On the pool, where no context is captured: the caller's, such as that of a window, may be the thread that waits below.
        var pump = Task.Run(() => Pump(rows.Writer, token), CancellationToken.None);
        try
        {
            // Throws what the source threw, as it is.
            while (rows.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
            {
                while (rows.Reader.TryRead(out var row))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return row;
                }
            }
        }
        finally
        {
            stop.Cancel();
            pump.Wait(Patience, CancellationToken.None);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Does not throw: the reader gets what the source threw, unless it ended before.
    private async Task Pump(ChannelWriter<T> rows, CancellationToken token)
    {
        try
        {
            await foreach (var row in source().WithCancellation(token).ConfigureAwait(false))
                await rows.WriteAsync(row, token).ConfigureAwait(false);
            rows.Complete();
        }
        catch (Exception e)
        {
            rows.Complete(e);
        }
    }
}
