using System.Threading.Channels;

namespace Ssl.Estimators.Rows;

/// <summary>Prepares the next items on another thread while the caller works on the present one.</summary>
internal static class Prefetch
{
    /// <summary>The same items in the same order; an error of the source appears where the item would have been.</summary>
    /// <param name="items">Enumerated on another thread.</param>
    /// <param name="ahead">How many finished items may wait. At least 1.</param>
    /// <param name="discard">Frees an item that was prepared but never asked for.</param>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    public static IEnumerable<T> Run<T>(IEnumerable<T> items, int ahead, Action<T> discard, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(ahead) { SingleReader = true, SingleWriter = true });
        var producer = Task.Factory.StartNew(() => Produce(items, channel.Writer, discard, stop.Token), TaskCreationOptions.LongRunning);
        try
        {
            while (channel.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
            {
                while (channel.Reader.TryRead(out var item))
                    yield return item;
            }
        }
        finally
        {
            stop.Cancel();
            producer.GetAwaiter().GetResult();
            while (channel.Reader.TryRead(out var left))
                discard(left);
        }
    }

    private static void Produce<T>(IEnumerable<T> items, ChannelWriter<T> writer, Action<T> discard, CancellationToken stop)
    {
        try
        {
            foreach (var item in items)
            {
                try
                {
                    writer.WriteAsync(item, stop).AsTask().GetAwaiter().GetResult();
                }
                catch (OperationCanceledException)
                {
                    discard(item);
                    break;
                }
            }
            writer.Complete();
        }
        catch (Exception error)
        {
            writer.Complete(error);
        }
    }
}
