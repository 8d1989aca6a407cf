using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Ssl.Estimators.Interop;

/// <summary>Draws seeds from the environment: the only way to the seed that the user gave <c>MLContext</c>.</summary>
internal static class HostSeed
{
    /// <summary>
    /// Registers a component and draws one seed from its stream. The same context, components and order give the same seeds.
    /// </summary>
    /// <param name="environment">The context.</param>
    /// <param name="name">The component's name in messages.</param>
    /// <param name="host">The component's host: channels, messages, random stream.</param>
    /// <returns>A seed from 0 to 2^62 - 1.</returns>
    public static long Register(IHostEnvironment environment, string name, out IHost host)
    {
        host = environment.Register(name);
        return Draw(host);
    }

    /// <summary>
    /// Whether the user gave the context a seed, so that another process with the same program draws the same numbers. True where this
    /// version of ML.NET does not tell.
    /// </summary>
    public static bool IsStated(MLContext mlContext)
    {
        // An explicit implementation of an internal interface; MLContext has no public member for it.
        var seed = mlContext.GetType().GetInterfaces().FirstOrDefault(type => type.Name == "IHostEnvironmentInternal")?.GetProperty("Seed");
        return seed is null || seed.GetValue(mlContext) is not null;
    }

    /// <summary>Draws a seed from 0 to 2^62 - 1 from a host's random stream.</summary>
    public static long Draw(IHost host) => ((long)host.Rand.Next() << 31) | (uint)host.Rand.Next();
}
