using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Evaluation;

/// <summary>
/// Vectors and their classes in memory as a view. A trainer opens hundreds of cursors, each of which <c>LoadFromEnumerable</c> would compile
/// code for.
/// </summary>
internal sealed class LabeledVectorView : IDataView
{
    /// <summary>Names of the columns.</summary>
    public const string Features = nameof(Features), Label = nameof(Label);

    private readonly VBuffer<float>[] _vectors;
    private readonly uint[] _keys;

    /// <param name="vectors">Of one length.</param>
    /// <param name="classes">From 0.</param>
    /// <param name="numberOfClasses">More than the largest of them.</param>
    public LabeledVectorView(VBuffer<float>[] vectors, IEnumerable<int> classes, int numberOfClasses)
    {
        // A key of 0 is a missing one.
        (_vectors, _keys) = (vectors, [.. classes.Select(c => (uint)c + 1)]);
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(Features, new VectorDataViewType(NumberDataViewType.Single, vectors[0].Length));
        schema.AddColumn(Label, new KeyDataViewType(typeof(uint), numberOfClasses));
        Schema = schema.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _vectors.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(this, [.. columnsNeeded.Select(column => column.Index)]);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(LabeledVectorView view, HashSet<int> active) : DataViewRowCursor
    {
        private int _position = -1;

        public override DataViewSchema Schema => view.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Transformers.RowGetters.CheckType<TValue>(column);
            Delegate getter = column.Index == 0
                ? (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => view._vectors[_position].CopyTo(ref value))
                : (ValueGetter<uint>)((ref uint value) => value = view._keys[_position]);
            return (ValueGetter<TValue>)getter;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        public override bool MoveNext()
        {
            if (_position + 1 < view._vectors.Length)
            {
                _position++;
                return true;
            }
            _position = -1;
            return false;
        }
    }
}
