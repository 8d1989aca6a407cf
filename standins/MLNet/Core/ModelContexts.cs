using System.IO.Compression;
using System.Reflection;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>
/// Marks a transformer that can be loaded by name. The class has a static method
/// <c>ITransformer Load(IHostEnvironment env, ModelLoadContext ctx)</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LoadableTransformerAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>
/// Where a model is being written: one folder of an archive for each component, its values through <see cref="Writer"/>.
/// A component first calls <see cref="SetSignature"/>, then writes.
/// </summary>
public sealed class ModelSaveContext : IDisposable
{
    private readonly ZipArchive _archive;
    private readonly string _directory;
    private readonly MemoryStream _content = new();
    private string _signature;

    internal ModelSaveContext(ZipArchive archive, string directory)
    {
        _archive = archive;
        _directory = directory;
        Writer = new BinaryWriter(_content, Encoding.UTF8, leaveOpen: true);
    }

    internal BinaryWriter Writer { get; }

    public void Dispose() => Writer.Dispose();

    internal static void SaveModel(ZipArchive archive, ICanSaveModel component, string directory)
    {
        using var context = new ModelSaveContext(archive, directory);
        component.Save(context);
        context.Finish();
    }

    internal void SetSignature(string signature) => _signature = signature;

    /// <summary>Writes a component into a folder below this one.</summary>
    internal void SaveModel(ICanSaveModel component, string name) => SaveModel(_archive, component, $"{_directory}/{name}");

    internal void WriteNullable(string value)
    {
        Writer.Write(value != null);
        if (value != null)
        {
            Writer.Write(value);
        }
    }

    internal void WriteArray<T>(IReadOnlyCollection<T> values, Action<T> write)
    {
        Writer.Write(values.Count);
        foreach (var value in values)
        {
            write(value);
        }
    }

    private void Finish()
    {
        Contracts.Check(null, _signature != null, "ModelSignature not specified!");
        Writer.Flush();
        using var stream = _archive.CreateEntry($"{_directory}/Model.key", CompressionLevel.Fastest).Open();
        using (var head = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            head.Write(_signature);
        }

        _content.Position = 0;
        _content.CopyTo(stream);
    }
}

/// <summary>Where a model is being read from: the reverse of <see cref="ModelSaveContext"/>.</summary>
internal sealed class ModelLoadContext : IDisposable
{
    private static readonly Lazy<Dictionary<string, MethodInfo>> _loaders = new(FindLoaders);
    private readonly ZipArchive _archive;
    private readonly string _directory;

    private ModelLoadContext(ZipArchive archive, string directory, Stream stream)
    {
        _archive = archive;
        _directory = directory;
        Reader = new BinaryReader(stream, Encoding.UTF8);
    }

    public BinaryReader Reader { get; }

    public static ITransformer LoadModel(IHostEnvironment env, ZipArchive archive, string directory)
    {
        var entry = archive.GetEntry($"{directory}/Model.key") ?? throw env.ExceptDecode("Corrupt model file");
        using var context = new ModelLoadContext(archive, directory, new BufferedStream(entry.Open(), 1 << 16));
        var signature = context.Reader.ReadString();
        if (!_loaders.Value.TryGetValue(signature, out var loader))
        {
            throw env.ExceptDecode($"Unknown loader signature '{signature}'");
        }

        // Errors are to look as if the loader had been called directly.
        return (ITransformer)loader.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [env, context], null);
    }

    public ITransformer LoadModel(IHostEnvironment env, string name) => LoadModel(env, _archive, $"{_directory}/{name}");

    public string ReadNullable() => Reader.ReadBoolean() ? Reader.ReadString() : null;

    public T[] ReadArray<T>(Func<T> read)
    {
        var values = new T[Reader.ReadInt32()];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = read();
        }

        return values;
    }

    public void Dispose() => Reader.Dispose();

    private static Dictionary<string, MethodInfo> FindLoaders()
    {
        var result = new Dictionary<string, MethodInfo>(StringComparer.Ordinal);
        foreach (var type in typeof(ModelLoadContext).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<LoadableTransformerAttribute>() is { } attribute)
            {
                var method = type.GetMethod(
                    "Load",
                    BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public,
                    [typeof(IHostEnvironment), typeof(ModelLoadContext)])
                    ?? throw new InvalidOperationException($"{type} lacks Load(IHostEnvironment, ModelLoadContext)");
                result.Add(attribute.Name, method);
            }
        }

        return result;
    }
}
