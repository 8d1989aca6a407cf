namespace SearchService.Load;

/// <summary>Exchanges the model file while clients ask: one model for another, and now and then for half a file, which must change nothing.</summary>
internal sealed class Swaps(ServiceProcess service, Clients clients, string modelPath, IReadOnlyList<Expectation> models, TimeSpan pause)
{
    /// <summary>Exchanges that the service has followed.</summary>
    public int Done { get; private set; }

    /// <summary>Half files that it was given, and has refused.</summary>
    public int Refused { get; private set; }

    /// <summary>What went wrong.</summary>
    public List<string> Faults { get; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        var current = 0;
        try
        {
            for (var round = 1; ; round++)
            {
                await Task.Delay(pause, stop);
                if (round % 3 == 0)
                    await BreakAsync(models[current]);
                current = (current + 1) % models.Count;
                // From here until it is seen, either model may answer.
                clients.Served = null;
                Put(File.ReadAllBytes(models[current].Path));
                await service.WaitForAsync(models[current].Version);
                clients.Served = models[current].Version;
                Done++;
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
        catch (Exception fault) when (fault is TimeoutException or InvalidOperationException or HttpRequestException)
        {
            Faults.Add(fault.Message);
        }
    }

    // The model that is served stays, and clients go on checking that it does.
    private async Task BreakAsync(Expectation served)
    {
        var bytes = File.ReadAllBytes(served.Path);
        Put(bytes[..(bytes.Length / 2)]);
        for (var looks = 0; looks < 100; looks++, await Task.Delay(100))
        {
            if (!(await service.ReadinessAsync()).Contains("Degraded", StringComparison.Ordinal))
                continue;
            Refused++;
            await Task.Delay(1_000);
            return;
        }
        Faults.Add("half a model file was put in place, and /health/ready does not say so");
    }

    private void Put(byte[] bytes)
    {
        File.WriteAllBytes(modelPath + ".new", bytes);
        File.Move(modelPath + ".new", modelPath, overwrite: true);
    }
}
