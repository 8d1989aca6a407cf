using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Downstream;

/// <summary>Computes row by row, for <c>PredictionEngine</c>.</summary>
internal sealed class VectorRowMapper(VectorComputation computation, DataViewSchema inputSchema, DataViewSchema outputSchema)
    : IRowToRowMapper
{
    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = dependingColumns.Select(c => c.Index).ToHashSet();
        if (needed.Any(i => i >= inputSchema.Count))
        {
            needed.Add(inputSchema[computation.InputColumn].Index);
        }

        return inputSchema.Where(c => needed.Contains(c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        if (!ReferenceEquals(input.Schema, inputSchema))
        {
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        }

        return new Row(input, computation, outputSchema, activeColumns.Select(c => c.Index).ToHashSet());
    }

    private sealed class Row(DataViewRow input, VectorComputation computation, DataViewSchema schema, HashSet<int> active) : DataViewRow
    {
        private readonly VectorResults _results = computation.CreateResults(1);
        private readonly float[] _values = new float[computation.Dimension];
        private ValueGetter<VBuffer<float>>? _vectorGetter;
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

            VectorGetters.CheckType<TValue>(column);
            _vectorGetter ??= input.GetGetter<VBuffer<float>>(input.Schema[computation.InputColumn]);
            return (ValueGetter<TValue>)_results.CreateGetter(column.Index - input.Schema.Count, Computed);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Dispose();
            }

            base.Dispose(disposing);
        }

        // All columns of a row come from one computation.
        private int Computed()
        {
            if (_position != input.Position)
            {
                _vectorGetter!(ref _vector);
                _vector.CopyTo(_values);
                _results.Compute(_values, 1);
                _position = input.Position;
            }

            return 0;
        }
    }
}
