using System.Linq.Expressions;
using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A member of a class that stands for a column: how its .NET type and the column's type go together.</summary>
internal sealed class TypedMember
{
    private TypedMember(string name, DataViewType type, MemberInfo member, DataViewSchema.Annotations annotations)
    {
        ColumnName = name;
        ColumnType = type;
        Member = member;
        Annotations = annotations;
    }

    public string ColumnName { get; }
    public DataViewType ColumnType { get; }
    public MemberInfo Member { get; }
    public DataViewSchema.Annotations Annotations { get; }
    public Type MemberType => TypeOf(Member);

    public static IEnumerable<MemberInfo> MembersOf(Type type, SchemaDefinition.Direction direction)
    {
        foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            if (field.FieldType != typeof(IChannel) && !field.IsLiteral)
            {
                yield return field;
            }
        }

        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var fits = (direction.HasFlag(SchemaDefinition.Direction.Read) && property.GetGetMethod() != null)
                || (direction.HasFlag(SchemaDefinition.Direction.Write) && property.GetSetMethod() != null);
            if (fits && property.GetIndexParameters().Length == 0 && property.PropertyType != typeof(IChannel))
            {
                yield return property;
            }
        }
    }

    public static TypedMember[] Create(Type userType, SchemaDefinition definition, SchemaDefinition.Direction direction)
    {
        definition ??= SchemaDefinition.Create(userType, direction);
        return [.. definition.Select(column => Create(userType, column))];
    }

    /// <summary>Whether a type is a vector, and the raw type of its items.</summary>
    public static (bool IsVector, Type ItemType) Shape(MemberInfo member)
    {
        var type = TypeOf(member);
        var vector = ItemTypeOf(type);
        var item = vector ?? type;
        if (item == typeof(string))
        {
            item = typeof(ReadOnlyMemory<char>);
        }
        else if (PrimitiveOf(item) == null && DataViewTypeManager.GetOrNull(item, member.GetCustomAttributes()) == null)
        {
            // An attribute may know the type and register it on demand.
            foreach (var attribute in member.GetCustomAttributes<DataViewTypeAttribute>())
            {
                attribute.Register();
            }

            if (DataViewTypeManager.GetOrNull(item, member.GetCustomAttributes()) == null)
            {
                throw Contracts.ExceptParam(
                    null,
                    "rawType",
                    $"Could not determine an IDataView type and registered custom types for member {member.Name}");
            }
        }

        return (vector != null, item);
    }

    public static PrimitiveDataViewType PrimitiveOf(Type type) =>
        type == typeof(ReadOnlyMemory<char>) || type == typeof(string) ? TextDataViewType.Instance
        : type == typeof(bool) ? BooleanDataViewType.Instance
        : type == typeof(DateTime) ? DateTimeDataViewType.Instance
        : type == typeof(DateTimeOffset) ? DateTimeOffsetDataViewType.Instance
        : type == typeof(TimeSpan) ? TimeSpanDataViewType.Instance
        : type == typeof(DataViewRowId) ? RowIdDataViewType.Instance
        : type.IsEnum ? null
        : NumberDataViewType.FromType(type);

    public static ulong MaximumOf(Type type) => type == typeof(byte) ? byte.MaxValue
        : type == typeof(ushort) ? ushort.MaxValue
        : type == typeof(uint) ? uint.MaxValue
        : ulong.MaxValue;

    /// <summary>Whether values of a column can be put into the member.</summary>
    public bool CanHold(DataViewType type)
    {
        var (isVector, item) = Shape(Member);
        return isVector
            ? type is VectorDataViewType vector && vector.ItemType.RawType == item
            : type is not VectorDataViewType && type.RawType == item;
    }

    public Func<TRow, T> Reader<TRow, T>()
    {
        var row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, T>>(Expression.MakeMemberAccess(row, Member), row).Compile();
    }

    public Action<TRow, T> Writer<TRow, T>()
    {
        if (Member is FieldInfo { IsInitOnly: true } field)
        {
            return (target, content) => field.SetValue(target, content);
        }

        var row = Expression.Parameter(typeof(TRow));
        var value = Expression.Parameter(typeof(T));
        return Expression.Lambda<Action<TRow, T>>(Expression.Assign(Expression.MakeMemberAccess(row, Member), value), row, value).Compile();
    }

    private static TypedMember Create(Type userType, SchemaDefinition.Column column)
    {
        Contracts.CheckParam(null, column.MemberName != null, "userSchemaDefinition", "Null field name detected in schema definition");
        var member = (MemberInfo)userType.GetField(column.MemberName) ?? userType.GetProperty(column.MemberName)
            ?? throw Contracts.ExceptParam(
                null,
                "userSchemaDefinition",
                $"No field or property with name '{column.MemberName}' found in type '{userType.FullName}'");
        var (isVector, itemType) = Shape(member);
        var name = string.IsNullOrEmpty(column.ColumnName) ? column.MemberName : column.ColumnName;
        var type = column.ColumnType;
        if (type == null)
        {
            var registered = DataViewTypeManager.GetOrNull(itemType, member.GetCustomAttributes());
            type = registered ?? (isVector ? new VectorDataViewType(PrimitiveOf(itemType)) : PrimitiveOf(itemType));
        }
        else
        {
            var vector = type as VectorDataViewType;
            if (isVector != (vector != null))
            {
                throw Contracts.ExceptParam(
                    null,
                    "userSchemaDefinition",
                    $"Column '{name}' is supposed to be {(vector != null ? "vector" : "scalar")}, " +
                    $"but type of associated field '{column.MemberName}' is {(isVector ? "vector" : "scalar")}");
            }

            var wanted = vector?.ItemType.RawType ?? type.RawType;
            if (wanted != itemType)
            {
                throw Contracts.ExceptParam(
                    null,
                    "userSchemaDefinition",
                    $"Column '{name}' is supposed to have item type {wanted}, but associated field has type {itemType}");
            }
        }

        return new TypedMember(name, type, member, column.Annotations);
    }

    private static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    private static Type ItemTypeOf(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>) ? type.GetGenericArguments()[0]
        : null;
}
