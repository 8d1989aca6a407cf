using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Shows objects of a class as a row.</summary>
internal class ObjectRow<TRow> : DataViewRow
    where TRow : class
{
    private readonly Delegate[] _getters;
    private long _position = -1;

    public ObjectRow(TypedMember[] members)
        : this(members, MakeSchema(members), null)
    {
    }

    public ObjectRow(TypedMember[] members, DataViewSchema schema, bool[] active)
    {
        Schema = schema;
        _getters = new Delegate[members.Length];
        for (var i = 0; i < members.Length; i++)
        {
            _getters[i] = active == null || active[i] ? MakeGetter(members[i]) : null;
        }
    }

    public override DataViewSchema Schema { get; }
    public override long Position => _position;
    public override long Batch => 0;

    private TRow Current { get; set; }

    public static DataViewSchema MakeSchema(TypedMember[] members)
    {
        var builder = new DataViewSchema.Builder();
        foreach (var member in members)
        {
            builder.AddColumn(member.ColumnName, member.ColumnType, member.Annotations);
        }

        return builder.ToSchema();
    }

    public void Show(TRow row, long? position = null)
    {
        Current = row;
        _position = position ?? _position + 1;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _getters[column.Index] != null;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(column.Index < _getters.Length && _getters[column.Index] != null);
        return Getters.Cast<TValue>(_getters[column.Index], column);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = new DataViewRowId((ulong)CheckedPosition(), 0);

    private long CheckedPosition() => _position >= 0
        ? _position
        : throw Contracts.Except(null, "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");

    private Delegate MakeGetter(TypedMember member)
    {
        var type = member.MemberType;
        if (type == typeof(string))
        {
            var read = member.Reader<TRow, string>();
            return (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = read(Current).AsMemory());
        }

        if (type == typeof(string[]))
        {
            return TextArray(member.Reader<TRow, string[]>());
        }

        if (type.IsArray)
        {
            return Getters.Call<Delegate>((Func<TypedMember, Delegate>)FromArray<int>, type.GetElementType(), member);
        }

        if (member.ColumnType is KeyDataViewType)
        {
            return Getters.Call<Delegate>((Func<TypedMember, Delegate>)Key<uint>, type, member);
        }

        return Getters.Call<Delegate>((Func<TypedMember, Delegate>)Direct<int>, type, member);
    }

    private ValueGetter<VBuffer<ReadOnlyMemory<char>>> TextArray(Func<TRow, string[]> read) => (ref VBuffer<ReadOnlyMemory<char>> value) =>
    {
        var texts = read(Current) ?? [];
        var editor = VBufferEditor.Create(ref value, texts.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            editor.Values[i] = texts[i].AsMemory();
        }

        value = editor.Commit();
    };

    private Delegate FromArray<T>(TypedMember member)
    {
        var read = member.Reader<TRow, T[]>();
        return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
        {
            var items = read(Current) ?? [];
            var editor = VBufferEditor.Create(ref value, items.Length);
            items.AsSpan().CopyTo(editor.Values);
            value = editor.Commit();
        });
    }

    private Delegate Direct<T>(TypedMember member)
    {
        var read = member.Reader<TRow, T>();
        var copy = Getters.CopierOf<T>();
        return (ValueGetter<T>)((ref T value) => copy(read(Current), ref value));
    }

    // Objects hold 0-based keys, rows 1-based ones; what does not fit is missing.
    private Delegate Key<T>(TypedMember member)
        where T : unmanaged
    {
        var read = member.Reader<TRow, T>();
        var count = ((KeyDataViewType)member.ColumnType).Count;
        return (ValueGetter<T>)((ref T value) =>
        {
            var key = Convert.ToUInt64(read(Current));
            value = (T)Convert.ChangeType(key < count ? key + 1 : 0, typeof(T));
        });
    }
}

/// <summary>Fills objects of a class from rows.</summary>
internal sealed class ObjectFiller<TRow>
    where TRow : class
{
    private readonly List<(TypedMember Member, DataViewSchema.Column Column)> _bound = [];

    public ObjectFiller(IExceptionContext context, DataViewSchema schema, bool ignoreMissingColumns, TypedMember[] members)
    {
        foreach (var member in members)
        {
            var column = schema.GetColumnOrNull(member.ColumnName);
            if (column == null)
            {
                if (ignoreMissingColumns)
                {
                    continue;
                }

                throw context.ExceptSchemaMismatch("Schema", string.Empty, member.ColumnName);
            }

            if (!member.CanHold(column.Value.Type))
            {
                throw context.Except(
                    $"Can't bind the IDataView column '{member.ColumnName}' of type '{column.Value.Type}' " +
                    $"to field or property '{member.Member.Name}' of type '{member.MemberType.FullName}'.");
            }

            _bound.Add((member, column.Value));
        }
    }

    public IEnumerable<DataViewSchema.Column> Columns => _bound.Select(item => item.Column);

    /// <summary>An action that copies the row's current values into an object.</summary>
    public Action<TRow> Bind(DataViewRow row)
    {
        var setters = _bound.Select(item => MakeSetter(row, item.Member, item.Column)).ToArray();
        return target =>
        {
            foreach (var set in setters)
            {
                set(target);
            }
        };
    }

    private static Action<TRow> MakeSetter(DataViewRow row, TypedMember member, DataViewSchema.Column column)
    {
        var type = member.MemberType;
        if (type == typeof(string))
        {
            var write = member.Writer<TRow, string>();
            var get = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> value = default;
            return target =>
            {
                get(ref value);
                write(target, value.ToString());
            };
        }

        if (type == typeof(string[]))
        {
            return TextArray(row, member, column);
        }

        if (type.IsArray)
        {
            return Getters.Call<Action<TRow>>(
                (Func<DataViewRow, TypedMember, DataViewSchema.Column, Action<TRow>>)ToArray<int>,
                type.GetElementType(),
                row,
                member,
                column);
        }

        if (column.Type is VectorDataViewType vector)
        {
            return Getters.Call<Action<TRow>>(
                (Func<DataViewRow, TypedMember, DataViewSchema.Column, Action<TRow>>)Vector<int>,
                vector.ItemType.RawType,
                row,
                member,
                column);
        }

        return Getters.Call<Action<TRow>>(
            (Func<DataViewRow, TypedMember, DataViewSchema.Column, Action<TRow>>)Direct<int>,
            type,
            row,
            member,
            column);
    }

    private static Action<TRow> TextArray(DataViewRow row, TypedMember member, DataViewSchema.Column column)
    {
        var write = member.Writer<TRow, string[]>();
        var get = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
        VBuffer<ReadOnlyMemory<char>> value = default;
        return target =>
        {
            get(ref value);
            write(target, [.. value.DenseValues().Select(text => text.ToString())]);
        };
    }

    private static Action<TRow> ToArray<T>(DataViewRow row, TypedMember member, DataViewSchema.Column column)
    {
        var read = member.Reader<TRow, T[]>();
        var write = member.Writer<TRow, T[]>();
        var get = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> value = default;
        return target =>
        {
            get(ref value);
            var present = read(target);
            var array = present?.Length == value.Length ? present : new T[value.Length];
            value.CopyTo(array);
            write(target, array);
        };
    }

    // The object's own buffer is filled, so that a reused object costs no allocation.
    private static Action<TRow> Vector<T>(DataViewRow row, TypedMember member, DataViewSchema.Column column)
    {
        var read = member.Reader<TRow, VBuffer<T>>();
        var write = member.Writer<TRow, VBuffer<T>>();
        var get = row.GetGetter<VBuffer<T>>(column);
        return target =>
        {
            var value = read(target);
            get(ref value);
            write(target, value);
        };
    }

    private static Action<TRow> Direct<T>(DataViewRow row, TypedMember member, DataViewSchema.Column column)
    {
        var write = member.Writer<TRow, T>();
        var get = row.GetGetter<T>(column);
        return target =>
        {
            T value = default;
            get(ref value);
            write(target, value);
        };
    }
}
