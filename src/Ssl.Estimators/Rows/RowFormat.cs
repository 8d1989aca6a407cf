using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>
/// A kind of column, with what was learned of the data: which columns are read, what a row is stored as, and the encoder that takes such
/// rows. The one way of a row: pretraining, <c>Transform</c>, <c>PredictionEngine</c>, fine-tuning and scoring all read through it.
/// </summary>
/// <remarks>
/// Immutable, so that any number of threads may score with it. A kind of your own derives from it, announces itself with
/// <see cref="Register"/> before a model of it is loaded, and is pretrained by a trainer that derives from
/// <see cref="PretrainingTrainer"/>.
/// </remarks>
public abstract class RowFormat
{
    /// <summary>Name of the property that a factory of encoders may stand under in <see cref="ToJson"/>.</summary>
    protected const string EncoderKey = "encoder";

    private static readonly ConcurrentDictionary<string, Func<JsonObject, IReadOnlyList<string>, RowFormat>> s_readers = new()
    {
        [ImageRowFormat.KindName] = ImageRowFormat.Read,
        [ImageTextRowFormat.KindName] = ImageTextRowFormat.Read,
        [TextRowFormat.KindName] = TextRowFormat.Read,
        [TableRowFormat.KindName] = TableRowFormat.Read,
        [SeriesRowFormat.KindName] = SeriesRowFormat.Read,
    };

    /// <summary>A format of these columns.</summary>
    /// <param name="columns">Their names, at least one.</param>
    protected RowFormat(IReadOnlyList<string> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        Columns = [.. columns];
    }

    /// <summary>Names of the columns that are read, in the order in which <see cref="RawRow"/> brings their cells.</summary>
    public IReadOnlyList<string> Columns { get; private set; }

    /// <summary>The kind's name in model files: "text".</summary>
    public abstract string Kind { get; }

    /// <summary>What a row must have to be learned from, as in "rows without text": "text", "value", "image".</summary>
    public abstract string Needed { get; }

    /// <summary>Length of an embedding.</summary>
    public abstract int EmbeddingDimension { get; }

    /// <summary>Throws unless a column has a type that can be read.</summary>
    /// <param name="name">One of <see cref="Columns"/>.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <exception cref="ArgumentOutOfRangeException">What <see cref="ColumnShape.Mismatch"/> gives.</exception>
    public abstract void CheckColumn(string name, ColumnShape shape);

    /// <summary>An empty store of such rows.</summary>
    public abstract RowStore NewStore();

    /// <summary>A network with fresh weights that takes the store's batches, on the CPU.</summary>
    /// <param name="streams">Weights are drawn from its Weights now, dropout from its Dropout in training.</param>
    public abstract Encoder CreateEncoder(RandomStreams streams);

    /// <summary>Everything but the columns' names and the weights: what was learned of the data, and the architecture.</summary>
    public abstract JsonObject ToJson();

    /// <summary>Announces a kind, so that models of it can be read. The last one for a name counts.</summary>
    /// <param name="kind">Its <see cref="Kind"/>.</param>
    /// <param name="read">Makes the format from what <see cref="ToJson"/> wrote and the names of the columns.</param>
    public static void Register(string kind, Func<JsonObject, IReadOnlyList<string>, RowFormat> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(read);
        s_readers[kind] = read;
    }

    /// <summary>The kinds that are known here.</summary>
    internal static IEnumerable<string> KnownKinds => s_readers.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null where nobody announced the kind.</summary>
    internal static RowFormat? FromJson(string kind, JsonObject json, IReadOnlyList<string> columns)
        => s_readers.TryGetValue(kind, out var read) ? read(json, columns) : null;

    /// <summary>Type of the first column, where one must be told without data.</summary>
    internal virtual DataViewType ColumnType => new VectorDataViewType(NumberDataViewType.Single);

    /// <summary>The columns to ask a view for: <see cref="Columns"/>, and what is read along with them.</summary>
    internal virtual IEnumerable<DataViewSchema.Column> ActiveColumns(DataViewSchema schema)
        => Columns.Select(name => schema[name]).DistinctBy(column => column.Index);

    /// <summary>Gets the columns' getters of a row or cursor in which the <see cref="ActiveColumns"/> are active.</summary>
    internal virtual Func<RowBuffer, RawRow> Open(DataViewRow input) => RowReader.Open(input, Columns);

    /// <summary>Whether the encoder's layers know <see cref="MixedPrecision"/>.</summary>
    internal virtual bool RoundsToBFloat16 => false;

    /// <summary>Throws unless the encoder can compute in bfloat16, which an encoder of somebody else's module would silently not do.</summary>
    internal void RequireBFloat16()
    {
        if (!RoundsToBFloat16)
            throw new InvalidOperationException($"MixedPrecision {EncoderFactory.ExactOnly}.");
    }

    /// <summary>Whether rows may be longer than the encoder takes, so that a part of them is cut off.</summary>
    internal virtual bool Truncates => false;

    /// <summary>What rows lost, as a warning; null where they lost nothing.</summary>
    internal virtual string? DescribeLoss(TruncationCounts counts) => null;

    /// <summary>Slots of the output column before the embedding: the row's own cells as features. 0 where there are none.</summary>
    internal virtual int InputSlots => 0;

    /// <summary>Names of those slots.</summary>
    internal virtual IEnumerable<string> InputSlotNames => [];

    /// <summary>What the output column holds of rows: the embedding, after the row's own cells where it has them.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="network">Of the format's, in evaluation mode.</param>
    /// <param name="device">Where it computes.</param>
    /// <returns>Single [N, <see cref="InputSlots"/> + D] on the CPU, in the current dispose scope.</returns>
    internal virtual Tensor Output(RowStore rows, Encoder network, Device device) => rows.Encode(network, device).cpu();

    /// <summary>What a row says without its encoder, as an encoder of its own that takes the same rows, learned without labels; null where a kind has none.</summary>
    /// <param name="rows">The rows to learn it from, of this format.</param>
    /// <param name="seed">Of what is random in that.</param>
    internal virtual PlainEncoder? LearnPlain(RowStore rows, long seed) => null;

    /// <summary>The format once the rows to train on were read: with what could only be learned of them then.</summary>
    internal virtual RowFormat Learned() => this;

    /// <summary>What a model keeps, on the CPU: the encoder, or a network around it.</summary>
    internal virtual Encoder CreateNetwork(RandomStreams streams) => CreateEncoder(streams);

    /// <summary>The same format under other names.</summary>
    internal RowFormat WithColumns(IReadOnlyList<string> columns)
    {
        var copy = (RowFormat)MemberwiseClone();
        copy.Columns = [.. columns];
        return copy;
    }

    /// <summary>Throws unless all columns are there and have types that can be read.</summary>
    internal void CheckColumns(DataViewSchema schema)
    {
        foreach (var name in Columns)
            CheckColumn(name, ColumnShape.Find(schema, name));
    }

    /// <inheritdoc cref="CheckColumns(DataViewSchema)"/>
    internal void CheckColumns(SchemaShape schema)
    {
        foreach (var name in Columns)
            CheckColumn(name, ColumnShape.Find(schema, name));
    }

    /// <summary>The encoder's description under <see cref="EncoderKey"/>.</summary>
    private protected static TFactory ReadEncoder<TFactory>(JsonObject json, string what) where TFactory : EncoderFactory
        => EncoderFactory.FromJson(json[EncoderKey]!.AsObject()) as TFactory
            ?? throw new FormatException($"The archive says it holds an encoder of {what}, but describes an encoder of another kind.");
}

/// <summary>An encoder that says plainly what stands in a row.</summary>
/// <param name="What">That, for the log: "words".</param>
/// <param name="Model">The encoder, on the CPU; whoever asked for it disposes of it.</param>
/// <param name="SuitsTrees">Whether its numbers are quantities of the row, on whose thresholds trees can be grown.</param>
internal sealed record PlainEncoder(string What, EncoderModel Model, bool SuitsTrees);
