using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using SearchService.Models;

namespace SearchService;

/// <summary>The web application, put together.</summary>
public static class SearchApp
{
    /// <summary>The application as its settings say; not started yet.</summary>
    /// <param name="args">Settings of the command line, as <c>--urls http://127.0.0.1:5000 --Service:ModelPath model.zip</c>.</param>
    /// <param name="configure">Changes services before they are built; for tests.</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        // Page and settings lie beside the program, from wherever it is started; the model's path is the user's, from where he is.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var services = builder.Services;
        services.AddOptions<ServiceOptions>().BindConfiguration(ServiceOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ModelStore>().AddSingleton<ServiceMetrics>().AddSingleton<Inference>().AddHostedService<ModelWatcher>();

        services.AddSingleton<Faults>().AddExceptionHandler<Faults.Handler>().AddProblemDetails();
        services.AddOptions<ProblemDetailsOptions>().Configure<Faults>((problems, faults) => problems.CustomizeProblemDetails = faults.Explain);
        services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ServiceJson.Default);
            // A member that no record has is a misspelled one.
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        services.AddOpenApi();

        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<ServiceOptions>>((limiter, options) => Limits.Add(limiter, options.Value));
        builder.WebHost.ConfigureKestrel(server => server.AddServerHeader = false);
        services.AddOptions<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>()
            .Configure<IOptions<ServiceOptions>>((server, options) => server.Limits.MaxRequestBodySize = options.Value.MaxBodyBytes);

        services.AddHealthChecks().AddCheck<ModelHealth>("model");
        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("search-service")).WithMetrics(metrics => metrics
            .AddMeter(ServiceMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting",
                "System.Runtime")
            .AddPrometheusExporter());
        if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            telemetry.WithMetrics(metrics => metrics.AddOtlpExporter());
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.Use(AddSecurityHeaders);
        app.UseDefaultFiles();
        app.UseStaticFiles();
        app.UseRouting();
        app.UseRateLimiter();
        app.MapModel();
        app.MapOpenApi();
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = ModelHealth.WriteAsync });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = ModelHealth.WriteAsync });
        return app;
    }

    // The page is its own files and asks nobody else.
    private static Task AddSecurityHeaders(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        return next(context);
    }
}
