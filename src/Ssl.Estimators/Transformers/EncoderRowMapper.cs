using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Row by row, for <c>PredictionEngine</c>: a batch of one.</summary>
internal sealed class EncoderRowMapper(
    EncoderModel model, DataViewSchema inputSchema, DataViewSchema outputSchema) : IRowToRowMapper
{
    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var asked = dependingColumns.Select(c => c.Index).ToHashSet();
        var own = asked.Contains(outputSchema.Count - 1) ? model.InputColumns.Select(name => inputSchema[name].Index) : [];
        var needed = asked.Where(i => i < inputSchema.Count).Concat(own).ToHashSet();
        return inputSchema.Where(c => needed.Contains(c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        if (!ReferenceEquals(input.Schema, inputSchema))
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        return new EncoderRow(input, model, outputSchema, activeColumns.Select(c => c.Index).ToHashSet());
    }

    private sealed class EncoderRow(
        DataViewRow input, EncoderModel model, DataViewSchema schema, HashSet<int> active) : DataViewRow
    {
        private RowReader? _reader;

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
            if (typeof(TValue) != typeof(VBuffer<float>))
                throw new InvalidOperationException($"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{typeof(VBuffer<float>)}'.");
            _reader ??= RowReader.OfTexts(input, model.InputColumns);
            var row = new RawRow[1];
            ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> value) =>
            {
                row[0] = _reader.Read();
                var editor = VBufferEditor.Create(ref value, model.Dimension);
                model.Embed(row, editor.Values);
                value = editor.Commit();
            };
            return (ValueGetter<TValue>)(Delegate)getter;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
