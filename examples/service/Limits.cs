using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace SearchService;

/// <summary>How much one client may ask.</summary>
internal static class Limits
{
    /// <summary>The policy's name.</summary>
    public const string PerClient = "per-client";

    /// <summary>Adds the policy: tokens by address, filled up every second.</summary>
    public static void Add(RateLimiterOptions limiter, ServiceOptions options)
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.AddPolicy(PerClient, context => RateLimitPartition.GetTokenBucketLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new()
        {
            TokenLimit = options.RequestBurst,
            TokensPerPeriod = options.RequestsPerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        }));
        limiter.OnRejected = async (context, canceled) =>
        {
            var seconds = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 1;
            context.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await TypedResults.Problem($"Your address made more than {options.RequestsPerSecond} requests a second (and {options.RequestBurst} at once): "
                + $"wait as long as Retry-After says, {seconds} s.", statusCode: StatusCodes.Status429TooManyRequests).ExecuteAsync(context.HttpContext);
        };
    }
}
