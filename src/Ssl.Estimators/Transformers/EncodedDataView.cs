using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>The input and an embedding column, computed batch by batch as rows are asked for.</summary>
internal sealed class EncodedDataView : IDataView
{
    private readonly IDataView _input;
    private readonly EncoderModel _model;
    private readonly int _embeddingColumn;
    private readonly int _batchSize;

    public EncodedDataView(IDataView input, DataViewSchema schema, EncoderModel model, int batchSize)
    {
        _input = input;
        _model = model;
        _batchSize = batchSize;
        Schema = schema;
        _embeddingColumn = schema.Count - 1;
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
        if (!active[_embeddingColumn])
            return new PassThroughCursor(_input.GetRowCursor(needed, rand), Schema, active);

        needed = needed.Concat(_model.InputColumns.Select(name => _input.Schema[name])).DistinctBy(c => c.Index);
        var cursor = _input.GetRowCursor(needed, rand);
        return new EncoderCursor(_model, cursor, Schema, _embeddingColumn, active, _batchSize);
    }

    /// <summary>One cursor: a batch already uses every core, several at once would only compete.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];
}
