using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace VectorStoreExample.SqliteVec;

/// <summary>Which records a collection takes.</summary>
internal sealed class SqliteVecModelBuilder() : CollectionModelBuilder(new CollectionModelBuildingOptions
{
    SupportsMultipleVectors = false,
    RequiresAtLeastOneVector = true,
})
{
    private static readonly Type[] s_data = [typeof(string), typeof(bool), typeof(int), typeof(long), typeof(float), typeof(double), typeof(DateTimeOffset)];

    protected override bool SupportsKeyAutoGeneration(Type keyPropertyType) => false;

    protected override bool IsDataPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = string.Join(", ", s_data.Select(known => known.Name));
        return s_data.Contains(Nullable.GetUnderlyingType(type) ?? type);
    }

    protected override bool IsVectorPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = "ReadOnlyMemory<float>, Embedding<float>, float[]";
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(ReadOnlyMemory<float>) || type == typeof(Embedding<float>) || type == typeof(float[]);
    }

    protected override void ValidateKeyProperty(KeyPropertyModel keyProperty)
    {
        base.ValidateKeyProperty(keyProperty);
        if (keyProperty.Type != typeof(string) && keyProperty.Type != typeof(int) && keyProperty.Type != typeof(long))
            throw new NotSupportedException($"A key is string, int or long, not {keyProperty.Type.Name}.");
    }
}

/// <summary>Names and values in SQLite.</summary>
internal static class SqliteValues
{
    /// <summary>A name as SQLite reads it.</summary>
    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The type of a column.</summary>
    public static string TypeOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(bool) || t == typeof(int) || t == typeof(long) => "INTEGER",
        var t when t == typeof(float) || t == typeof(double) => "REAL",
        _ => "TEXT",
    };

    /// <summary>A value as a parameter. Dates are written so that their order is that of their texts.</summary>
    public static object ToSqlite(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset date => date.ToUniversalTime().ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        _ => value,
    };

    /// <summary>A value of a column.</summary>
    public static object? FromSqlite(object value, Type type) => value is DBNull ? null : (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(DateTimeOffset) => DateTimeOffset.Parse((string)value, System.Globalization.CultureInfo.InvariantCulture),
        var t => Convert.ChangeType(value, t, System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <summary>The values of a vector, in whichever form a record holds them.</summary>
    public static ReadOnlyMemory<float>? VectorOf(object? value) => value switch
    {
        ReadOnlyMemory<float> memory => memory,
        float[] array => array,
        Embedding<float> embedding => embedding.Vector,
        _ => (ReadOnlyMemory<float>?)null,
    };

    /// <summary>A vector as a record holds it.</summary>
    public static object VectorAs(float[] vector, Type type)
        => type == typeof(float[]) ? vector : type == typeof(Embedding<float>) ? new Embedding<float>(vector) : (ReadOnlyMemory<float>)vector;
}
