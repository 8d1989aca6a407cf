namespace Microsoft.ML.Data;

/// <summary>Put on a property: says which registered type its column has.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
public abstract class DataViewTypeAttribute : Attribute, IEquatable<DataViewTypeAttribute>
{
    protected DataViewTypeAttribute()
    {
    }

    public abstract bool Equals(DataViewTypeAttribute other);
    public abstract void Register();
}

/// <summary>The one-to-one table between structured column types and .NET types.</summary>
public static class DataViewTypeManager
{
    private static readonly HashSet<Type> _builtIn =
    [
        typeof(bool), typeof(sbyte), typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong),
        typeof(float), typeof(double), typeof(string), typeof(ReadOnlySpan<char>), typeof(ReadOnlyMemory<char>), typeof(VBuffer<>),
        typeof(Nullable<>), typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(DataViewRowId),
    ];

    private static readonly Lock _lock = new();
    private static readonly List<(Type Type, Attribute[] Attributes, DataViewType DataViewType)> _known = [];

    public static void Register(DataViewType dataViewType, Type type, DataViewTypeAttribute typeAttribute = null) =>
        Add(dataViewType, type, typeAttribute == null ? [] : [typeAttribute]);

    public static void Register(DataViewType dataViewType, Type type, IEnumerable<Attribute> typeAttributes) =>
        Add(dataViewType, type, typeAttributes == null ? [] : [.. typeAttributes.OfType<DataViewTypeAttribute>()]);

    internal static DataViewType GetOrNull(Type type, IEnumerable<Attribute> attributes)
    {
        Attribute[] wanted = [.. (attributes ?? []).OfType<DataViewTypeAttribute>()];
        lock (_lock)
        {
            return _known.FirstOrDefault(item => Matches(item, type, wanted)).DataViewType;
        }
    }

    private static void Add(DataViewType dataViewType, Type type, Attribute[] attributes)
    {
        if (_builtIn.Contains(type))
        {
            throw new ArgumentOutOfRangeException(
                nameof(type),
                $"Type {type} has been registered as ML.NET's default supported type, so it can't not be registered again.");
        }

        lock (_lock)
        {
            var byType = _known.FirstOrDefault(item => Matches(item, type, attributes));
            if (byType.DataViewType != null && !byType.DataViewType.Equals(dataViewType))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(type),
                    $"Repeated type register. The raw type {type} has been associated with {byType.DataViewType} " +
                    $"so it cannot be associated with {dataViewType}.");
            }

            var byColumn = _known.FirstOrDefault(item => item.DataViewType.Equals(dataViewType));
            if (byColumn.DataViewType != null && !Matches(byColumn, type, attributes))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(dataViewType),
                    $"Repeated type register. The DataView type {dataViewType} has been associated with {byColumn.Type} " +
                    $"so it cannot be associated with {type}.");
            }

            if (byType.DataViewType == null)
            {
                _known.Add((type, attributes, dataViewType));
            }
        }
    }

    private static bool Matches((Type Type, Attribute[] Attributes, DataViewType DataViewType) item, Type type, Attribute[] attributes) =>
        item.Type == type && item.Attributes.SequenceEqual(attributes);
}
