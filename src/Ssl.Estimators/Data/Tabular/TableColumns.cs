using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
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

    /// <summary>The one value that a cell had in the training data, in words; null where it had several.</summary>
    public string? ConstantText(int cell) => TableColumnKinds.IsNumeric(Kind)
        ? Scales[cell].IsConstant ? Scales[cell].ConstantText : null
        : Vocabularies[cell].IsConstant ? Vocabularies[cell].ConstantText : null;
}

/// <summary>The columns of a table and what was learned of them; turns rows into the numbers and codes that an encoder reads.</summary>
internal sealed class TableColumns
{
    private const string NameKey = "name", KindKey = "kind", SizeKey = "size", CellsKey = "cells", ScalesKey = "scales",
        VocabulariesKey = "vocabularies";

    private const int NamedCells = 10;

    private readonly int _values;
    private readonly int _texts;

    // By column and cell, what is told of a row whose value is hidden; null where a cell had several values.
    private readonly string?[][] _hidden;

    // By column and cell, what is told where most categories are new.
    private readonly string[][] _unseen;

    public TableColumns(IReadOnlyList<TableColumn> columns)
    {
        Columns = columns;
        _values = columns.Where(c => !TableColumnKinds.IsText(c.Kind)).Sum(c => c.Cells);
        _texts = columns.Sum(c => c.Cells) - _values;
        var numeric = columns.Where(c => TableColumnKinds.IsNumeric(c.Kind)).ToArray();
        var categorical = columns.Where(c => !TableColumnKinds.IsNumeric(c.Kind)).ToArray();
        Layout = new TableLayout([.. numeric.SelectMany(c => c.CellNames)], [.. categorical.SelectMany(c => c.CellNames)],
            [.. categorical.SelectMany(c => c.Vocabularies.Select(v => v.Count))],
                [.. numeric.SelectMany(c => c.Scales.Select(s => s.Edges))]);
        _hidden = [.. columns.Select(column => Enumerable.Range(0, column.Cells).Select(cell => column.ConstantText(cell) is { } only
            ? $"another value in '{column.CellNames[cell]}' than in the training data, which had {only} only: the encoder does not see it"
            : null).ToArray())];
        _unseen = [.. columns.Select(column => column.CellNames.Select(name
            => $"a category in '{name}' that the training data did not have: the encoder takes all of these for one").ToArray())];
    }

    /// <summary>In the order of the options.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The cells as an encoder sees them.</summary>
    public TableLayout Layout { get; }

    /// <summary>A sentence on the cells that had one value at most in the training data; null where there are none.</summary>
    public string? DescribeConstants()
    {
        string[] cells = [.. Columns.SelectMany(column => Enumerable.Range(0, column.Cells).Select(cell => (Name: column.CellNames[cell],
            Only: column.ConstantText(cell)))).Where(cell => cell.Only is not null).Select(cell => $"'{cell.Name}' ({cell.Only})")];
        if (cells.Length == 0)
            return null;
        var more = cells.Length > NamedCells ? $" and {cells.Length - NamedCells} more" : "";
        return $"One value only, or none, in all rows: {string.Join(", ", cells.Take(NamedCells))}{more}. Nothing is learned of it, and the "
            + "encoder will not see other values later. Give Fit rows in which it varies, or leave the column out of InputColumnNames.";
    }

    /// <summary>Scales and looks up the cells of a row.</summary>
    /// <param name="row">Numbers and booleans of the columns, and texts and values of keys, each in the columns' order.</param>
    /// <param name="numbers">Takes the scaled numbers; NaN where missing.</param>
    /// <param name="codes">Takes the entries of the categories.</param>
    /// <param name="notices">Told of values that the encoder does not see; may be null.</param>
    public void Encode(RawRow row, Span<float> numbers, Span<int> codes, RowNotices? notices = null)
    {
        ReadOnlySpan<double> values = row.Numbers.Span;
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
        for (var i = 0; i < Columns.Count; i++)
        {
            var column = Columns[i];
            for (var cell = 0; cell < column.Cells; cell++)
            {
                var hides = false;
                switch (column.Kind)
                {
                    case TableColumnKind.Boolean:
                        var answer = values[value++];
                        codes[code++] = CategoryVocabulary.CodeOfBoolean(answer);
                        hides = column.Vocabularies[cell].Hides(answer);
                        break;
                    case TableColumnKind.Text or TableColumnKind.Key:
                        codes[code] = column.Vocabularies[cell].CodeOf(texts[text++].Span);
                        hides = column.Vocabularies[cell].Hides(codes[code]);
                        if (codes[code++] == TableLayout.UnseenCode && !hides)
                            notices?.CountUsual(_unseen[i][cell]);
                        break;
                    default:
                        var raw = values[value++];
                        numbers[number++] = double.IsNaN(raw) ? float.NaN : column.Scales[cell].Scale(raw);
                        hides = column.Scales[cell].Hides(raw);
                        break;
                }
                if (hides)
                    notices?.Count(_hidden[i][cell]!);
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
        var numeric = TableColumnKinds.IsNumeric(read.Kind);
        if (read.CellNames.Count != read.Cells || read.Scales.Count != (numeric ? read.Cells : 0)
            || read.Vocabularies.Count != (numeric ? 0 : read.Cells))
        {
            throw new FormatException($"Column '{read.Name}' has {read.Cells} cells, {read.CellNames.Count} names, {read.Scales.Count} scales and "
                + $"{read.Vocabularies.Count} vocabularies, which do not fit together.");
        }
        return read;
    })]);
}
