using Microsoft.Extensions.Diagnostics.HealthChecks;
using SearchService.Models;

namespace SearchService;

/// <summary>
/// Ready where the model embeds a text. Degraded, and still ready, where it does but the file that lies there now is not the one that is served.
/// </summary>
internal sealed class ModelHealth(ModelStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var lease = store.Lease();
        if (lease is null)
            return HealthCheckResult.Unhealthy(store.Fault ?? "No model is loaded yet.");
        // An exception is reported as the check's failure.
        await Task.Run(lease.Model.Probe, cancellationToken);
        return store.Fault is { } fault ? HealthCheckResult.Degraded($"Serving {lease.Model.Version}, not the file that lies there: {fault}")
            : HealthCheckResult.Healthy($"Serving {lease.Model.Version}.");
    }

    /// <summary>Status and sentence as JSON.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
        => context.Response.WriteAsJsonAsync(new HealthResponse(report.Status.ToString(), [.. report.Entries.Values.Select(entry => entry.Description ?? entry.Exception?.Message ?? "")]),
            HealthJson.Default.HealthResponse);
}

/// <summary>What a health check says.</summary>
/// <param name="Status">Healthy, Degraded or Unhealthy.</param>
/// <param name="Details">One sentence a check.</param>
internal sealed record HealthResponse(string Status, IReadOnlyList<string> Details);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[System.Text.Json.Serialization.JsonSerializable(typeof(HealthResponse))]
internal sealed partial class HealthJson : System.Text.Json.Serialization.JsonSerializerContext;
