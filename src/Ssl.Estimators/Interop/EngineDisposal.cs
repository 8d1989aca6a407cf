using System.Diagnostics;
using Microsoft.ML;

namespace Ssl.Estimators.Interop;

/// <summary>
/// Tells a <c>PredictionEngine</c>'s disposal of its model from the application's. An engine disposes of the transformer that it was made
/// from, unless told otherwise, although it was only lent: other engines, views and chains go on using it.
/// </summary>
/// <remarks>
/// ML.NET hands a transformer nothing by which it could know an engine, so the calling methods are looked at. They are there also when
/// everything is optimized: the engine's method is too large to be inlined, and its call is not the last thing that it does.
/// </remarks>
internal static class EngineDisposal
{
    // A chain may hold chains; nothing else lies between an engine and a transformer.
    private const int FramesLookedAt = 64;

    /// <summary>Whether the calling <c>Dispose</c> was called by an engine that is being disposed of.</summary>
    public static bool IsUnderWay()
    {
        var trace = new StackTrace(skipFrames: 1, fNeedFileInfo: false);
        for (var i = 0; i < Math.Min(trace.FrameCount, FramesLookedAt); i++)
        {
            var method = trace.GetFrame(i)?.GetMethod();
            if (method?.Name == nameof(IDisposable.Dispose) && method.DeclaringType is { IsGenericType: true } type
                && type.GetGenericTypeDefinition() == typeof(PredictionEngineBase<,>))
                return true;
        }
        return false;
    }
}
