using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Options;
using SearchService.Models;
using TorchSharp;

namespace SearchService;

/// <summary>
/// The threads that compute. Requests wait in one queue of limited length; a worker takes what waits, embeds the texts of all of it together, and answers each
/// request, all of it with one model.
/// </summary>
/// <remarks>
/// Threads of its own, because libtorch keeps its number of threads once for each thread: two workers with one core each answer sooner than two requests
/// that both want all cores.
/// </remarks>
public sealed class Inference : IDisposable
{
    private readonly ModelStore _store;
    private readonly ServiceMetrics _metrics;
    private readonly ServiceOptions _options;
    private readonly BlockingCollection<Job> _queue;
    private readonly Thread[] _workers;

    /// <param name="store">Has the model.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="options">The numbers of workers, of waiting requests and of texts in a batch.</param>
    public Inference(ModelStore store, ServiceMetrics metrics, IOptions<ServiceOptions> options)
    {
        (_store, _metrics, _options) = (store, metrics, options.Value);
        _queue = new BlockingCollection<Job>(_options.QueueLimit);
        metrics.WatchQueue(() => Waiting);
        _workers = [.. Enumerable.Range(1, _options.Workers ?? Environment.ProcessorCount)
            .Select(number => new Thread(Work) { IsBackground = true, Name = $"Inference {number}" })];
        foreach (var worker in _workers)
            worker.Start();
    }

    /// <summary>Requests that wait for a worker.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Embeds texts and answers with what was embedded.</summary>
    /// <typeparam name="T">The answer.</typeparam>
    /// <param name="texts">The texts; null entries and an empty array are the caller's to refuse.</param>
    /// <param name="answer">Gets the model and one embedding a text, on a worker's thread.</param>
    /// <param name="canceled">Ends the waiting; what is not begun then is not computed.</param>
    /// <exception cref="NoModelException">There is no model.</exception>
    /// <exception cref="QueueFullException">Too many requests wait.</exception>
    public async Task<T> AnswerAsync<T>(IReadOnlyList<string> texts, Func<ServedModel, IReadOnlyList<float[]>, T> answer, CancellationToken canceled)
    {
        var job = new Job<T>(texts, answer, canceled);
        if (!_queue.TryAdd(job))
        {
            _metrics.CountTurnedAway();
            throw new QueueFullException();
        }
        await using var registration = canceled.UnsafeRegister(static (job, token) => ((Job<T>)job!).Cancel(token), job);
        return await job.Result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.CompleteAdding();
        foreach (var worker in _workers)
            worker.Join();
        _queue.Dispose();
    }

    private void Work()
    {
        var batch = new List<Job>();
        var prepared = false;
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            // Copies the process's number at its first use, once and for all; with the first job libtorch is loaded for certain.
            if (!prepared)
            {
                _ = torch.get_num_threads();
                torch.set_num_threads(_options.ThreadsPerWorker);
                prepared = true;
            }
            batch.Add(first);
            for (var texts = first.Texts.Count; texts < _options.BatchLimit && _queue.TryTake(out var next); texts += next.Texts.Count)
                batch.Add(next);
            Compute(batch);
            batch.Clear();
        }
    }

    private void Compute(List<Job> batch)
    {
        batch.RemoveAll(job => job.IsOver);
        if (batch.Count == 0)
            return;
        try
        {
            using var lease = _store.Lease() ?? throw new NoModelException();
            foreach (var job in batch)
                _metrics.CountWait(job.Age);
            var began = Stopwatch.GetTimestamp();
            string[] texts = [.. batch.SelectMany(job => job.Texts)];
            var embeddings = lease.Model.Embed(texts);
            _metrics.CountBatch(texts.Length, Stopwatch.GetElapsedTime(began));
            var start = 0;
            foreach (var job in batch)
            {
                job.Answer(lease.Model, [.. embeddings.Skip(start).Take(job.Texts.Count)]);
                start += job.Texts.Count;
            }
        }
        // Nothing may end a worker: each request of the batch learns what went wrong.
        catch (Exception fault)
        {
            foreach (var job in batch)
                job.Fail(fault);
        }
    }

    private abstract class Job(IReadOnlyList<string> texts)
    {
        private readonly long _arrived = Stopwatch.GetTimestamp();

        public IReadOnlyList<string> Texts => texts;

        public TimeSpan Age => Stopwatch.GetElapsedTime(_arrived);

        public abstract bool IsOver { get; }

        public abstract void Answer(ServedModel model, IReadOnlyList<float[]> embeddings);

        public abstract void Fail(Exception fault);
    }

    private sealed class Job<T>(IReadOnlyList<string> texts, Func<ServedModel, IReadOnlyList<float[]>, T> answer, CancellationToken canceled) : Job(texts)
    {
        // The request goes on elsewhere: a worker is for computing.
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Result => _result.Task;

        public override bool IsOver => canceled.IsCancellationRequested || _result.Task.IsCompleted;

        public override void Answer(ServedModel model, IReadOnlyList<float[]> embeddings)
        {
            try
            {
                _result.TrySetResult(answer(model, embeddings));
            }
            catch (Exception fault)
            {
                _result.TrySetException(fault);
            }
        }

        public override void Fail(Exception fault) => _result.TrySetException(fault);

        public void Cancel(CancellationToken token) => _result.TrySetCanceled(token);
    }
}

/// <summary>No model is loaded.</summary>
public sealed class NoModelException() : Exception("No model is loaded yet.");

/// <summary>Too many requests wait.</summary>
public sealed class QueueFullException() : Exception("Too many requests wait for an answer.");
