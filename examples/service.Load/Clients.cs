using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;

namespace SearchService.Load;

/// <summary>Clients that ask without a pause, or at fixed times, and check every answer.</summary>
internal sealed class Clients(ServiceProcess service, LoadOptions options, IReadOnlyDictionary<string, Expectation> expectations, string[] texts,
    CatalogRow[] catalog)
{
    private const int TextsOfLargeRequest = 16;
    private const int MostFaultsKept = 20;

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly List<string> _faults = [];
    private long _next;
    private long _wrong, _errors, _canceled;

    /// <summary>Which version every answer must be of; null while the file is being exchanged.</summary>
    public volatile string? Served;

    /// <summary>Milliseconds of every answered request, by what was asked.</summary>
    public Dictionary<string, List<double>> Milliseconds { get; } = [];

    /// <summary>Answers that were not those of the model that they name, or of another model than is served.</summary>
    public long Wrong => Volatile.Read(ref _wrong);

    /// <summary>Answers of another status than the right one, and none.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>Requests that were given up by their client.</summary>
    public long Canceled => Volatile.Read(ref _canceled);

    /// <summary>The first things that went wrong.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Asks until it is canceled.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, options.Clients).Select(number => Task.Run(() => RunOneAsync(new Random(number), stop))));

    private async Task RunOneAsync(Random random, CancellationToken stop)
    {
        Dictionary<string, List<double>> milliseconds = [];
        while (!stop.IsCancellationRequested)
        {
            var due = Stopwatch.GetTimestamp();
            if (options.Rate > 0)
            {
                // From when it is due, not from when a client had time: a service that stalls is not asked less.
                due = _began + (long)((Interlocked.Increment(ref _next) - 1) / options.Rate * Stopwatch.Frequency);
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, CancellationToken.None);
            }
            var (kind, ask) = Draw(random);
            try
            {
                var served = Served;
                var (version, fault) = await ask();
                if (version is not null && served is not null && served == Served && version != served)
                    fault ??= $"model {version} answered while {served} was served";
                if (fault is not null)
                {
                    Interlocked.Increment(ref _wrong);
                    Keep($"{kind}: {fault}");
                }
                if (!milliseconds.TryGetValue(kind, out var times))
                    milliseconds[kind] = times = [];
                times.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
            }
            catch (GivenUpException)
            {
                Interlocked.Increment(ref _canceled);
            }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
            {
                Interlocked.Increment(ref _errors);
                Keep($"{kind}: {fault.Message}");
            }
        }
        lock (Milliseconds)
        {
            foreach (var (kind, times) in milliseconds)
            {
                if (!Milliseconds.TryAdd(kind, times))
                    Milliseconds[kind].AddRange(times);
            }
        }
    }

    // What services are asked: mostly small things, now and then a large one, a faulty one, and one whose client leaves.
    private (string Kind, Func<Task<(string? Version, string? Fault)>> Ask) Draw(Random random) => random.Next(100) switch
    {
        < 45 => ("search", () => SearchAsync(Text(random))),
        < 65 => ("classify 1 text", () => ClassifyAsync([Text(random)])),
        < 80 => ("embed 1 text", () => EmbedAsync([Text(random)])),
        < 87 => ($"embed {TextsOfLargeRequest} texts", () => EmbedAsync([.. Enumerable.Range(0, TextsOfLargeRequest).Select(_ => Text(random))])),
        < 93 => ("similar rows", () => SimilarAsync(catalog[random.Next(catalog.Length)])),
        < 95 => ("page", PageAsync),
        < 98 => ("faulty", FaultyAsync),
        _ => ("given up", () => GiveUpAsync(random)),
    };

    private string Text(Random random) => texts[random.Next(texts.Length)];

    private async Task<(string?, string?)> SearchAsync(string text)
    {
        var response = await PostAsync("/search", new SearchRequest(text), ServiceJson.Default.SearchRequest, ServiceJson.Default.SearchResponse);
        return (response.ModelVersion, Of(response.ModelVersion, right => right.Check(text, response, SearchRequest.DefaultCount)));
    }

    private async Task<(string?, string?)> ClassifyAsync(string[] asked)
    {
        var response = await PostAsync("/classify", new TextsRequest(asked), ServiceJson.Default.TextsRequest, ServiceJson.Default.ClassifyResponse);
        return (response.ModelVersion, Of(response.ModelVersion, right => right.Check(asked, response)));
    }

    private async Task<(string?, string?)> EmbedAsync(string[] asked)
    {
        var response = await PostAsync("/embed", new TextsRequest(asked), ServiceJson.Default.TextsRequest, ServiceJson.Default.EmbedResponse);
        return (response.ModelVersion, Of(response.ModelVersion, right => right.Check(asked, response)));
    }

    private async Task<(string?, string?)> SimilarAsync(CatalogRow row)
    {
        var response = (await service.Client.GetFromJsonAsync($"/catalog/{row.Id}/similar?count=3", ServiceJson.Default.SearchResponse))!;
        return (response.ModelVersion, Of(response.ModelVersion, right => right.Check(row.Text, response, 3, except: row.Id)));
    }

    private async Task<(string?, string?)> PageAsync()
        => (null, (await service.Client.GetStringAsync("/")).Contains("</html>", StringComparison.Ordinal) ? null : "the page is cut off");

    private async Task<(string?, string?)> FaultyAsync()
    {
        using var response = await service.Client.PostAsJsonAsync("/embed", new TextsRequest([]), ServiceJson.Default.TextsRequest);
        var text = await response.Content.ReadAsStringAsync();
        return (null, response.StatusCode == HttpStatusCode.BadRequest && text.Contains("'texts' is missing or empty", StringComparison.Ordinal) ? null
            : $"{(int)response.StatusCode} in place of 400: {text}");
    }

    private async Task<(string?, string?)> GiveUpAsync(Random random)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 8)));
        try
        {
            using var response = await service.Client.PostAsJsonAsync("/embed", new TextsRequest([.. texts.Take(TextsOfLargeRequest)]), ServiceJson.Default.TextsRequest,
                patience.Token);
            return (null, response.IsSuccessStatusCode ? null : $"status {(int)response.StatusCode}");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new GivenUpException();
        }
    }

    private async Task<TResponse> PostAsync<TRequest, TResponse>(string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TResponse> responseType)
    {
        using var response = await service.Client.PostAsJsonAsync(path, request, requestType);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(responseType))!;
    }

    private string? Of(string version, Func<Expectation, string?> check)
        => expectations.TryGetValue(version, out var expectation) ? check(expectation) : $"no model has version {version}";

    private void Keep(string fault)
    {
        lock (_faults)
        {
            if (_faults.Count < MostFaultsKept)
                _faults.Add(fault);
        }
    }

    private sealed class GivenUpException : Exception;
}
