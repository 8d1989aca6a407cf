using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The column by which rows are split: a random number for each row, or a hash of a key column.</summary>
internal static class SplitColumn
{
    private const int HashBits = 30;
    private const uint DefaultSeed = 42;
    private const uint DefaultHashSeed = 314159265;

    /// <summary>Adds the column to the data and gives its name.</summary>
    public static string Add(IHostEnvironment env, ref IDataView data, string samplingKeyColumn, int? seed)
    {
        var name = "SplitColumn";
        for (var i = 0; data.Schema.GetColumnOrNull(name) != null; i++)
        {
            name = $"SplitColumn_{i:000}";
        }

        if (samplingKeyColumn == null)
        {
            data = new SequentialDataView(new MappedDataView(data, new RandomNumbers(data.Schema, name, (uint?)seed ?? DefaultSeed)));
            return name;
        }

        var column = data.Schema.GetColumnOrNull(samplingKeyColumn)
            ?? throw env.ExceptSchemaMismatch(nameof(samplingKeyColumn), "SamplingKeyColumn", samplingKeyColumn);
        data = column.Type is KeyDataViewType || column.Type == NumberDataViewType.Single || column.Type == NumberDataViewType.Double
            ? Scaled(data, column, name)
            : new MappedDataView(data, new Hashes(env, data.Schema, column, name, (uint?)seed ?? DefaultHashSeed));
        return name;
    }

    // Numbers become fractions of the range that the data spans; keys are fractions of theirs already.
    private static MappedDataView Scaled(IDataView data, DataViewSchema.Column column, string name)
    {
        if (column.Type is KeyDataViewType)
        {
            return new MappedDataView(data, new Copy(data.Schema, column, name, 0, 1));
        }

        var (minimum, maximum) = (double.PositiveInfinity, double.NegativeInfinity);
        using (var cursor = data.GetRowCursor([column]))
        {
            var get = Numbers.GetterOf(cursor, column);
            while (cursor.MoveNext())
            {
                var value = get();
                if (!double.IsNaN(value))
                {
                    minimum = Math.Min(minimum, value);
                    maximum = Math.Max(maximum, value);
                }
            }
        }

        return new MappedDataView(data, new Copy(data.Schema, column, name, minimum, maximum > minimum ? 1 / (maximum - minimum) : 0));
    }

    private sealed class RandomNumbers(DataViewSchema schema, string name, uint seed) : RowMapper(schema)
    {
        public override IEnumerable<int> Dependencies(int output) => [];

        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            var random = new TauswortheHybrid(seed);
            var (served, current) = (-1L, 0f);
            return (ValueGetter<float>)((ref float value) =>
            {
                // One number for each row, whether it was asked for or not.
                for (; served < input.Position; served++)
                {
                    current = random.NextSingle();
                }

                value = current;
            });
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputs() => [new(name, NumberDataViewType.Single)];
    }

    private sealed class Copy(
        DataViewSchema schema,
        DataViewSchema.Column source,
        string name,
        double offset,
        double scale) : RowMapper(schema)
    {
        public override IEnumerable<int> Dependencies(int output) => [source.Index];

        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            if (source.Type is KeyDataViewType)
            {
                return Getters.Get(input, source);
            }

            var get = Numbers.GetterOf(input, source);
            return (ValueGetter<double>)((ref double value) => value = (get() - offset) * scale);
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputs() =>
            [new(name, source.Type is KeyDataViewType ? source.Type : NumberDataViewType.Double)];
    }

    private sealed class Hashes(
        IHostEnvironment env,
        DataViewSchema schema,
        DataViewSchema.Column source,
        string name,
        uint seed) : RowMapper(schema)
    {
        public override IEnumerable<int> Dependencies(int output) => [source.Index];

        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            if (source.Type is TextDataViewType)
            {
                var get = input.GetGetter<ReadOnlyMemory<char>>(source);
                ReadOnlyMemory<char> text = default;
                return (ValueGetter<uint>)((ref uint value) =>
                {
                    get(ref text);
                    value = text.IsEmpty ? 0 : (Murmur.Hash(seed, Encoding.UTF8.GetBytes(text.ToString())) & ((1u << HashBits) - 1)) + 1;
                });
            }

            if (source.Type is not (NumberDataViewType or BooleanDataViewType))
            {
                throw env.ExceptNotSupported($"A split by the column '{source.Name}' of type {source.Type} is not supported here");
            }

            var number = Numbers.GetterOf(input, source);
            return (ValueGetter<uint>)((ref uint value) =>
            {
                var bits = BitConverter.DoubleToUInt64Bits(number());
                value = (Murmur.Finish(Murmur.Round(Murmur.Round(seed, (uint)bits), (uint)(bits >> 32))) & ((1u << HashBits) - 1)) + 1;
            });
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputs() => [new(name, new KeyDataViewType(typeof(uint), 1u << HashBits))];
    }
}

/// <summary>Numeric, boolean and key columns as doubles: keys 0-based, missing ones NaN.</summary>
internal static class Numbers
{
    public static Func<double> GetterOf(DataViewRow row, DataViewSchema.Column column)
    {
        var get = Getters.Call<Func<double>>(
            (Func<DataViewRow, DataViewSchema.Column, Func<double>>)Typed<int>,
            column.Type.RawType,
            row,
            column);
        if (column.Type is not KeyDataViewType)
        {
            return get;
        }

        return () =>
        {
            var key = get();
            return key == 0 ? double.NaN : key - 1;
        };
    }

    private static Func<double> Typed<T>(DataViewRow row, DataViewSchema.Column column)
        where T : unmanaged
    {
        var get = row.GetGetter<T>(column);
        T value = default;
        var convert = Conversions.Find<T, double>()
            ?? throw Contracts.ExceptNotSupported(null, $"Column '{column.Name}' of type {column.Type} is not numeric");
        return () =>
        {
            get(ref value);
            double number = default;
            convert(in value, ref number);
            return number;
        };
    }
}

/// <summary>Tests for missing values: NaN, key 0, any such item of a vector.</summary>
internal static class MissingValues
{
    public static Func<DataViewRow, DataViewSchema.Column, Func<bool>> TestOf(DataViewType type)
    {
        if (type == NumberDataViewType.Single || type == NumberDataViewType.Double || type is KeyDataViewType)
        {
            return (row, column) =>
            {
                var get = Numbers.GetterOf(row, column);
                return () => double.IsNaN(get());
            };
        }

        return (type as VectorDataViewType)?.ItemType switch
        {
            { } item when item == NumberDataViewType.Single => (row, column) => AnyOf<float>(row, column, float.IsNaN),
            { } item when item == NumberDataViewType.Double => (row, column) => AnyOf<double>(row, column, double.IsNaN),
            _ => null,
        };
    }

    private static Func<bool> AnyOf<T>(DataViewRow row, DataViewSchema.Column column, Func<T, bool> isMissing)
    {
        var get = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> vector = default;
        return () =>
        {
            get(ref vector);
            foreach (var item in vector.GetValues())
            {
                if (isMissing(item))
                {
                    return true;
                }
            }

            return false;
        };
    }
}
