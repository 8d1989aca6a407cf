using System.Text.Json;
using Microsoft.Testing.Platform.Builder;
using Microsoft.Testing.Platform.Extensions;
using Microsoft.Testing.Platform.Extensions.Messages;

namespace Ssl.GpuCheck;

/// <summary>
/// Writes what becomes of each test to the file that SSL_TEST_RECORD names, a line of JSON each, when it starts and when it ends: a process that
/// dies leaves what it did until then, and the test that it died in. eng/gpu-check compiles it into the test programs; check.py reads the lines.
/// </summary>
internal sealed class TestRecorder(string path) : IDataConsumer
{
    // Each line reaches the file at once.
    private readonly StreamWriter _file = new(path) { AutoFlush = true };

    public string Uid => nameof(TestRecorder);

    public string Version => "1";

    public string DisplayName => "Test recorder";

    public string Description => "A line of JSON for each test that starts or ends.";

    public Type[] DataTypesConsumed => [typeof(TestNodeUpdateMessage)];

    public Task<bool> IsEnabledAsync() => Task.FromResult(true);

    public Task ConsumeAsync(IDataProducer dataProducer, IData value, CancellationToken cancellationToken)
    {
        var node = ((TestNodeUpdateMessage)value).TestNode;
        var state = node.Properties.Single<TestNodeStateProperty>();
        var (outcome, exception) = state switch
        {
            DiscoveredTestNodeStateProperty => ("found", null),
            InProgressTestNodeStateProperty => ("started", null),
            PassedTestNodeStateProperty => ("passed", null),
            SkippedTestNodeStateProperty => ("skipped", null),
            FailedTestNodeStateProperty failed => ("failed", failed.Exception),
            ErrorTestNodeStateProperty error => ("failed", error.Exception),
            TimeoutTestNodeStateProperty timeout => ("failed", timeout.Exception),
            _ => ("failed", (Exception?)null),
        };
        var method = node.Properties.SingleOrDefault<TestMethodIdentifierProperty>();
        _file.WriteLine(JsonSerializer.Serialize(new
        {
            outcome,
            id = node.Uid.Value,
            name = node.DisplayName,
            type = method is null ? null : $"{method.Namespace}.{method.TypeName}",
            method = method?.MethodName,
            seconds = node.Properties.SingleOrDefault<TimingProperty>()?.GlobalTiming.Duration.TotalSeconds,
            message = outcome is "failed" or "skipped" ? state.Explanation ?? exception?.Message : null,
            stack = exception?.StackTrace,
        }));
        return Task.CompletedTask;
    }
}

/// <summary>Puts <see cref="TestRecorder"/> into the test program (Directory.Build.targets names it).</summary>
public static class TestRecorderHook
{
    /// <summary>Called by the generated entry point.</summary>
    public static void AddExtensions(ITestApplicationBuilder builder, string[] arguments)
    {
        if (Environment.GetEnvironmentVariable("SSL_TEST_RECORD") is { Length: > 0 } path)
            builder.TestHost.AddDataConsumer(_ => new TestRecorder(path));
    }
}
