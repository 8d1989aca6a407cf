using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Native;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.FreshProcess;

/// <summary>
/// How TorchSharp's library gets into a process. Each step is a method of its own: to compile one loads what it mentions.
/// </summary>
internal static class LibraryTasks
{
    /// <summary>An application that computes before it uses the pack, and then does as it is told.</summary>
    public static void TorchFirst()
    {
        Try(Compute);
        Try(Prepare);
        Try(Compute);
    }

    /// <summary>An application that prepares the library and then computes.</summary>
    public static void TorchPrepared()
    {
        Try(Prepare);
        Try(Compute);
    }

    /// <summary>An application that asks for the catalog and then computes.</summary>
    public static void FrontDoor()
    {
        Try(AskForCatalog);
        Try(Compute);
    }

    /// <summary>Loads the library as every Fit does.</summary>
    public static void Library()
    {
        // After a refusal TorchSharp would try on its own, and what it tries can end the process.
        if (Try(TorchDevice.RequireNativeLibrary))
            Try(Compute);
        Console.WriteLine($"notice: {TorchSharpLibrary.Notice ?? "none"}");
    }

    /// <summary>Two fits of a context, one of another: what the log says of the library.</summary>
    public static void Log()
    {
        foreach (var (name, fits) in (ReadOnlySpan<(string, int)>)[("first", 2), ("second", 1)])
        {
            var mlContext = new MLContext(1);
            mlContext.Log += (_, e) =>
            {
                if (e.Message.Contains(TorchSharpLibrary.Switch, StringComparison.Ordinal))
                    Console.WriteLine($"{name}: {e.Kind}: {e.RawMessage}");
            };
            for (var i = 0; i < fits; i++)
                Train(mlContext);
        }
    }

    private static void Train(MLContext mlContext)
    {
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 32).Select(i => new Number { Value = i % 7 }));
        mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = [nameof(Number.Value)],
            Encoder = TabularEncoders.Mlp(numberOfLayers: 1, dimension: 8),
            BatchSize = 16,
            NumberOfEpochs = 1,
            MinimumNumberOfSteps = 0,
        }).Fit(rows).Dispose();
    }

    /// <summary>The pack and TorchSharp beside those of the application, in a load context of their own, as plug-ins are.</summary>
    public static void OtherLoadContext()
    {
        var context = new Plugins();
        var estimators = context.LoadFromAssemblyName(new AssemblyName("Ssl.Estimators"));
        var device = estimators.GetType(typeof(TorchDevice).FullName!, throwOnError: true)!;
        if (device == typeof(TorchDevice))
            throw new InvalidOperationException("The assembly was not loaded anew.");
        device.GetMethod(nameof(TorchDevice.RequireNativeLibrary), Type.EmptyTypes)!.Invoke(null, null);
        var notice = estimators.GetType(typeof(TorchSharpLibrary).FullName!)!.GetProperty(nameof(TorchSharpLibrary.Notice))!;
        Console.WriteLine($"notice: {notice.GetValue(null) ?? "none"}");
        Try(Compute);
    }

    private static bool Try(Action step)
    {
        try
        {
            step();
            return true;
        }
        catch (Exception failure)
        {
            Console.WriteLine($"{failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")}");
            return false;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Compute()
    {
        using var three = ones(3).sum();
        Console.WriteLine($"sum: {three.item<float>()}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Prepare() => TorchSharpLibrary.Prepare();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AskForCatalog() => new MLContext(1).SelfSupervised();

    private sealed class Plugins() : AssemblyLoadContext("plugins")
    {
        protected override Assembly? Load(AssemblyName name)
            => name.Name is "Ssl.Estimators" or "TorchSharp"
                ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, $"{name.Name}.dll")) : null;
    }

    private sealed class Number
    {
        public float Value { get; set; }
    }
}
