using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace SearchService;

/// <summary>Every fault as problem details (RFC 9457) whose detail is a sentence: what is wrong, what is allowed, what to do.</summary>
public sealed partial class Faults(IOptions<ServiceOptions> options)
{
    /// <summary>A request that cannot be answered as it is.</summary>
    public static ProblemHttpResult Refuse(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest);

    /// <summary>Something that is not there.</summary>
    public static ProblemHttpResult NotFound(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status404NotFound);

    /// <summary>What is wrong with texts; null where nothing is.</summary>
    /// <param name="texts">What a request holds.</param>
    public ProblemHttpResult? Check(string[]? texts)
    {
        if (texts is not { Length: > 0 })
            return Refuse("'texts' is missing or empty: give at least one text, as in {\"texts\": [\"my parcel is late\"]}.");
        if (texts.Length > options.Value.MaxTexts)
            return Refuse($"There are {texts.Length} texts, and a request may have {options.Value.MaxTexts}: send them in several requests.");
        for (var i = 0; i < texts.Length; i++)
        {
            if (CheckText(texts[i], $"texts[{i}]") is { } fault)
                return fault;
        }
        return null;
    }

    /// <summary>What is wrong with a text; null where nothing is.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">Where it stands in the request.</param>
    public ProblemHttpResult? CheckText(string? text, string name)
        => string.IsNullOrWhiteSpace(text) ? Refuse($"'{name}' is missing or empty: give a text with at least one character that is no space.")
            : text.Length > options.Value.MaxTextLength
                ? Refuse($"'{name}' has {text.Length} characters, and a text may have {options.Value.MaxTextLength}: shorten it or cut it into several texts.")
            : null;

    /// <summary>What is wrong with the number of rows that a search asks for; null where nothing is.</summary>
    public static ProblemHttpResult? CheckCount(int count, int most)
        => count >= 1 && count <= most ? null : Refuse($"'count' must be from 1 to {most}, got {count}.");

    /// <summary>Sentences for faults that ASP.NET Core finds itself and gives a status alone.</summary>
    public void Explain(ProblemDetailsContext context)
    {
        var (problem, request) = (context.ProblemDetails, context.HttpContext.Request);
        problem.Detail ??= problem.Status switch
        {
            StatusCodes.Status404NotFound => $"There is no '{request.Path}' here. The paths are described in /openapi/v1.json.",
            StatusCodes.Status405MethodNotAllowed => $"'{request.Path}' does not take {request.Method}. What it takes is described in /openapi/v1.json.",
            StatusCodes.Status413PayloadTooLarge
                => $"The body has more than {options.Value.MaxBodyBytes} bytes, the most that a request may have: send the texts in several requests.",
            StatusCodes.Status415UnsupportedMediaType
                => $"The content type is '{request.ContentType ?? "missing"}', and must be 'application/json'.",
            _ => null,
        };
    }

    /// <summary>Statuses and sentences of exceptions.</summary>
    internal sealed partial class Handler(IProblemDetailsService problems, ILogger<Handler> logger) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            var (status, detail) = exception switch
            {
                NoModelException => (503, "No model is loaded: /health/ready says why. Try again later."),
                QueueFullException => (503, "Too many requests wait for an answer. Try again in a second."),
                BadHttpRequestException { StatusCode: not 400 } other => (other.StatusCode, null),
                BadHttpRequestException { InnerException: JsonException json } => (400, $"The body is no JSON of the form that this path takes. {Place(json)}"),
                BadHttpRequestException bad when Unreadable().Match(bad.Message) is { Success: true } value
                    => (400, $"'{value.Groups["name"].Value}' cannot be read from '{value.Groups["value"].Value}': give a whole number."),
                BadHttpRequestException => (400, "The body is missing or cut off: send JSON of the form that this path takes."),
                _ => (500, "The service failed to answer; its log has the reason."),
            };
            if (status == 500)
                LogFailed(exception, httpContext.Request.Path);
            if (status == 503)
                httpContext.Response.Headers.RetryAfter = "1";
            httpContext.Response.StatusCode = status;
            return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = { Status = status, Detail = detail } });
        }

        // The rest of the message names types of this program.
        private static string Place(JsonException json)
        {
            var reason = json.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal) ? "It has a member that is not known"
                : json.Message.Contains("could not be converted", StringComparison.Ordinal) ? "A value has another type than expected" : "It does not parse";
            return FormattableString.Invariant($"{reason}, at {json.Path ?? "$"} (line {(json.LineNumber ?? 0) + 1}, byte {(json.BytePositionInLine ?? 0) + 1}).");
        }

        // How ASP.NET Core says that a number of the query is none.
        [GeneratedRegex("^Failed to bind parameter \"\\S+ (?<name>\\w+)\" from \"(?<value>.*)\"\\.$")]
        private static partial Regex Unreadable();

        [LoggerMessage(LogLevel.Error, "No answer to {Path}.")]
        private partial void LogFailed(Exception fault, string path);
    }
}
