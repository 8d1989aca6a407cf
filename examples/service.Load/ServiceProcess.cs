using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace SearchService.Load;

/// <summary>The service as a process of its own, so that its memory is its own.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;

    public ServiceProcess(string modelPath, LoadOptions options)
    {
        Address = new Uri($"http://127.0.0.1:{FreePort()}");
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "SearchService.dll"), "--urls", Address.ToString(), "--Service:ModelPath", modelPath,
            // All clients have one address here.
            "--Service:RequestsPerSecond", "1000000", "--Service:RequestBurst", "1000000", "--Logging:LogLevel:Default", "Critical",
        ];
        if (options.BatchLimit is { } batch)
            arguments.AddRange(["--Service:BatchLimit", batch.ToString(CultureInfo.InvariantCulture)]);
        if (options.Workers is { } workers)
            arguments.AddRange(["--Service:Workers", workers.ToString(CultureInfo.InvariantCulture)]);
        _process = Process.Start(new ProcessStartInfo("dotnet", arguments))!;
        // Also where this program is told to end.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill();
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = options.Clients + 4 }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>Bytes of memory that the process holds (resident).</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Time of the processor that it has taken.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Waits until a version is served.</summary>
    /// <exception cref="TimeoutException">It is not, after half a minute.</exception>
    public async Task WaitForAsync(string version)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(50))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"The service ended with exit code {_process.ExitCode}.");
            try
            {
                using var response = await Client.GetAsync("/model");
                if (response.IsSuccessStatusCode && (await response.Content.ReadFromJsonAsync(ServiceJson.Default.ModelResponse))!.Version == version)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
        throw new TimeoutException($"The service does not serve model {version}.");
    }

    /// <summary>What /health/ready says.</summary>
    public Task<string> ReadinessAsync() => Client.GetStringAsync("/health/ready");

    /// <summary>The sum of a metric over its tags, those with a text among them alone; 0 where there is none.</summary>
    public async Task<double> MetricAsync(string name, string tags = "")
        => Regex.Matches(await Client.GetStringAsync("/metrics"), $@"^{name}\{{(?<tags>.*)\}} (?<value>\S+)", RegexOptions.Multiline)
            .Where(line => line.Groups["tags"].Value.Contains(tags, StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture));

    public void Dispose()
    {
        Client.Dispose();
        Kill();
        _process.WaitForExit();
    }

    private void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
