using System.Diagnostics.Metrics;
using SearchService.Models;

namespace SearchService;

/// <summary>What the service counts beside what ASP.NET Core counts itself (requests, their durations, refusals, connections).</summary>
public sealed class ServiceMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "SearchService";

    private readonly Meter _meter;
    private readonly Histogram<int> _batchTexts;
    private readonly Histogram<double> _batchSeconds;
    private readonly Histogram<double> _waitSeconds;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _turnedAway;

    /// <param name="factory">Makes meters.</param>
    /// <param name="store">Has the model.</param>
    public ServiceMetrics(IMeterFactory factory, ModelStore store)
    {
        var meter = _meter = factory.Create(MeterName);
        double[] seconds = [.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5];
        _batchTexts = meter.CreateHistogram("search_service.batch.size", "{text}", "Texts that were embedded together.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128] });
        _batchSeconds = meter.CreateHistogram("search_service.batch.duration", "s", "Time in which a batch was embedded.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        _waitSeconds = meter.CreateHistogram("search_service.queue.duration", "s", "Time that a request waited for a worker.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        _reloads = meter.CreateCounter<long>("search_service.model.reloads", "{file}", "Model files that were found, by whether they are served.");
        _turnedAway = meter.CreateCounter<long>("search_service.queue.refusals", "{request}", "Requests that found the queue full.");
        meter.CreateObservableGauge("search_service.model.info", () => store.Version is { } version
            ? [new Measurement<int>(1, new KeyValuePair<string, object?>("version", version))] : Array.Empty<Measurement<int>>(),
            description: "1 for the version that is served.");
        meter.CreateObservableGauge("search_service.model.stale", () => store.Fault is null ? 0 : 1,
            description: "1 where the model file that lies there is not what is served.");
        meter.CreateObservableGauge("search_service.models.in_memory", () => ServedModel.InMemory, "{model}", "Models whose memory is not freed.");
    }

    /// <summary>Counts a batch.</summary>
    public void CountBatch(int texts, TimeSpan duration)
    {
        _batchTexts.Record(texts);
        _batchSeconds.Record(duration.TotalSeconds);
    }

    /// <summary>Counts how long a request waited.</summary>
    public void CountWait(TimeSpan wait) => _waitSeconds.Record(wait.TotalSeconds);

    /// <summary>Counts a model file that was found.</summary>
    /// <param name="result">"loaded" or "failed".</param>
    public void CountReload(string result) => _reloads.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <summary>Shows the length of the queue.</summary>
    public void WatchQueue(Func<int> length) => _meter.CreateObservableGauge("search_service.queue.length", length, "{request}", "Requests that wait for a worker.");

    /// <summary>Counts a request that found the queue full.</summary>
    public void CountTurnedAway() => _turnedAway.Add(1);
}
