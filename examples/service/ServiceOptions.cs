using System.ComponentModel.DataAnnotations;

namespace SearchService;

/// <summary>
/// Settings of the service: the section "Service" of appsettings.json, or environment variables such as <c>Service__ModelPath</c>. Checked when
/// the service starts, all of them at once.
/// </summary>
public sealed class ServiceOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Service";

    /// <summary>The model file, from the current folder where it is relative. Another one renamed to it is loaded without a restart.</summary>
    [Required]
    public string ModelPath { get; set; } = "model/model.zip";

    /// <summary>Seconds between two looks at the model file.</summary>
    [Range(0.05, 3600)]
    public double ModelPollSeconds { get; set; } = 1;

    /// <summary>Threads that compute; null takes one a core.</summary>
    [Range(1, 256)]
    public int? Workers { get; set; }

    /// <summary>Cores that one computation is split over. More than 1 pays for large encoders on idle machines only.</summary>
    [Range(1, 256)]
    public int ThreadsPerWorker { get; set; } = 1;

    /// <summary>Requests that may wait for a worker; one more is answered with 503.</summary>
    [Range(1, 100_000)]
    public int QueueLimit { get; set; } = 256;

    /// <summary>Texts of different requests that are embedded together; 1 computes each request by itself.</summary>
    [Range(1, 1024)]
    public int BatchLimit { get; set; } = 32;

    /// <summary>Bytes of a request's body; a larger one is answered with 413.</summary>
    [Range(1_024, 64 << 20)]
    public long MaxBodyBytes { get; set; } = 256 << 10;

    /// <summary>Texts in one request.</summary>
    [Range(1, 1024)]
    public int MaxTexts { get; set; } = 64;

    /// <summary>Characters of one text.</summary>
    [Range(1, 1_000_000)]
    public int MaxTextLength { get; set; } = 2_000;

    /// <summary>Requests a second that one client may make for long; more are answered with 429.</summary>
    [Range(1, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 50;

    /// <summary>Requests that one client may make at once after a pause.</summary>
    [Range(1, 1_000_000)]
    public int RequestBurst { get; set; } = 100;
}
