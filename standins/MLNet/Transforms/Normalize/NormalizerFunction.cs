using System.Numerics;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How one column is normalised, of an item type known only at run time (Single or Double).</summary>
internal abstract class NormalizerFunction
{
    public static bool CanNormalize(DataViewType type) => ((type as VectorDataViewType)?.ItemType ?? type) is NumberDataViewType item
        && (item == NumberDataViewType.Single || item == NumberDataViewType.Double)
            && type is not VectorDataViewType { IsKnownSize: false };

    /// <summary>Reads at most so many rows and makes the function of their statistics.</summary>
    public static NormalizerFunction Train(
        IDataView data, DataViewSchema.Column column, long maximumRows, NormalizerKind kind, bool fixZero) =>
        Getters.Call<NormalizerFunction>(
            (Func<IDataView, DataViewSchema.Column, long, NormalizerKind, bool, NormalizerFunction>)TrainTyped<float>,
                ItemOf(column.Type).RawType, data, column, maximumRows, kind, fixZero);

    public static NormalizerFunction Read(BinaryReader reader)
    {
        var type = SchemaSerializer.ReadType(reader);
        return Getters.Call<NormalizerFunction>(
            (Func<DataViewType, BinaryReader, NormalizerFunction>)ReadTyped<float>, ItemOf(type).RawType, type, reader);
    }

    /// <summary>The type that it was trained with.</summary>
    public abstract DataViewType Type { get; }

    public abstract Delegate MakeGetter(DataViewRow input, DataViewSchema.Column column);
    public abstract void Write(BinaryWriter writer);

    public static PrimitiveDataViewType ItemOf(DataViewType type) => (type as VectorDataViewType)?.ItemType ?? (PrimitiveDataViewType)type;

    private static Typed<T> TrainTyped<T>(IDataView data, DataViewSchema.Column column, long maximumRows, NormalizerKind kind, bool fixZero)
        where T : struct, IFloatingPointIeee754<T>
    {
        var slots = new SlotStatistics[(column.Type as VectorDataViewType)?.Size ?? 1];
        using (var cursor = data.GetRowCursor([column]))
        {
            var row = ReadRow<T>(cursor, column);
            for (long count = 0; count < maximumRows && cursor.MoveNext(); count++)
            {
                var values = row();
                for (var i = 0; i < slots.Length; i++)
                {
                    slots[i].Add(double.CreateChecked(values[i]));
                }
            }
        }

        var parameters = slots.Select(slot => slot.Parameters(kind, fixZero)).ToArray();
        return new Typed<T>(
            column.Type,
            kind == NormalizerKind.Distribution,
            [.. parameters.Select(pair => Divide<T>(pair.Offset, 1))],
            [.. parameters.Select(pair => kind == NormalizerKind.MinMax ? Divide<T>(1, pair.Width)
                : T.CreateTruncating(pair.Width > 0 && kind != NormalizerKind.Distribution ? 1 / pair.Width : pair.Width))]);
    }

    // In the precision of the column, like the application of the result.
    private static T Divide<T>(double first, double second)
        where T : struct, IFloatingPointIeee754<T> => second == 0 ? T.Zero : T.CreateTruncating(first) / T.CreateTruncating(second);

    private static Func<T[]> ReadRow<T>(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType type)
        {
            var get = row.GetGetter<VBuffer<T>>(column);
            VBuffer<T> buffer = default;
            var values = new T[type.Size];
            return () =>
            {
                get(ref buffer);
                buffer.CopyTo(values);
                return values;
            };
        }

        var getScalar = row.GetGetter<T>(column);
        var scalar = new T[1];
        return () =>
        {
            getScalar(ref scalar[0]);
            return scalar;
        };
    }

    private static Typed<T> ReadTyped<T>(DataViewType type, BinaryReader reader)
        where T : struct, IFloatingPointIeee754<T>
    {
        var distribution = reader.ReadBoolean();
        var serializer = ValueSerializer.For<T>();
        T[] Read() => [.. Enumerable.Range(0, (type as VectorDataViewType)?.Size ?? 1).Select(_ => serializer.Read(reader))];
        return new Typed<T>(type, distribution, Read(), Read());
    }

    // Affine: (value - first) * second. Distribution: the normal distribution of mean first and deviation second.
    private sealed class Typed<T>(DataViewType type, bool distribution, T[] first, T[] second) : NormalizerFunction
        where T : struct, IFloatingPointIeee754<T>
    {
        public override DataViewType Type => type;

        public override Delegate MakeGetter(DataViewRow input, DataViewSchema.Column column)
        {
            if (column.Type is not VectorDataViewType)
            {
                var get = input.GetGetter<T>(column);
                return (ValueGetter<T>)((ref T value) =>
                {
                    get(ref value);
                    value = Map(value, 0);
                });
            }

            var keepsZero = !distribution && first.All(T.IsZero);
            var getVector = input.GetGetter<VBuffer<T>>(column);
            VBuffer<T> buffer = default;
            return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
            {
                getVector(ref buffer);
                Contracts.Check(null, buffer.Length == first.Length);
                if (keepsZero && !buffer.IsDense)
                {
                    buffer.CopyTo(ref value);
                    var sparse = VBufferEditor.CreateFromBuffer(ref value);
                    for (var i = 0; i < sparse.Values.Length; i++)
                    {
                        sparse.Values[i] = Map(sparse.Values[i], sparse.Indices[i]);
                    }

                    value = sparse.Commit();
                    return;
                }

                var editor = VBufferEditor.Create(ref value, first.Length);
                buffer.CopyTo(editor.Values);
                for (var i = 0; i < first.Length; i++)
                {
                    editor.Values[i] = Map(editor.Values[i], i);
                }

                value = editor.Commit();
            });
        }

        public override void Write(BinaryWriter writer)
        {
            SchemaSerializer.WriteType(writer, type);
            writer.Write(distribution);
            var serializer = ValueSerializer.For<T>();
            foreach (var parameter in first.Concat(second))
            {
                serializer.Write(writer, parameter);
            }
        }

        private T Map(T value, int slot)
        {
            if (!distribution)
            {
                return (value - first[slot]) * second[slot];
            }

            // Slots without spread tell nothing, and neither do missing values.
            if (T.IsZero(second[slot]) || T.IsNaN(value))
            {
                return T.Zero;
            }

            var z = (double.CreateChecked(value) - double.CreateChecked(first[slot])) / double.CreateChecked(second[slot]);
            return T.CreateTruncating(NormalDistribution.Cumulative(z));
        }
    }
}

/// <summary>The kinds of normalisation.</summary>
internal enum NormalizerKind
{
    MinMax,
    MeanVariance,
    Distribution,
}

/// <summary>Range, mean and variance of one slot; missing and infinite values are left out.</summary>
internal struct SlotStatistics
{
    private long _count;
    private double _minimum;
    private double _maximum;
    private double _mean;
    private double _squares;

    public void Add(double value)
    {
        if (!double.IsFinite(value))
        {
            return;
        }

        _minimum = _count == 0 ? value : Math.Min(_minimum, value);
        _maximum = _count == 0 ? value : Math.Max(_maximum, value);
        _count++;
        var delta = value - _mean;
        _mean += delta / _count;
        _squares += delta * (value - _mean);
    }

    /// <summary>What is subtracted, and what is divided by (0: the slot becomes 0).</summary>
    public readonly (double Offset, double Width) Parameters(NormalizerKind kind, bool fixZero)
    {
        if (_count == 0 || !(_maximum > _minimum))
        {
            return (0, 0);
        }

        var variance = _squares / _count;
        return kind switch
        {
            NormalizerKind.MinMax => fixZero ? (0, Math.Max(Math.Abs(_minimum), Math.Abs(_maximum))) : (_minimum, _maximum - _minimum),
            NormalizerKind.MeanVariance => fixZero ? (0, Math.Sqrt(variance + (_mean * _mean))) : (_mean, Math.Sqrt(variance)),
            _ => (_mean, Math.Sqrt(variance)),
        };
    }
}

/// <summary>The normal distribution function.</summary>
internal static class NormalDistribution
{
    /// <summary>By Winitzki's approximation of the error function with a = 0.147, as in the real package: good to four decimals.</summary>
    public static double Cumulative(double z)
    {
        const double a = 0.147;
        var square = z * z / 2;
        var error = Math.Sqrt(1 - Math.Exp(-square * ((4 / Math.PI) + (a * square)) / (1 + (a * square))));
        return 0.5 * (1 + (z < 0 ? -error : error));
    }
}
