using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SearchService.Models;

namespace SearchService.Tests;

/// <summary>The service with a real server on a free port of this machine, and a model file of its own.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    /// <summary>A path that fails inside.</summary>
    public const string FailingPath = "/fails";

    private readonly WebApplication _app;
    private readonly string _folder;

    private RunningService(WebApplication app, string folder, List<string> log)
    {
        (_app, _folder, Log) = (app, folder, log);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    /// <summary>Asks it.</summary>
    public HttpClient Client { get; }

    /// <summary>What it has logged.</summary>
    public List<string> Log { get; }

    /// <summary>Its model file.</summary>
    public string ModelPath => Path.Combine(_folder, "model.zip");

    /// <summary>Its inference.</summary>
    public Inference Inference => _app.Services.GetRequiredService<Inference>();

    /// <summary>Its models.</summary>
    public ModelStore Store => _app.Services.GetRequiredService<ModelStore>();

    /// <summary>Starts it; it serves the model when this returns, where there is one.</summary>
    /// <param name="model">The model; null for none.</param>
    /// <param name="settings">Names and values of the section Service.</param>
    public static async Task<RunningService> StartAsync(string? model, params (string Name, object Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("search-service-").FullName;
        var log = new List<string>();
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--Service:ModelPath", Path.Combine(folder, "model.zip"), "--Service:ModelPollSeconds", "0.05",
            .. settings.SelectMany(setting => new[] { $"--Service:{setting.Name}", FormattableString.Invariant($"{setting.Value}") })];
        WebApplication app;
        try
        {
            app = SearchApp.Create(arguments, builder => builder.Logging.ClearProviders().AddProvider(new ListLogger(log)));
            app.MapGet(FailingPath, new Func<string>(() => throw new InvalidTimeZoneException("a secret")));
            if (model is not null)
                File.Copy(model, Path.Combine(folder, "model.zip"));
            await app.StartAsync();
        }
        catch
        {
            // Settings that it refuses.
            Directory.Delete(folder, recursive: true);
            throw;
        }
        var service = new RunningService(app, folder, log);
        if (model is not null)
            await service.UntilAsync(() => service.Store.Version is not null);
        return service;
    }

    /// <summary>Puts a model file in place, as a trainer does: by a rename.</summary>
    public void Put(string model)
    {
        File.Copy(model, ModelPath + ".new", overwrite: true);
        File.Move(ModelPath + ".new", ModelPath, overwrite: true);
    }

    /// <summary>Waits until something holds; fails after ten seconds.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        for (var clock = Stopwatch.StartNew(); !holds(); await Task.Delay(10))
            Assert.IsLessThan(TimeSpan.FromSeconds(10), clock.Elapsed, string.Join('\n', Log));
    }

    /// <summary>Posts JSON and reads the answer, which must be a good one.</summary>
    public async Task<T> PostAsync<T>(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync(path, body);
        Assert.AreEqual(HttpStatusCode.OK, response.StatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<T>())!;
    }

    /// <summary>Sends a body as it is.</summary>
    public Task<HttpResponseMessage> SendAsync(string method, string path, string? body, string? contentType = "application/json")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType is not null)
                request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        return Client.SendAsync(request);
    }

    /// <summary>The detail of problem details, which an answer must be.</summary>
    public static async Task<string> DetailAsync(HttpResponseMessage response)
    {
        Assert.AreEqual("application/problem+json", response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.AreEqual((int)response.StatusCode, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.GetProperty("detail").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class ListLogger(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
                lines.Add($"{logLevel}: {formatter(state, exception)} {exception?.Message}");
        }

        public void Dispose()
        {
        }
    }
}
