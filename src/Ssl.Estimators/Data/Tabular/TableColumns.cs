using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Data;

/// <summary>One column of a table as it was at Fit, and what was learned of its cells.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What its cells are.</param>
/// <param name="Size">Slots of a vector column; null for a scalar.</param>
/// <param name="CellNames">Names of its cells: the column's, or the column's and the slot's.</param>
/// <param name="Scales">Of a column of numbers, one for each cell; else empty.</param>
/// <param name="Vocabularies">Of a column of categories, one for each cell; else empty.</param>
internal sealed record TableColumn(string Name, TableColumnKind Kind, int? Size, IReadOnlyList<string> CellNames,
    IReadOnlyList<NumberScale> Scales, IReadOnlyList<CategoryVocabulary> Vocabularies)
{
    /// <summary>Cells of a row.</summary>
    public int Cells => Size ?? 1;
}

/// <summary>The columns of a table and what was learned of them; turns rows into the numbers and codes that an encoder reads.</summary>
internal sealed class TableColumns
{
    private const string NameKey = "name", KindKey = "kind", SizeKey = "size", CellsKey = "cells", ScalesKey = "scales",
        VocabulariesKey = "vocabularies";

    private readonly int _values;
    private readonly int _texts;

    public TableColumns(IReadOnlyList<TableColumn> columns)
    {
        Columns = columns;
        _values = columns.Where(c => !TableColumnKinds.IsText(c.Kind)).Sum(c => c.Cells);
        _texts = columns.Sum(c => c.Cells) - _values;
        var numeric = columns.Where(c => c.Kind == TableColumnKind.Number).ToArray();
        var categorical = columns.Where(c => c.Kind != TableColumnKind.Number).ToArray();
        Layout = new TableLayout([.. numeric.SelectMany(c => c.CellNames)], [.. categorical.SelectMany(c => c.CellNames)],
            [.. categorical.SelectMany(c => c.Vocabularies.Select(v => v.Count))],
                [.. numeric.SelectMany(c => c.Scales.Select(s => s.Edges))]);
    }

    /// <summary>In the order of the options.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells as an encoder sees them.</summary>
    public TableLayout Layout { get; }

    /// <summary>Scales and looks up the cells of a row.</summary>
    /// <param name="row">Numbers and booleans of the columns, and texts and values of keys, each in the columns' order.</param>
    /// <param name="numbers">Takes the scaled numbers; NaN where missing.</param>
    /// <param name="codes">Takes the entries of the categories.</param>
    public void Encode(RawRow row, Span<float> numbers, Span<int> codes)
    {
        ReadOnlySpan<float> values = row.Numbers.Span;
        ReadOnlySpan<ReadOnlyMemory<char>> texts = row.Texts.Span;
        if (values.Length != _values)
        {
            throw new InvalidOperationException($"The columns of numbers have {values.Length} cells a row, but had {_values} when the encoder was fitted: "
                + "a vector column has another size.");
        }
        if (texts.Length != _texts)
        {
            throw new InvalidOperationException($"The columns of texts and keys have {texts.Length} cells a row, but had {_texts} when the encoder was "
                + "fitted: a vector column has another size.");
        }
        int value = 0, text = 0, number = 0, code = 0;
        foreach (var column in Columns)
        {
            for (var cell = 0; cell < column.Cells; cell++)
            {
                switch (column.Kind)
                {
                    case TableColumnKind.Number:
                        var raw = values[value++];
                        numbers[number++] = float.IsNaN(raw) ? float.NaN : column.Scales[cell].Scale(raw);
                        break;
                    case TableColumnKind.Boolean:
                        codes[code++] = CategoryVocabulary.CodeOfBoolean(values[value++]);
                        break;
                    default:
                        codes[code++] = column.Vocabularies[cell].CodeOf(texts[text++].Span);
                        break;
                }
            }
        }
    }

    public JsonArray ToJson() => new([.. Columns.Select(column => (JsonNode)new JsonObject
    {
        [NameKey] = column.Name,
        [KindKey] = column.Kind.ToString(),
        [SizeKey] = column.Size,
        [CellsKey] = new JsonArray([.. column.CellNames.Select(name => (JsonNode)name)]),
        [ScalesKey] = new JsonArray([.. column.Scales.Select(scale => (JsonNode)scale.ToJson())]),
        [VocabulariesKey] = new JsonArray([.. column.Vocabularies.Select(vocabulary => (JsonNode)vocabulary.ToJson())]),
    })]);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">A column's parts do not fit together.</exception>
    public static TableColumns FromJson(JsonArray json) => new([.. json.Select(node =>
    {
        var column = node!.AsObject();
        var read = new TableColumn((string)column[NameKey]!, Enum.Parse<TableColumnKind>((string)column[KindKey]!), (int?)column[SizeKey],
            [.. column[CellsKey]!.AsArray().Select(name => (string)name!)],
            [.. column[ScalesKey]!.AsArray().Select(scale => NumberScale.FromJson(scale!.AsObject()))],
            [.. column[VocabulariesKey]!.AsArray().Select(vocabulary => CategoryVocabulary.FromJson(vocabulary!.AsObject()))]);
        var numeric = read.Kind == TableColumnKind.Number;
        if (read.CellNames.Count != read.Cells || read.Scales.Count != (numeric ? read.Cells : 0)
            || read.Vocabularies.Count != (numeric ? 0 : read.Cells))
        {
            throw new FormatException($"Column '{read.Name}' has {read.Cells} cells, {read.CellNames.Count} names, {read.Scales.Count} scales and "
                + $"{read.Vocabularies.Count} vocabularies, which do not fit together.");
        }
        return read;
    })]);
}
