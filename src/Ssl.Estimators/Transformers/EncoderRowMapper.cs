using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>Row by row, for <c>PredictionEngine</c>: a batch of one.</summary>
/// <param name="computation">What is computed.</param>
/// <param name="inputSchema">Schema of the rows.</param>
/// <param name="outputSchema">The same with the computation's columns.</param>
/// <param name="settings">Where to warn; null for nowhere.</param>
internal sealed class EncoderRowMapper(RowComputation computation, DataViewSchema inputSchema, DataViewSchema outputSchema,
    ScoringSettings? settings = null) : IRowToRowMapper
{
    private readonly TruncationCounter? _truncation = computation.CountTruncation(settings);
    private int _told;

    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var asked = dependingColumns.Select(c => c.Index).ToHashSet();
        var own = asked.Any(i => i >= inputSchema.Count) ? computation.ActiveColumns(inputSchema).Select(column => column.Index) : [];
        var needed = asked.Where(i => i < inputSchema.Count).Concat(own).ToHashSet();
        return inputSchema.Where(c => needed.Contains(c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        if (!ReferenceEquals(input.Schema, inputSchema))
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        return new EncoderRow(input, computation, _truncation, outputSchema, activeColumns.Select(c => c.Index).ToHashSet(), Tell);
    }

    // At the first row that gives a reason, once a mapper.
    private void Tell(RowNotices notices)
    {
        if (settings is not null && Interlocked.Exchange(ref _told, 1) == 0)
            settings.Warn(notices.Describe("Scoring row by row"));
    }

    private sealed class EncoderRow(DataViewRow input, RowComputation computation, TruncationCounter? truncation, DataViewSchema schema,
        HashSet<int> active, Action<RowNotices> tell) : DataViewRow
    {
        private readonly float[] _results = new float[computation.Width];
        private readonly RowNotices _notices = new(truncation ?? computation.Truncation);
        private readonly object?[] _found = new object?[1];
        private RowBatch? _row;
        private long _position = -2;

        public override DataViewSchema Schema => schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column)
            => active.Contains(column.Index) || (column.Index < input.Schema.Count && input.IsColumnActive(input.Schema[column.Index]));

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index < input.Schema.Count)
                return input.GetGetter<TValue>(input.Schema[column.Index]);
            if (!IsColumnActive(column))
                throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
            RowGetters.CheckType<TValue>(column);
            _row ??= computation.CreateBatch(input, capacity: 1, _notices);
            return (ValueGetter<TValue>)CreateGetter(column.Index - input.Schema.Count);
        }

        private Delegate CreateGetter(int output) => computation is FindingComputation finding ? finding.CreateGetter(output, () =>
        {
            Compute();
            return _found[0]!;
        }) : computation.CreateGetter(output, () =>
        {
            Compute();
            return _results;
        });

        // All output columns of a row come from one computation.
        private void Compute()
        {
            if (_position == input.Position)
                return;
            _row!.Clear();
            _row.Read();
            if (computation is FindingComputation finding)
                finding.Find(_row, _found);
            else
                computation.Compute(_row, _results);
            truncation?.EndPass();
            _position = input.Position;
            if (_notices.Any)
                tell(_notices);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
