using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;

// How Model.Load finds this assembly in a process that has used nothing of it: the model file names the assembly, ML.NET loads it, reads
// this attribute and calls ModelFiles.Create.
[assembly: LoadableClass(typeof(ITransformer), typeof(ModelFiles), null, typeof(SignatureLoadModel), "Model of Ssl.Estimators",
    ModelFiles.Signature)]

namespace Ssl.Estimators.Interop;

/// <summary>
/// Lets <c>mlContext.Model.Save</c> write our transformers into a model file, and <c>Load</c> give them back: as an entry of the zip that
/// is an archive as <c>SaveEncoder</c> writes it.
/// </summary>
/// <remarks>
/// The one file that uses members which ML.NET keeps to itself. The project file lists them under <c>OpenMember</c>; where one is gone, this
/// file does not compile against the new ML.NET, and an application that brings it is told by <see cref="Reach"/>. What to do then stands
/// in docs/decisions/0009.
/// </remarks>
internal static class ModelFiles
{
    /// <summary>By this name model files call for <see cref="Create"/>; it stays for good.</summary>
    public const string Signature = "SslModel";

    /// <summary>The entry of the zip that holds the archive, in the transformer's folder.</summary>
    public const string EntryName = "Model.ssl";

    // ML.NET's version of a component. It never changes: the archive has a version of its own, whose messages are better.
    private const uint ComponentVersion = 0x00010001;

    /// <summary>Makes a transformer of an archive, which it reads to its end. Set when this assembly is first used.</summary>
    public static Func<MLContext, Stream, ITransformer> Reader { private get; set; } = (_, _) => throw new InvalidOperationException(
        $"{nameof(ModelFiles)}.{nameof(Reader)} is not set.");

    /// <summary>The body of a transformer's <see cref="ICanSaveModel.Save"/>.</summary>
    /// <param name="context">What ML.NET hands to it.</param>
    /// <param name="write">Writes the archive.</param>
    public static void Save(ModelSaveContext context, Action<Stream> write)
    {
        using var entry = Reach(() => CreateEntry(context));
        write(entry);
    }

    /// <summary>Runs what uses ML.NET's closed members.</summary>
    /// <exception cref="NotSupportedException">One of them is not there; the message names it.</exception>
    internal static Stream Reach(Func<Stream> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is MemberAccessException or TypeLoadException)
        {
            throw new NotSupportedException($"Microsoft.ML {MLNetVersion} lacks a member with which model files are written and read: "
                + $"{e.Message} Use the version of Microsoft.ML that Ssl.Estimators {ModelArchive.ProductVersion} asks for, or update "
                + "this package; SaveEncoder and LoadEncoder work as they are.", e);
        }
    }

    private static string MLNetVersion => typeof(MLContext).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0] ?? "of unknown version";

    // Not inlined: a member that is gone is noticed when a method that uses it is compiled, which must be within Reach.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Stream CreateEntry(ModelSaveContext context)
    {
        context.SetVersionInfo(new VersionInfo("SSLMODEL", ComponentVersion, ComponentVersion, ComponentVersion,
            loaderAssemblyName: typeof(ModelFiles).Assembly.GetName().Name, loaderSignature: Signature));

        // ML.NET's own entries go through a temporary file and are deflated, which makes weights hardly smaller and takes many times as
        // long. No other entry of the zip is open while a transformer saves itself.
        return context.Repository._archive.CreateEntry(PathOf(context.Directory), CompressionLevel.NoCompression).Open();
    }

    // Called by ML.NET, which finds it by its name and parameters.
    internal static ITransformer Create(IHostEnvironment environment, ModelLoadContext context)
    {
        var mlContext = ContextOf(environment);
        try
        {
            using var entry = Reach(() => OpenEntry(context));
            return Reader(mlContext, entry);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            throw new FormatException($"The model file cannot be read at its entry '{PathOf(context.Directory)}'. {e.Message}",
                e.InnerException);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Stream OpenEntry(ModelLoadContext context)
    {
        var entry = context.Repository._archive.GetEntry(PathOf(context.Directory));
        return entry?.Open() ?? throw new FormatException("The entry is missing: the file is damaged. Copy or write it again.");
    }

    // Model.Load hands the context itself over; a loader of data that is loaded along hands a part of it.
    private static MLContext ContextOf(IHostEnvironment environment)
    {
        if (environment is MLContext mlContext)
            return mlContext;
        var settings = (IHostEnvironmentInternal)environment;
        return new MLContext { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = settings.FallbackToCpu };
    }

    // Zip files have '/' on every system; ML.NET's folders have the system's own separator.
    private static string PathOf(string? directory) => $"{directory?.Replace('\\', '/').TrimEnd('/')}/{EntryName}".TrimStart('/');
}
