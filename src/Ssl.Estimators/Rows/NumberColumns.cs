using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Rows;

/// <summary>
/// Reads numeric columns of any width and type as Double, which no type of number loses anything in but whole ones beyond 2^53; what is
/// scaled is scaled before it becomes a Single. Times are numbers of seconds: dates since 1970 (UTC where they have an offset), durations.
/// </summary>
internal static class NumberColumns
{
    /// <summary>Whether a column's values can be read: numbers, booleans, dates and durations, single or vectors.</summary>
    /// <param name="itemType">Type of one value.</param>
    public static bool CanRead(DataViewType itemType) => itemType is NumberDataViewType or BooleanDataViewType or DateTimeDataViewType
        or DateTimeOffsetDataViewType or TimeSpanDataViewType;

    /// <summary>Gets the getter of a column.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column that <see cref="CanRead"/> accepts.</param>
    /// <returns>Appends the cells of the row on which the input stands: one, or those of the vector, zeros of sparse ones
    /// included.</returns>
    public static Action<List<double>> Open(DataViewRow row, DataViewSchema.Column column)
    {
        var item = column.Type is VectorDataViewType vector ? vector.ItemType : column.Type;
        return CanRead(item)
            ? Converter(item.RawType)!.Open(row, column)
            : throw new ArgumentException($"Column '{column.Name}' of type {column.Type} has no numbers.", nameof(column));
    }

    /// <summary>Gets the getter of a column of one number a row.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A scalar column that <see cref="CanRead"/> accepts.</param>
    public static ValueGetter<double> OpenOne(DataViewRow row, DataViewSchema.Column column)
        => Converter(column.Type.RawType)!.OpenOne(row, column);

    private static Reader? Converter(Type raw) => Type.GetTypeCode(raw) switch
    {
        TypeCode.Single => new Reader<float>(static v => v),
        TypeCode.Double => new Reader<double>(static v => v),
        TypeCode.Boolean => new Reader<bool>(static v => v ? 1 : 0),
        TypeCode.Byte => new Reader<byte>(static v => v),
        TypeCode.SByte => new Reader<sbyte>(static v => v),
        TypeCode.Int16 => new Reader<short>(static v => v),
        TypeCode.UInt16 => new Reader<ushort>(static v => v),
        TypeCode.Int32 => new Reader<int>(static v => v),
        TypeCode.UInt32 => new Reader<uint>(static v => v),
        TypeCode.Int64 => new Reader<long>(static v => v),
        TypeCode.UInt64 => new Reader<ulong>(static v => v),
        TypeCode.DateTime => new Reader<DateTime>(static v => Seconds(v.Ticks)),
        _ when raw == typeof(DateTimeOffset) => new Reader<DateTimeOffset>(static v => Seconds(v.UtcTicks)),
        _ when raw == typeof(TimeSpan) => new Reader<TimeSpan>(static v => (double)v.Ticks / TimeSpan.TicksPerSecond),
        _ => null,
    };

    // The first day of the year 1 is what a date is that nobody set.
    private static double Seconds(long ticks)
        => ticks == 0 ? double.NaN : (double)(ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;

    private abstract class Reader
    {
        public abstract Action<List<double>> Open(DataViewRow row, DataViewSchema.Column column);

        public abstract ValueGetter<double> OpenOne(DataViewRow row, DataViewSchema.Column column);
    }

    private sealed class Reader<T>(Func<T, double> convert) : Reader
    {
        public override ValueGetter<double> OpenOne(DataViewRow row, DataViewSchema.Column column)
        {
            var get = row.GetGetter<T>(column);
            var raw = default(T)!;
            return (ref double number) =>
            {
                get(ref raw);
                number = convert(raw);
            };
        }

        public override Action<List<double>> Open(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Type is not VectorDataViewType)
            {
                var getOne = OpenOne(row, column);
                double one = 0;
                return cells =>
                {
                    getOne(ref one);
                    cells.Add(one);
                };
            }
            var getAll = row.GetGetter<VBuffer<T>>(column);
            VBuffer<T> all = default;
            return cells =>
            {
                getAll(ref all);
                var first = cells.Count;
                CollectionsMarshal.SetCount(cells, first + all.Length);
                var target = CollectionsMarshal.AsSpan(cells)[first..];
                var values = all.GetValues();
                var indices = all.GetIndices();
                if (!all.IsDense)
                    target.Fill(convert(default!));
                for (var i = 0; i < values.Length; i++)
                    target[all.IsDense ? i : indices[i]] = convert(values[i]);
            };
        }
    }
}
