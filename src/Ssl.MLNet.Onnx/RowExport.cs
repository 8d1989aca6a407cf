using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Inputs;

namespace Ssl.MLNet.Onnx;

/// <summary>A model whose rows are cells of columns, each row on its own.</summary>
internal abstract class RowExport : ModelExport
{
    private const int MadeUpRows = 64, RowsAtOnce = 32;

    private ModelInput? _input;

    /// <summary>How its rows are read; null where it reads a column of vectors alone.</summary>
    public abstract RowFormat? Format { get; }

    /// <summary>A column of vectors that it reads beside those of the format, and their length; null for none.</summary>
    public virtual (string Name, int Width)? Vectors => null;

    public override string Preparation => Input.Preparation;

    public override IReadOnlyList<(string Name, Action<Stream> Write)> Files => Input.Files;

    /// <summary>The columns of the format.</summary>
    protected ModelInput Input => _input ??= Format is { } format ? ModelInput.Of(format) : new VectorInput(Vectors!.Value.Name);

    public override void CheckColumns(DataViewSchema schema) => Format?.CheckColumns(schema);

    /// <summary>What the compared output must be for rows: one row after the other.</summary>
    /// <param name="rows">In the store of the format; null where there is none.</param>
    /// <param name="vectors">Of <see cref="Vectors"/>, one after the other; empty where there is none.</param>
    protected abstract float[] Expected(RowStore? rows, float[] vectors);

    public override IEnumerable<OnnxCheck> Checks(IDataView? data, int most)
    {
        var rows = data is null ? [] : Read(data, Format, Vectors?.Name).Take(most).ToArray();
        if (rows.Length == 0)
            rows = [.. MadeUp()];
        foreach (var part in rows.Chunk(RowsAtOnce))
        {
            RawRow[] cells = Array.ConvertAll(part, row => Input.Narrowed(row.Cells));
            var store = Format?.NewStore();
            foreach (var row in cells)
                store?.Add(row, keepsEmpty: true);
            float[] vectors = [.. part.SelectMany(row => row.Vector)];
            var values = store is null ? [] : Input.Values(cells, store);
            if (Vectors is { } column)
                values.Add(column.Name, OrtValue.CreateTensorValueFromMemory(vectors, [part.Length, column.Width]));
            yield return new OnnxCheck(values, Expected(store, vectors), part.Length);
        }
    }

    /// <summary>Rows of data, each with its own memory; no more are read than are taken.</summary>
    /// <param name="data">The data.</param>
    /// <param name="format">Of the rows; null for a column of vectors alone.</param>
    /// <param name="vectorColumn">Its name; null for none.</param>
    public static IEnumerable<ExportRow> Read(IDataView data, RowFormat? format, string? vectorColumn = null)
    {
        DataViewSchema.Column? vectors = vectorColumn is null ? null : data.Schema[vectorColumn];
        IEnumerable<DataViewSchema.Column> columns = format?.ActiveColumns(data.Schema) ?? [];
        using var cursor = data.GetRowCursor((vectors is { } also ? columns.Append(also) : columns).DistinctBy(column => column.Index));
        var read = format?.Open(cursor);
        var getter = vectors is { } wanted ? cursor.GetGetter<VBuffer<float>>(wanted) : null;
        var vector = default(VBuffer<float>);
        while (cursor.MoveNext())
        {
            var row = read?.Invoke(new RowBuffer()) ?? default;
            ReadOnlyMemory<char>[] texts = [.. row.Texts.ToArray().Select(text => (ReadOnlyMemory<char>)text.ToArray())];
            getter?.Invoke(ref vector);
            yield return new ExportRow(row with { Texts = texts }, [.. vector.DenseValues()]);
        }
    }

    private IEnumerable<ExportRow> MadeUp()
    {
        var random = new Random(0);
        return Enumerable.Range(0, MadeUpRows).Select(_ => new ExportRow(Input.MadeUp(random),
            [.. Enumerable.Range(0, Vectors?.Width ?? 0).Select(_ => random.NextSingle() * 4 - 2)]));
    }
}

/// <summary>A row to compare on.</summary>
/// <param name="Cells">Of the columns of a format.</param>
/// <param name="Vector">Of a column of vectors; empty where there is none.</param>
internal readonly record struct ExportRow(RawRow Cells, float[] Vector);
