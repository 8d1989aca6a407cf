using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators;
using Ssl.Estimators.Serialization;
using Ssl.MLNet;
using Ssl.Tool.Configuration;
using Ssl.Tool.Data;

namespace Ssl.Tool;

/// <summary>
/// What <c>ssl pretrain</c> writes: a folder with the encoder, the settings that it came from, and while a training is under way its checkpoint.
/// </summary>
internal sealed class ModelFolder
{
    public const string EncoderName = "encoder.ssl", SettingsName = "model.json", CheckpointName = "checkpoint.ssl";

    private const string ConfigKey = "config", ColumnsKey = "columns";

    private ModelFolder(string path, DataSettings data) => (Path, Data) = (path, data);

    public string Path { get; }

    /// <summary>How the rows were read that it learned from; columns have the kinds that they had there.</summary>
    public DataSettings Data { get; }

    /// <summary>Opens a folder that <see cref="Write"/> filled.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static ModelFolder Open(string path)
    {
        var settings = System.IO.Path.Combine(path, SettingsName);
        if (!File.Exists(settings) || !File.Exists(System.IO.Path.Combine(path, EncoderName)))
            throw new UsageException($"'{path}' is no folder that \"ssl pretrain\" wrote: {EncoderName} and {SettingsName} must lie in it.");
        var root = ConfigNode.Parse(settings, File.ReadAllText(settings));
        var faults = new ConfigFaults(settings);
        var data = DataSettings.Read(root[ConfigKey]?["data"], faults, root);
        faults.ThrowIfAny();
        var kinds = new Dictionary<string, CellKind>();
        foreach (var (name, value) in root[ColumnsKey]?.Members ?? [])
        {
            if (Enum.TryParse<CellKind>(value.Text, ignoreCase: true, out var kind))
                kinds[name] = kind;
        }
        return new ModelFolder(path, data! with { File = data.File with { Kinds = kinds } });
    }

    public EncoderTransformer LoadEncoder(SelfSupervisedCatalog ssl) => ssl.LoadEncoder(System.IO.Path.Combine(Path, EncoderName));

    /// <summary>Writes encoder and settings, the settings last: they tell that the folder is whole.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="ssl">Writes the encoder.</param>
    /// <param name="encoder">Trained.</param>
    /// <param name="config">The settings.</param>
    /// <param name="columns">Of the file, as they were read.</param>
    public static void Write(string path, SelfSupervisedCatalog ssl, EncoderTransformer encoder, ConfigNode config, IReadOnlyList<FileColumn> columns)
    {
        Directory.CreateDirectory(path);
        ssl.SaveEncoder(encoder, System.IO.Path.Combine(path, EncoderName));
        var history = encoder.TrainingHistory?.Epochs.Select(epoch => (JsonNode)JsonSerializer.SerializeToNode(epoch, Json.Options)!) ?? [];
        var content = new JsonObject
        {
            [ConfigKey] = config.ToJson(),
            [ColumnsKey] = new JsonObject(columns.Select(column => KeyValuePair.Create(column.Name, (JsonNode?)column.Kind.ToString().ToLowerInvariant()))),
            ["epochs"] = new JsonArray([.. history]),
        };
        AtomicFile.Write(System.IO.Path.Combine(path, SettingsName), stream =>
        {
            using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
            content.WriteTo(writer, Json.Options);
        });
    }
}

/// <summary>How the tool writes JSON.</summary>
internal static class Json
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
