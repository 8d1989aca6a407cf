namespace SearchService.Load;

/// <summary>What came of it.</summary>
internal static class Report
{
    /// <summary>Prints the figures, and what is wrong.</summary>
    /// <returns>Whether nothing is.</returns>
    public static async Task<bool> PrintAsync(LoadOptions options, ServiceProcess service, Clients clients, Swaps swaps, MemoryTrend memory, TimeSpan elapsed,
        double cores, IReadOnlyList<Expectation> models)
    {
        List<string> faults = [.. swaps.Faults];
        if (clients.Wrong > 0)
            faults.Add($"{clients.Wrong} wrong answers");
        if (clients.Errors > 0)
            faults.Add($"{clients.Errors} errors");
        if (memory.IsLongEnough && !memory.IsFlat)
            faults.Add($"memory grew by {memory.Growth:0.0 %}");
        if (clients.Milliseconds.Count == 0)
            faults.Add("nothing was answered");
        // The service's own count of what the test did.
        var (loaded, failed, inMemory) = (await service.MetricAsync("search_service_model_reloads_total", "result=\"loaded\""),
            await service.MetricAsync("search_service_model_reloads_total", "result=\"failed\""), await service.MetricAsync("search_service_models_in_memory"));
        if (loaded != swaps.Done + 1 || failed != swaps.Refused)
            faults.Add($"the service counts {loaded} files loaded and {failed} refused, and was given {swaps.Done + 1} and {swaps.Refused}");
        if (inMemory != 1)
            faults.Add($"{inMemory} models are in memory in place of 1");
        var (batches, batched) = (await service.MetricAsync("search_service_batch_size_count"), await service.MetricAsync("search_service_batch_size_sum"));

        var all = clients.Milliseconds.Values.SelectMany(times => times).ToArray();
        Console.WriteLine();
        Console.WriteLine("| asked | requests | a second | p50 ms | p95 ms | p99 ms | most ms |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        Row("all", all, elapsed);
        foreach (var (kind, times) in clients.Milliseconds.OrderByDescending(kind => kind.Value.Count))
            Row(kind, [.. times], elapsed);
        Console.WriteLine();
        Console.WriteLine(FormattableString.Invariant($"{clients.Wrong} wrong answers, {clients.Errors} errors, {clients.Canceled} given up by their clients; largest difference from Transform {models.Max(model => model.LargestDifference):0.0e+0}"));
        Console.WriteLine(FormattableString.Invariant($"{swaps.Done} models exchanged, {swaps.Refused} half files refused, {inMemory} model in memory at the end"));
        Console.WriteLine(FormattableString.Invariant($"memory of the service in MB: {memory.Start:0} at the start, {memory.End:0} at the end, {memory.Peak:0} at most; {memory.SlopePerMinute:+0.00;-0.00} a minute over {memory.Samples} s{(memory.IsLongEnough ? "" : ": too short to judge whether it grows, which takes three minutes")}"));
        Console.WriteLine(FormattableString.Invariant($"{batched / batches:0.00} texts a batch, {cores:0.00} cores taken by the service, {cores * elapsed.TotalMilliseconds / all.Length:0.00} ms of a core a request; {options.Clients} clients, {(options.Rate > 0 ? $"{options.Rate} requests a second" : "without pauses")}, on {Environment.ProcessorCount} cores with it"));
        foreach (var fault in clients.Faults)
            Console.WriteLine($"  {fault}");
        Console.WriteLine(faults.Count == 0 ? "all is well" : $"NOT WELL: {string.Join("; ", faults)}");
        return faults.Count == 0;
    }

    private static void Row(string name, double[] times, TimeSpan elapsed)
    {
        Array.Sort(times);
        double At(double share) => times.Length == 0 ? double.NaN : times[Math.Min(times.Length - 1, (int)(share * times.Length))];
        Console.WriteLine(FormattableString.Invariant($"| {name} | {times.Length:N0} | {times.Length / elapsed.TotalSeconds:0.0} | {At(.5):0.00} | {At(.95):0.00} | {At(.99):0.00} | {At(1):0.00} |"));
    }
}
