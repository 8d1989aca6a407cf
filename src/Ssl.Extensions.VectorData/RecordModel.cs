using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Extensions.VectorData;

namespace Ssl.Extensions.VectorData;

/// <summary>What a property of a record is for.</summary>
internal enum RecordRole
{
    Key,
    Data,
    Vector,
}

/// <summary>A property of a record.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Dimension">Length of a vector.</param>
/// <param name="DistanceFunction">How vectors are compared; null where nothing says it.</param>
/// <param name="Member">The property of a class; null where records are dictionaries.</param>
internal sealed record RecordProperty(string Name, Type Type, RecordRole Role, int Dimension, string? DistanceFunction, PropertyInfo? Member)
{
    /// <summary>Whether it holds numbers; else the collection makes them of what it holds.</summary>
    public bool HoldsNumbers => Role == RecordRole.Vector && VectorTypes.IsVector(Type);

    /// <summary>Its value in a record.</summary>
    public object? Get(object record) => Member is not null ? Member.GetValue(record) : ((Dictionary<string, object?>)record).GetValueOrDefault(Name);

    /// <summary>Gives it a value.</summary>
    public void Set(object record, object? value)
    {
        if (Member is not null)
            Member.SetValue(record, value);
        else
            ((Dictionary<string, object?>)record)[Name] = value;
    }

    /// <summary>The property as stores want to be told of it.</summary>
    public Expression<Func<TRecord, object?>> Selector<TRecord>()
    {
        var record = Expression.Parameter(typeof(TRecord), "record");
        Expression value = Member is not null ? Expression.Property(record, Member)
            : Expression.Call(record, typeof(Dictionary<string, object?>).GetMethod("get_Item")!, Expression.Constant(Name));
        return Expression.Lambda<Func<TRecord, object?>>(Expression.Convert(value, typeof(object)), record);
    }
}

/// <summary>The properties of a collection's records: from the attributes of their type, or from the definition that the collection was made with.</summary>
internal sealed class RecordModel
{
    private RecordModel(IReadOnlyList<RecordProperty> properties, RecordProperty key, RecordProperty? vector)
        => (Properties, Key, Vector) = (properties, key, vector);

    /// <summary>All properties.</summary>
    public IReadOnlyList<RecordProperty> Properties { get; }

    /// <summary>The key.</summary>
    public RecordProperty Key { get; }

    /// <summary>The vector that is meant; null where there is none.</summary>
    public RecordProperty? Vector { get; }

    /// <summary>Reads the properties.</summary>
    /// <exception cref="ArgumentException">The type and the definition do not say what is the key, or what the vector.</exception>
    public static RecordModel Of<TRecord>(VectorStoreOptions options)
    {
        var type = typeof(TRecord);
        var isDynamic = type == typeof(Dictionary<string, object?>);
        RecordProperty[] properties = options.Definition is { } definition
            ? [.. definition.Properties.Select(property => Of(property, isDynamic ? null : type.GetProperty(property.Name) ?? throw new ArgumentException(
                $"The definition has a property '{property.Name}', {type.Name} has none of that name.", nameof(options))))]
            : isDynamic ? throw new ArgumentException("The records of a dynamic collection are dictionaries, which do not say what is in them: set "
                + $"{nameof(VectorStoreOptions.Definition)} to the definition that the collection was made with.", nameof(options))
            : [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(Of).OfType<RecordProperty>()];
        RecordProperty[] keys = [.. properties.Where(property => property.Role == RecordRole.Key)];
        if (keys.Length != 1)
        {
            throw new ArgumentException($"{type.Name} has {keys.Length} keys, one is needed: put [VectorStoreKey] on its property, or set "
                + $"{nameof(VectorStoreOptions.Definition)}.", nameof(options));
        }
        RecordProperty[] vectors = [.. properties.Where(property => property.Role == RecordRole.Vector)];
        var vector = options.VectorPropertyName is { } name
            ? vectors.FirstOrDefault(property => property.Name == name) ?? throw new ArgumentException($"{nameof(VectorStoreOptions.VectorPropertyName)} is "
                + $"'{name}'. Vectors there: {string.Join(", ", vectors.Select(property => $"'{property.Name}'"))}.", nameof(options))
            : vectors.Length == 1 ? vectors[0] : null;
        return new RecordModel(properties, keys[0], vector);
    }

    /// <summary>The vector that is meant.</summary>
    /// <exception cref="ArgumentException">There is none, or several.</exception>
    public RecordProperty RequireVector() => Vector ?? throw new ArgumentException(
        Properties.Count(property => property.Role == RecordRole.Vector) is var count and > 0
            ? $"The records have {count} vectors: {nameof(VectorStoreOptions.VectorPropertyName)} must say which is meant."
            : $"The records have no vector: put [VectorStoreVector] on its property, or set {nameof(VectorStoreOptions.Definition)}.");

    private static RecordProperty Of(VectorStoreProperty property, PropertyInfo? member) => property switch
    {
        VectorStoreKeyProperty => new(property.Name, TypeOf(property, member), RecordRole.Key, 0, null, member),
        VectorStoreVectorProperty vector => new(property.Name, TypeOf(property, member), RecordRole.Vector, vector.Dimensions, vector.DistanceFunction, member),
        _ => new(property.Name, TypeOf(property, member), RecordRole.Data, 0, null, member),
    };

    private static RecordProperty? Of(PropertyInfo member)
        => member.GetCustomAttribute<VectorStoreKeyAttribute>() is not null ? new(member.Name, member.PropertyType, RecordRole.Key, 0, null, member)
            : member.GetCustomAttribute<VectorStoreVectorAttribute>() is { } vector
                ? new(member.Name, member.PropertyType, RecordRole.Vector, vector.Dimensions, vector.DistanceFunction, member)
            : member.GetCustomAttribute<VectorStoreDataAttribute>() is not null ? new(member.Name, member.PropertyType, RecordRole.Data, 0, null, member)
            : null;

    private static Type TypeOf(VectorStoreProperty property, PropertyInfo? member) => member?.PropertyType ?? property.Type
        ?? throw new ArgumentException($"The definition does not say of what type '{property.Name}' is.", "options");
}
