using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted encoder of table rows: what was learned of the columns, and the network.</summary>
internal sealed class TableEncoderModel : NetworkEncoderModel<TabularNetwork>
{
    internal const string ModalityName = "table";

    private const string EncoderKey = "encoder", ColumnsKey = "columns", ReconstructionKey = "reconstruction",
        HiddenShareKey = "hiddenShare", FeaturesKey = "features";

    private readonly TabularEncoderFactory _factory;
    private readonly TableColumns _columns;
    private readonly Reconstruction? _reconstruction;
    private readonly TableFeatures? _features;

    private TableEncoderModel(Parts parts, TabularEncoderFactory factory, TableColumns columns, Reconstruction? reconstruction,
        TableFeatures? features = null) : base(parts)
        => (_factory, _columns, _reconstruction, _features) = (factory, columns, reconstruction, features);

    /// <summary>How the error of told cells is taken.</summary>
    /// <param name="HiddenShare">Share of the cells that are hidden at a time; null tells all cells from the whole row.</param>
    public sealed record Reconstruction(double? HiddenShare);

    /// <summary>What was learned of the columns.</summary>
    public TableColumns Columns => _columns;

    public override string Modality => ModalityName;

    public override int Dimension => _factory.EmbeddingDimension;

    public override int InputSlots => _features?.InputCount ?? 0;

    public override IEnumerable<string> InputSlotNames => _features?.InputNames ?? [];

    public override IReadOnlyList<InputKind> InputKinds => [.. _columns.Columns.Select(column => column.Kind switch
    {
        TableColumnKind.Text => InputKind.Text,
        TableColumnKind.Key => InputKind.Key,
        _ => InputKind.Number,
    })];

    public override bool Reconstructs => _reconstruction is not null && _columns.Layout.CellCount > 1;

    /// <summary>A model with its own copy of the weights.</summary>
    /// <param name="encoder">Stays its owner's.</param>
    /// <param name="head">Tells cells; stays its owner's. Null where the method has none.</param>
    /// <param name="reconstruction">How its errors are taken; null exactly where the head is.</param>
    /// <param name="factory">The architecture.</param>
    /// <param name="columns">What was learned of the columns.</param>
    /// <param name="device">Where the copy computes.</param>
    /// <param name="outputColumn">Name of the embedding column.</param>
    /// <param name="trainingFacts">How it was trained.</param>
    /// <param name="features">Puts the cells before the embedding; null leaves them out.</param>
    public static TableEncoderModel CopyOf(TabularEncoder encoder, CellHead? head, Reconstruction? reconstruction,
        TabularEncoderFactory factory,
        TableColumns columns, Device device, string outputColumn, JsonObject trainingFacts, TableFeatures? features)
        => new(Parts.Copy(new TabularNetwork(encoder, head),
            streams => TabularNetwork.Create(factory, columns.Layout, head is not null, streams),
            device, [.. columns.Columns.Select(c => c.Name)], outputColumn, trainingFacts), factory, columns, reconstruction, features);

    public override void Embed(ReadOnlySpan<RawRow> rows, Span<float> embeddings)
    {
        if (_features is null || rows.Length == 0)
        {
            base.Embed(rows, embeddings);
            return;
        }
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var batch = ToBatch(rows);
        var inputs = _features.Inputs(batch);
        var output = _features.Scale(inputs, EncodeBatch(batch).cpu()).contiguous();                   // [rows, OutputWidth]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(embeddings);
    }

    public override float[] ReconstructionErrors(ReadOnlySpan<RawRow> rows)
    {
        if (!Reconstructs)
            return base.ReconstructionErrors(rows);
        if (rows.Length == 0)
            return [];
        using var use = Lifetime.Enter();
        var network = Network;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = ToBatch(rows);
        var errors = network.Errors(batch.To(Device), _reconstruction!.HiddenShare).cpu().contiguous();     // [rows]
        return MemoryMarshal.Cast<byte, float>(errors.bytes).ToArray();
    }

    public override void CheckColumn(string name, ColumnShape shape)
    {
        var fitted = _columns.Columns[InputColumns.ToList().IndexOf(name)];
        if (TableColumnKinds.Of(shape) != fitted.Kind
            || (fitted.Size is null) != (shape.Kind == Microsoft.ML.SchemaShape.Column.VectorKind.Scalar))
            throw Check.SchemaMismatch("input", name, TableColumnKinds.Name(fitted.Kind, fitted.Size is not null), shape.ToString(),
                "The encoder was fitted on a column of that type.");
        if (shape.Dimensions is { } dimensions && dimensions.Aggregate(1, (a, b) => a * b) is var size && size != fitted.Size)
            throw Check.SchemaMismatch("input", name, $"a vector of {fitted.Size} slots", $"one of {size}",
                "The encoder was fitted on vectors of that size.");
    }

    public override RowFormat CreateFormat() => new TableRowFormat(InputColumns, _columns);

    private protected override TabularNetwork CreateNetwork(RandomStreams streams)
        => TabularNetwork.Create(_factory, _columns.Layout, _reconstruction is not null, streams);

    private protected override TableEncoderModel With(Parts parts) => new(parts, _factory, _columns, _reconstruction, _features);

    private protected override JsonObject DescribePreprocessing() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [ColumnsKey] = _columns.ToJson(),
        [ReconstructionKey] = _reconstruction is null ? null : new JsonObject { [HiddenShareKey] = _reconstruction.HiddenShare },
        [FeaturesKey] = _features?.ToJson(),
    };

    /// <summary>A model of what <see cref="EncoderModel.Describe"/> gave, on the CPU.</summary>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static TableEncoderModel Create(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            var factory = EncoderFactory.FromJson(content[EncoderKey]!.AsObject()) as TabularEncoderFactory
                ?? throw new FormatException("The archive says it holds an encoder of tables, but describes an encoder of another kind.");
            var columns = TableColumns.FromJson(content[ColumnsKey]!.AsArray());
            var reconstruction = content[ReconstructionKey] is { } json ? new Reconstruction((double?)json[HiddenShareKey]) : null;
            return new TableEncoderModel(
                Parts.Read(content, streams => TabularNetwork.Create(factory, columns.Layout, reconstruction is not null, streams), fill),
                factory, columns, reconstruction,
                content[FeaturesKey] is { } features ? TableFeatures.FromJson(features.AsObject(), columns.Layout, factory.EmbeddingDimension) : null);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"The archive's description of the table encoder is incomplete: {e.Message}", e);
        }
    }

    /// <summary>Announces the modality, also in a process that only loads a saved model.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => EncoderModelReader.Register(ModalityName, Create);

    private protected override TableBatch ToBatch(ReadOnlySpan<RawRow> rows) => TableRowFormat.ToBatch(_columns, rows);
}
