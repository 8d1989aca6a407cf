using SearchService.Models;

namespace SearchService.Tests;

/// <summary>A request whose answer takes until it is told to end: its worker is busy, and holds its model.</summary>
internal sealed class BusyWorker : IDisposable
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _end = new();

    public BusyWorker(RunningService service)
        => Answer = service.Inference.AnswerAsync(["busy"], (model, embeddings) =>
        {
            _begun.SetResult();
            _end.Wait(TimeSpan.FromSeconds(20));
            // Still its model, whatever was put in its place: it computes once more.
            return (model, model.Embed(["busy"])[0].SequenceEqual(embeddings[0]));
        }, CancellationToken.None);

    /// <summary>Ends when the worker has begun.</summary>
    public Task Begun => _begun.Task;

    /// <summary>The model that the request was answered with, and whether it still embedded as before at the end.</summary>
    public Task<(ServedModel Model, bool StillTheSame)> Answer { get; }

    public void End() => _end.Set();

    public void Dispose()
    {
        End();
        Answer.Wait();
        _end.Dispose();
    }
}
