using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Downstream;

/// <summary>Searches row by row, for <c>PredictionEngine</c>.</summary>
internal sealed class NeighborRowMapper(NearestNeighborIndex index, DataViewSchema inputSchema, DataViewSchema outputSchema)
    : IRowToRowMapper
{
    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = dependingColumns.Select(c => c.Index).ToHashSet();
        if (needed.Any(i => i >= inputSchema.Count))
        {
            needed.Add(inputSchema[index.Settings.InputColumn].Index);
        }

        return inputSchema.Where(c => needed.Contains(c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        if (!ReferenceEquals(input.Schema, inputSchema))
        {
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        }

        return new Row(input, index, outputSchema, activeColumns.Select(c => c.Index).ToHashSet());
    }

    private sealed class Row(DataViewRow input, NearestNeighborIndex index, DataViewSchema schema, HashSet<int> active) : DataViewRow
    {
        private readonly long[] _rows = new long[index.Settings.NumberOfNeighbors];
        private readonly float[] _scores = new float[index.Settings.NumberOfNeighbors];
        private readonly float[] _query = new float[index.Dimension];
        private ValueGetter<VBuffer<float>>? _queryGetter;
        private VBuffer<float> _vector;
        private long _position = -2;

        public override DataViewSchema Schema => schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index) ||
            (column.Index < input.Schema.Count && input.IsColumnActive(input.Schema[column.Index]));

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index < input.Schema.Count)
            {
                return input.GetGetter<TValue>(input.Schema[column.Index]);
            }

            if (!IsColumnActive(column))
            {
                throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
            }

            _queryGetter ??= input.GetGetter<VBuffer<float>>(input.Schema[index.Settings.InputColumn]);
            return NeighborGetters.Create<TValue>(index, column, column.Index == schema.Count - 1,
                () => Found().Rows, () => Found().Scores);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Dispose();
            }

            base.Dispose(disposing);
        }

        // Both columns of a row come from one search.
        private (long[] Rows, float[] Scores) Found()
        {
            if (_position != input.Position)
            {
                _queryGetter!(ref _vector);
                _vector.CopyTo(_query);
                index.Search(_query, 1, _rows, _scores);
                _position = input.Position;
            }

            return (_rows, _scores);
        }
    }
}
