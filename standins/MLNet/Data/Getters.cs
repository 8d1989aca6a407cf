using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Getters whose value type is known only at run time.</summary>
internal static class Getters
{
    /// <summary>Calls <paramref name="method"/> (a generic method group closed over any type) with its type argument replaced.</summary>
    public static TResult Call<TResult>(Delegate method, Type type, params object[] arguments) =>
        (TResult)method.Method.GetGenericMethodDefinition().MakeGenericMethod(type)
            .Invoke(method.Target, BindingFlags.DoNotWrapExceptions, null, arguments, null);

    /// <summary>The getter of a column, as a <c>ValueGetter&lt;RawType&gt;</c>.</summary>
    public static Delegate Get(DataViewRow row, DataViewSchema.Column column) =>
        Call<Delegate>((Func<DataViewRow, DataViewSchema.Column, Delegate>)GetTyped<int>, column.Type.RawType, row, column);

    /// <summary>The getter, if it is of the asked value type.</summary>
    public static ValueGetter<T> Cast<T>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<T>
        ?? throw Contracts.Except(
            null,
            $"Invalid TValue in GetGetter for column #{column}: '{typeof(T)}', " +
            $"expected type: '{getter.GetType().GetGenericArguments()[0]}'.");

    /// <summary>Which columns of a schema are asked for, by index.</summary>
    public static bool[] Active(IEnumerable<DataViewSchema.Column> columnsNeeded, DataViewSchema schema)
    {
        var active = new bool[schema.Count];
        foreach (var column in columnsNeeded ?? [])
        {
            Contracts.CheckParam(
                null,
                column.Index < active.Length,
                nameof(columnsNeeded),
                $"Column '{column.Name}' is not part of the schema");
            active[column.Index] = true;
        }

        return active;
    }

    public static void CheckActive(bool active)
    {
        if (!active)
        {
            throw new ArgumentOutOfRangeException("column", "requested column not active");
        }
    }

    /// <summary>A getter that always gives the same value (vectors are copied into the caller's buffer).</summary>
    public static Delegate Constant(object value) => Call<Delegate>((Func<object, Delegate>)ConstantTyped<int>, value.GetType(), value);

    private static ValueGetter<T> ConstantTyped<T>(object value)
    {
        var copy = CopierOf<T>();
        var typed = (T)value;
        return (ref T destination) => copy(in typed, ref destination);
    }

    /// <summary>Copies a value into a caller's buffer: vectors deeply, everything else by assignment.</summary>
    public delegate void Copier<T>(in T source, ref T destination);

    public static Copier<T> CopierOf<T>()
    {
        if (typeof(T).IsGenericType && typeof(T).GetGenericTypeDefinition() == typeof(VBuffer<>))
        {
            return (Copier<T>)Call<Delegate>((Func<Delegate>)VectorCopier<int>, typeof(T).GetGenericArguments()[0]);
        }

        return static (in source, ref destination) => destination = source;
    }

    private static Delegate VectorCopier<T>() => (Copier<VBuffer<T>>)((in source, ref destination) => source.CopyTo(ref destination));

    private static Delegate GetTyped<T>(DataViewRow row, DataViewSchema.Column column) => row.GetGetter<T>(column);
}
