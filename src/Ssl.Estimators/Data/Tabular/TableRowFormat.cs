using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Data;

/// <summary>Table columns as scaled numbers and codes. A row of which every cell is missing is unusable.</summary>
/// <param name="names">The columns in the data, in the order of <paramref name="columns"/>.</param>
/// <param name="columns">What was learned of them.</param>
internal sealed class TableRowFormat(IReadOnlyList<string> names, TableColumns columns) : RowFormat
{
    public override IReadOnlyList<string> Columns => names;

    public override string Needed => "value";

    public override RowStore[] NewStores() => [new TableRows(columns.Layout)];

    public override Func<RowStore[], bool> Open(DataViewRow row)
    {
        var reader = new TableCellReader(row, names);
        var (numbers, codes) = (new float[columns.Layout.NumericCount], new int[columns.Layout.CategoricalCount]);
        return stores =>
        {
            columns.Encode(reader.Read(), numbers, codes);
            if (numbers.All(float.IsNaN) && codes.All(code => code == TableLayout.MissingCode))
                return false;
            ((TableRows)stores[0]).Add(out var numberCells, out var codeCells);
            numbers.CopyTo(numberCells);
            codes.CopyTo(codeCells);
            return true;
        };
    }

    /// <summary>Rows of a fitted model as one batch, on the CPU; a row without any value is kept.</summary>
    public static TableBatch ToBatch(TableColumns columns, ReadOnlySpan<RawRow> rows)
    {
        var store = new TableRows(columns.Layout);
        var order = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            order[i] = i;
            store.Add(out var numbers, out var codes);
            columns.Encode(rows[i], numbers, codes);
        }
        return store.ToBatch(order);
    }
}
