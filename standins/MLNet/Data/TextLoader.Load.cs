using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public sealed partial class TextLoader : IDataLoader<IMultiStreamSource>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly TextLineParser _parser;
    private readonly ColumnPlan[] _plans;
    private readonly DataViewSchema _schema;

    internal TextLoader(IHostEnvironment env, Options options, IMultiStreamSource dataSample)
    {
        _host = env.Register(nameof(TextLoader));
        _host.CheckValue(options, nameof(options));
        _host.CheckParam(
            options.Columns is { Length: > 0 },
            nameof(options),
            "Columns must be specified: reading them out of the file is not supported here");
        _options = options;
        _parser = new TextLineParser(options);
        var (header, first) = Sample(dataSample);
        _plans = [.. options.Columns.Select(column => new ColumnPlan(_host, column, options.InputSize ?? first?.Count ?? header?.Count))];
        var builder = new DataViewSchema.Builder();
        foreach (var plan in _plans)
        {
            builder.AddColumn(plan.Name, plan.Type, plan.Annotations(header));
        }

        _schema = builder.ToSchema();
    }

    public DataViewSchema GetOutputSchema() => _schema;

    public IDataView Load(IMultiStreamSource source)
    {
        _host.CheckValue(source, nameof(source));
        return new View(this, source);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => throw _host.ExceptNotSupported("Saving a text loader is not supported here");

    internal static Column[] ColumnsOf<TInput>(IExceptionContext context)
    {
        var columns = new List<Column>();
        foreach (var member in TypedMember.MembersOf(typeof(TInput), SchemaDefinition.Direction.Both))
        {
            var load = (LoadColumnAttribute)Attribute.GetCustomAttribute(member, typeof(LoadColumnAttribute));
            if (load == null || Attribute.GetCustomAttribute(member, typeof(NoColumnAttribute)) != null)
            {
                continue;
            }

            var (isVector, item) = TypedMember.Shape(member);
            var name = ((ColumnNameAttribute)Attribute.GetCustomAttribute(member, typeof(ColumnNameAttribute)))?.Name ?? member.Name;
            var key = (KeyTypeAttribute)Attribute.GetCustomAttribute(member, typeof(KeyTypeAttribute));
            if (isVector)
            {
                load.Sources[0].ForceVector = true;
            }

            var keys = key == null ? null : new KeyCount { Count = key.Count };
            columns.Add(new Column(name, DataKinds.KindOf(item), [.. load.Sources], keys));
        }

        context.CheckParam(
            columns.Count > 0,
            "TInput",
            "Should define at least one public, readable field or property in TInput with the LoadColumn attribute.");
        return [.. columns];
    }

    private (List<ReadOnlyMemory<char>> Header, List<ReadOnlyMemory<char>> First) Sample(IMultiStreamSource source)
    {
        List<ReadOnlyMemory<char>> header = null;
        if (source is { Count: > 0 })
        {
            using var reader = source.OpenTextReader(0);
            var awaitsHeader = _options.HasHeader;
            foreach (var (_, text) in _parser.Lines(reader))
            {
                if (text.Length == 0 || text.StartsWith("#@", StringComparison.Ordinal))
                {
                    continue;
                }

                var fields = _parser.Split(text, null);
                if (!awaitsHeader)
                {
                    return (header, fields);
                }

                header = fields;
                awaitsHeader = false;
            }
        }

        return (header, null);
    }

    /// <summary>Where a column's values stand in a line, and how they are read.</summary>
    private sealed class ColumnPlan
    {
        private readonly (int Min, int Max, bool ToEnd)[] _ranges;
        private readonly bool _isVector;

        public ColumnPlan(IExceptionContext context, Column column, int? fields)
        {
            Name = column.Name;
            Kind = column.DataKind;
            Item = column.DataKind.ToType();
            if (column.KeyCount is { } keys)
            {
                context.CheckParam(
                    KeyDataViewType.IsValidDataType(Item.RawType),
                    "Columns",
                    $"Column '{Name}': a key must be of an unsigned type, not {Item}");
                Item = new KeyDataViewType(Item.RawType, keys.Count ?? TypedMember.MaximumOf(Item.RawType));
            }

            context.CheckParam(column.Source is { Length: > 0 }, "Columns", $"Column '{Name}' has no source");
            _ranges = [.. column.Source.Select(range => Resolve(context, range, fields))];
            _isVector = column.Source.Length > 1
                || column.Source.Any(range => range.ForceVector || range.AutoEnd || range.VariableEnd || range.Max > range.Min);
            var size = _ranges.Any(range => range.ToEnd) ? 0 : _ranges.Sum(range => range.Max - range.Min + 1);
            Type = _isVector ? new VectorDataViewType(Item, size) : Item;
        }

        public string Name { get; }
        public DataKind Kind { get; }
        public PrimitiveDataViewType Item { get; }
        public DataViewType Type { get; }

        public DataViewSchema.Annotations Annotations(List<ReadOnlyMemory<char>> header)
        {
            if (header == null || Type is not VectorDataViewType { IsKnownSize: true } vector)
            {
                return null;
            }

            var names = Indices(int.MaxValue).Select(index => index < header.Count ? header[index].Trim() : default).ToArray();
            if (names.All(name => name.IsEmpty))
            {
                return null;
            }

            var builder = new DataViewSchema.Annotations.Builder();
            builder.AddSlotNames(
                vector.Size,
                (ref VBuffer<ReadOnlyMemory<char>> value) => value = new VBuffer<ReadOnlyMemory<char>>(names.Length, [.. names]));
            return builder.ToAnnotations();
        }

        public Delegate MakeGetter(Cursor cursor) => Getters.Call<Delegate>(
            _isVector ? (Func<Cursor, Delegate>)Vector<int> : Scalar<int>,
            Item.RawType,
            cursor);

        private static (int Min, int Max, bool ToEnd) Resolve(IExceptionContext context, Range range, int? fields)
        {
            context.CheckParam(!range.AllOther, "Columns", "A range of all other fields is not supported here");
            if (range.VariableEnd)
            {
                return (range.Min, range.Max ?? -1, true);
            }

            return (
                range.Min,
                range.Max
                    ?? Math.Max(
                        range.Min,
                        (fields ?? throw context.ExceptParam("Columns", "A range without an end needs a data sample or InputSize")) - 1),
                false);
        }

        private IEnumerable<int> Indices(int fields)
        {
            foreach (var (min, max, toEnd) in _ranges)
            {
                for (var index = min; toEnd ? index < fields : index <= max; index++)
                {
                    yield return index;
                }
            }
        }

        private Delegate Scalar<T>(Cursor cursor)
        {
            var index = _ranges[0].Min;
            return (ValueGetter<T>)((ref T value) => value = Read<T>(cursor, index));
        }

        private Delegate Vector<T>(Cursor cursor) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
        {
            var indices = Indices(cursor.FieldCount);
            var editor = VBufferEditor.Create(
                ref value,
                Type is VectorDataViewType { IsKnownSize: true } known ? known.Size : indices.Count());
            var slot = 0;
            foreach (var index in indices)
            {
                editor.Values[slot++] = Read<T>(cursor, index);
            }

            value = editor.Commit();
        });

        private T Read<T>(Cursor cursor, int index)
        {
            var field = cursor.Field(index);
            if (Item is TextDataViewType)
            {
                return (T)(object)field;
            }

            if (Item is KeyDataViewType key)
            {
                // Keys are written from 0; what is none is missing.
                return TextParsing.TryParse<ulong>(field, out var code) && !field.Span.Trim().IsEmpty && code < key.Count
                    ? (T)Convert.ChangeType(code + 1, typeof(T))
                    : default;
            }

            if (TextParsing.TryParse<T>(field, out var value, cursor.MissingRealsAsNaNs, cursor.DecimalMarker))
            {
                return value;
            }

            var message = $"Could not parse value {field} in line {cursor.Line}, column {Name}";
            throw Contracts.ExceptDecode(null, $"Parsing failed with an exception: {message}", new InvalidOperationException(message));
        }
    }

    private sealed class View(TextLoader loader, IMultiStreamSource source) : IDataView
    {
        public bool CanShuffle => false;
        public DataViewSchema Schema => loader._schema;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
            new Cursor(loader, source, Getters.Active(columnsNeeded, Schema));

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
            [GetRowCursor(columnsNeeded)];
    }

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly TextLoader _loader;
        private readonly Delegate[] _getters;
        private readonly IEnumerator<(int Line, List<ReadOnlyMemory<char>> Fields)> _rows;
        private readonly IChannel _channel;
        private long _position = -1;

        public Cursor(TextLoader loader, IMultiStreamSource source, bool[] active)
        {
            _loader = loader;
            _channel = loader._host.Start("Cursor");
            _rows = Rows(source).GetEnumerator();
            _getters = [.. active.Select((isActive, i) => isActive ? loader._plans[i].MakeGetter(this) : null)];
        }

        public override DataViewSchema Schema => _loader._schema;
        public override long Position => _position;
        public override long Batch => 0;

        public int Line => _rows.Current.Line;
        public int FieldCount => _rows.Current.Fields.Count;
        public bool MissingRealsAsNaNs => _loader._options.MissingRealsAsNaNs;
        public char DecimalMarker => _loader._options.DecimalMarker;

        public ReadOnlyMemory<char> Field(int index)
        {
            Contracts.Check(
                null,
                _position >= 0,
                "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");
            return index < FieldCount ? _rows.Current.Fields[index] : default;
        }

        public override bool MoveNext()
        {
            if (_position + 1 < (_loader._options.MaxRows ?? long.MaxValue) && _rows.MoveNext())
            {
                _position++;
                return true;
            }

            _position = -1;
            Dispose();
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => _getters[column.Index] != null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Getters.CheckActive(column.Index < _getters.Length && _getters[column.Index] != null);
            return Getters.Cast<TValue>(_getters[column.Index], column);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _rows.Dispose();
                _channel.Dispose();
            }
        }

        private IEnumerable<(int Line, List<ReadOnlyMemory<char>> Fields)> Rows(IMultiStreamSource source)
        {
            for (var file = 0; file < source.Count; file++)
            {
                var name = Path.GetFileName(source.GetPathOrNull(file));
                using var reader = source.OpenTextReader(file);
                var awaitsHeader = _loader._options.HasHeader;
                foreach (var (number, text) in _loader._parser.Lines(reader))
                {
                    if (text.Length == 0 || (text.StartsWith("#@", StringComparison.Ordinal) && _position < 0))
                    {
                        continue;
                    }

                    if (awaitsHeader)
                    {
                        awaitsHeader = false;
                        continue;
                    }

                    yield return (number, _loader._parser.Split(text, (from, to) => _channel.Warning(
                        MessageSensitivity.Schema,
                        "Format error at {0}({1},{2})-({1},{3}): Illegal quoting",
                        name,
                        number,
                        from,
                        to)));
                }
            }
        }
    }
}
