using System.IO.Compression;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Saves, loads and applies models.</summary>
public sealed partial class ModelOperationsCatalog
{
    private const string TransformerEntry = "TransformerChain";
    private const string SchemaEntry = "Schema";

    internal ModelOperationsCatalog(IHostEnvironment env) => Environment = env;

    internal IHostEnvironment Environment { get; }

    public void Save(ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        Environment.CheckValue(model, nameof(model));
        Environment.CheckValue(stream, nameof(stream));
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        if (inputSchema != null)
        {
            using var writer = new BinaryWriter(archive.CreateEntry(SchemaEntry).Open());
            SchemaSerializer.Write(writer, inputSchema);
        }

        ModelSaveContext.SaveModel(archive, model, TransformerEntry);
    }

    public void Save(ITransformer model, DataViewSchema inputSchema, string filePath)
    {
        using var stream = File.Create(filePath);
        Save(model, inputSchema, stream);
    }

    public ITransformer Load(Stream stream, out DataViewSchema inputSchema)
    {
        Environment.CheckValue(stream, nameof(stream));
        using var archive = Open(stream);
        inputSchema = null;
        if (archive.GetEntry(SchemaEntry) is { } entry)
        {
            using var reader = new BinaryReader(entry.Open());
            inputSchema = SchemaSerializer.Read(reader);
        }

        return ModelLoadContext.LoadModel(Environment, archive, TransformerEntry);
    }

    public ITransformer Load(string filePath, out DataViewSchema inputSchema)
    {
        Environment.CheckNonEmpty(filePath, nameof(filePath));
        using var stream = File.OpenRead(filePath);
        return Load(stream, out inputSchema);
    }

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(
        ITransformer transformer,
        bool ignoreMissingColumns = true,
        SchemaDefinition inputSchemaDefinition = null,
        SchemaDefinition outputSchemaDefinition = null)
        where TSrc : class
        where TDst : class, new() => new(Environment, transformer, new PredictionEngineOptions
        {
            IgnoreMissingColumns = ignoreMissingColumns,
            InputSchemaDefinition = inputSchemaDefinition,
            OutputSchemaDefinition = outputSchemaDefinition,
        });

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, DataViewSchema inputSchema)
        where TSrc : class
        where TDst : class, new() => new(Environment, transformer, new PredictionEngineOptions
        {
            InputSchemaDefinition = TypedSchema.DefinitionOf<TSrc>(Environment, inputSchema),
            IgnoreMissingColumns = false,
        });

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, PredictionEngineOptions options)
        where TSrc : class
        where TDst : class, new()
    {
        Environment.CheckValue(options, nameof(options));
        return new PredictionEngine<TSrc, TDst>(Environment, transformer, options);
    }

    private ZipArchive Open(Stream stream)
    {
        try
        {
            return new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        }
        catch (InvalidDataException e)
        {
            throw Environment.ExceptDecode("Failed to open a zip archive", e);
        }
    }
}
