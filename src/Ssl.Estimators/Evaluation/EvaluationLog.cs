using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Ssl.Estimators.Evaluation;

/// <summary>How an evaluation warns.</summary>
internal static class EvaluationLog
{
    /// <summary>Puts a warning into the context's log. Nothing is registered there, and no random number drawn, before one comes.</summary>
    public static Action<string> Of(MLContext mlContext) => text =>
    {
        using var channel = ((IHostEnvironment)mlContext).Register("Evaluation").Start("Evaluate");
        channel.Warning(MessageSensitivity.None, "{0}", text);
    };
}
