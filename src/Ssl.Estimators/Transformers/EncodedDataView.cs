using Microsoft.ML;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Transformers;

/// <summary>The input and the columns of an encoder, computed batch by batch as rows are asked for.</summary>
internal sealed class EncodedDataView : IDataView
{
    private readonly IDataView _input;
    private readonly RowComputation _computation;
    private readonly int _batchSize;

    public EncodedDataView(IDataView input, DataViewSchema schema, RowComputation computation, int batchSize)
    {
        _input = input;
        _computation = computation;
        _batchSize = batchSize;
        Schema = schema;
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => _input.CanShuffle;

    public long? GetRowCount() => _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        var needed = _input.Schema.Where(c => active[c.Index]);
        if (!active.AsSpan(_input.Schema.Count).Contains(true))
            return new PassThroughCursor(_input.GetRowCursor(needed, rand), Schema, active);

        var inputs = _computation.InputColumns.Select(name => _input.Schema[name]).ToArray();
        needed = needed.Concat(inputs);
        if (inputs.Any(column => column.Type is ImageDataViewType))
            needed = needed.Concat(LoadedImageColumn.Names(_input.Schema).Select(name => _input.Schema[name]));
        needed = needed.DistinctBy(c => c.Index);
        var cursor = _input.GetRowCursor(needed, rand);
        return new EncoderCursor(_computation, cursor, Schema, _input.Schema.Count, active, _batchSize);
    }

    /// <summary>One cursor: a batch already uses every core, several at once would only compete.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];
}
