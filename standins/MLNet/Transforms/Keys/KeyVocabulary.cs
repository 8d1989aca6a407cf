using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The values that keys stand for, of a type known only at run time: value number i is key i + 1.</summary>
internal abstract class KeyVocabulary
{
    public abstract PrimitiveDataViewType ItemType { get; }
    public abstract int Count { get; }

    /// <summary>An empty vocabulary still has a key type with one key.</summary>
    public KeyDataViewType KeyType => new(typeof(uint), Math.Max(Count, 1));

    /// <summary>Reads a column and numbers its values by their first appearance, or in their order.</summary>
    public static KeyVocabulary Train(IDataView data, DataViewSchema.Column column, int maximum, bool byValue) =>
        Getters.Call<KeyVocabulary>((Func<IDataView, DataViewSchema.Column, int, bool, KeyVocabulary>)TrainTyped<int>,
            ItemOf(column.Type).RawType, data, column, maximum, byValue);

    public static KeyVocabulary Read(BinaryReader reader)
    {
        var type = (PrimitiveDataViewType)SchemaSerializer.ReadType(reader);
        return Getters.Call<KeyVocabulary>(
            (Func<PrimitiveDataViewType, BinaryReader, KeyVocabulary>)ReadTyped<int>, type.RawType, type, reader);
    }

    public static PrimitiveDataViewType ItemOf(DataViewType type) =>
        (type as VectorDataViewType)?.ItemType ?? type as PrimitiveDataViewType;

    public static bool CanHold(DataViewType type) =>
        ItemOf(type) is NumberDataViewType or TextDataViewType or BooleanDataViewType or KeyDataViewType;

    /// <summary>A getter of keys for a column of values.</summary>
    public abstract Delegate MapToKeys(DataViewRow input, DataViewSchema.Column column);

    public abstract void AddKeyValues(DataViewSchema.Annotations.Builder builder, bool asText);
    public abstract void Write(BinaryWriter writer);

    private static Typed<T> TrainTyped<T>(IDataView data, DataViewSchema.Column column, int maximum, bool byValue)
    {
        var result = new Typed<T>(ItemOf(column.Type));
        using var cursor = data.GetRowCursor([column]);
        if (column.Type is VectorDataViewType)
        {
            var get = cursor.GetGetter<VBuffer<T>>(column);
            VBuffer<T> row = default;
            while (cursor.MoveNext() && result.Count < maximum)
            {
                get(ref row);
                foreach (var value in row.DenseValues())
                {
                    result.TryAdd(value, maximum);
                }
            }
        }
        else
        {
            var get = cursor.GetGetter<T>(column);
            T value = default;
            while (cursor.MoveNext() && result.Count < maximum)
            {
                get(ref value);
                result.TryAdd(value, maximum);
            }
        }

        return byValue ? result.Sorted() : result;
    }

    private static Typed<T> ReadTyped<T>(PrimitiveDataViewType type, BinaryReader reader)
    {
        var result = new Typed<T>(type);
        var serializer = ValueSerializer.For<T>();
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            result.TryAdd(serializer.Read(reader), int.MaxValue);
        }

        return result;
    }

    private sealed class Typed<T>(PrimitiveDataViewType type) : KeyVocabulary
    {
        private readonly List<T> _values = [];
        private readonly Dictionary<T, uint> _keys = typeof(T) == typeof(ReadOnlyMemory<char>)
            ? new Dictionary<T, uint>((IEqualityComparer<T>)(object)TextComparer.Instance)
            : [];

        public override PrimitiveDataViewType ItemType => type;
        public override int Count => _values.Count;

        public void TryAdd(T value, int maximum)
        {
            if (_values.Count < maximum && !IsMissing(value) && !_keys.ContainsKey(value))
            {
                // Text of a loaded file would keep its whole line alive.
                value = value is ReadOnlyMemory<char> text ? (T)(object)text.ToString().AsMemory() : value;
                _values.Add(value);
                _keys.Add(value, (uint)_values.Count);
            }
        }

        public Typed<T> Sorted()
        {
            var comparer = typeof(T) == typeof(ReadOnlyMemory<char>) ? (IComparer<T>)(object)TextComparer.Instance : Comparer<T>.Default;
            var result = new Typed<T>(type);
            foreach (var value in _values.Order(comparer))
            {
                result.TryAdd(value, int.MaxValue);
            }

            return result;
        }

        public override Delegate MapToKeys(DataViewRow input, DataViewSchema.Column column)
        {
            if (column.Type is not VectorDataViewType)
            {
                var get = input.GetGetter<T>(column);
                T value = default;
                return (ValueGetter<uint>)((ref uint key) =>
                {
                    get(ref value);
                    key = Find(value);
                });
            }

            var getVector = input.GetGetter<VBuffer<T>>(column);
            VBuffer<T> vector = default;
            return (ValueGetter<VBuffer<uint>>)((ref VBuffer<uint> keys) =>
            {
                // Slots that a sparse vector leaves out hold the default value, which may well be a known one.
                getVector(ref vector);
                var editor = VBufferEditor.Create(ref keys, vector.Length);
                var slot = 0;
                foreach (var value in vector.DenseValues())
                {
                    editor.Values[slot++] = Find(value);
                }

                keys = editor.Commit();
            });
        }

        public override void AddKeyValues(DataViewSchema.Annotations.Builder builder, bool asText)
        {
            if (Count == 0)
            {
                return;
            }

            if (asText && type is not TextDataViewType)
            {
                var texts = _values.Select(value => ToText(value)).ToArray();
                builder.AddKeyValues(Count, TextDataViewType.Instance, (ref VBuffer<ReadOnlyMemory<char>> buffer) =>
                    VBuffer<ReadOnlyMemory<char>>.Copy(texts, 0, ref buffer, texts.Length));
                return;
            }

            var values = _values.ToArray();
            builder.AddKeyValues(Count, type, (ref VBuffer<T> buffer) => VBuffer<T>.Copy(values, 0, ref buffer, values.Length));
        }

        public override void Write(BinaryWriter writer)
        {
            SchemaSerializer.WriteType(writer, type);
            writer.Write(Count);
            var serializer = ValueSerializer.For<T>();
            foreach (var value in _values)
            {
                serializer.Write(writer, value);
            }
        }

        private static ReadOnlyMemory<char> ToText(T value) =>
            (value is bool flag ? (flag ? "1" : "0") : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture))
                .AsMemory();

        // Empty text, NaN and key 0 get no key.
        private bool IsMissing(T value) => value switch
        {
            ReadOnlyMemory<char> text => text.IsEmpty,
            float number => float.IsNaN(number),
            double number => double.IsNaN(number),
            _ => type is KeyDataViewType && EqualityComparer<T>.Default.Equals(value, default),
        };

        private uint Find(T value) => IsMissing(value) ? 0 : _keys.GetValueOrDefault(value);
    }

    private sealed class TextComparer : IEqualityComparer<ReadOnlyMemory<char>>, IComparer<ReadOnlyMemory<char>>
    {
        public static TextComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceEqual(y.Span);
        public int GetHashCode(ReadOnlyMemory<char> obj) => string.GetHashCode(obj.Span);
        public int Compare(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceCompareTo(y.Span);
    }
}
