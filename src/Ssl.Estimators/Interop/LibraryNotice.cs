using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Native;

namespace Ssl.Estimators.Interop;

/// <summary>Says in the log of each context, once, that a mended copy of TorchSharp's library was loaded.</summary>
internal static class LibraryNotice
{
    private static readonly ConditionalWeakTable<MLContext, object> s_told = [];

    /// <summary>Writes <see cref="TorchSharpLibrary.Notice"/> where there is one and this context does not have it yet.</summary>
    public static void Tell(MLContext mlContext)
    {
        if (TorchSharpLibrary.Notice is not { } notice || !s_told.TryAdd(mlContext, notice))
            return;
        using var channel = ((IHostEnvironment)mlContext).Start(nameof(TorchSharpLibrary));
        channel.Info(MessageSensitivity.None, "{0}", notice);
    }
}
