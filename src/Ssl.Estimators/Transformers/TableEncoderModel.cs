using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted encoder of table rows: what was learnt of the columns, and the network.</summary>
internal sealed class TableEncoderModel : NetworkEncoderModel<TabularEncoder>
{
    internal const string ModalityName = "table";

    private const string EncoderKey = "encoder", ColumnsKey = "columns";

    private readonly TabularEncoderFactory _factory;
    private readonly TableColumns _columns;

    private TableEncoderModel(Parts parts, TabularEncoderFactory factory, TableColumns columns) : base(parts)
        => (_factory, _columns) = (factory, columns);

    public override string Modality => ModalityName;

    public override int Dimension => _factory.EmbeddingDimension;

    public override IReadOnlyList<InputKind> InputKinds => [.. _columns.Columns.Select(column => column.Kind switch
    {
        TableColumnKind.Text => InputKind.Text,
        TableColumnKind.Key => InputKind.Key,
        _ => InputKind.Number,
    })];

    /// <summary>A model with its own copy of the encoder's weights.</summary>
    public static TableEncoderModel CopyOf(TabularEncoder encoder, TabularEncoderFactory factory, TableColumns columns, Device device,
        string outputColumn, JsonObject trainingFacts)
        => new(Parts.Copy(encoder, streams => factory.Create(columns.Layout, streams), device, [.. columns.Columns.Select(c => c.Name)],
            outputColumn, trainingFacts), factory, columns);

    public override void CheckColumn(string name, ColumnShape shape)
    {
        var fitted = _columns.Columns[InputColumns.ToList().IndexOf(name)];
        if (TableColumnKinds.Of(shape) != fitted.Kind || (fitted.Size is null) != (shape.Kind == Microsoft.ML.SchemaShape.Column.VectorKind.Scalar))
            throw Check.SchemaMismatch("input", name, TableColumnKinds.Name(fitted.Kind, fitted.Size is not null), shape.ToString(),
                "The encoder was fitted on a column of that type.");
    }

    public override RowFormat CreateFormat() => new TableRowFormat(InputColumns, _columns);

    private protected override TabularEncoder CreateNetwork(RandomStreams streams) => _factory.Create(_columns.Layout, streams);

    private protected override TableEncoderModel With(Parts parts) => new(parts, _factory, _columns);

    private protected override JsonObject DescribePreprocessing() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [ColumnsKey] = _columns.ToJson(),
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
            return new TableEncoderModel(Parts.Read(content, streams => factory.Create(columns.Layout, streams), fill), factory, columns);
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
