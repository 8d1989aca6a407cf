using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How the members of a class are columns.</summary>
public sealed class SchemaDefinition : List<SchemaDefinition.Column>
{
    private SchemaDefinition()
    {
    }

    /// <summary>Which members count: readable, writable ones.</summary>
    [Flags]
    public enum Direction
    {
        Read = 1,
        Write = 2,
        Both = Read | Write,
    }

    public Column this[string columnName]
    {
        get => this.FirstOrDefault(column => column.ColumnName == columnName);
        set
        {
            Contracts.CheckValue(null, value, nameof(value));
            if (value.ColumnName != columnName)
            {
                throw Contracts.ExceptParam(
                    null,
                    nameof(columnName),
                    $"The column name is specified as '{value.ColumnName}' but must match the selector '{columnName}'.");
            }

            var index = FindIndex(column => column.ColumnName == columnName);
            if (index >= 0)
            {
                this[index] = value;
            }
            else
            {
                Add(value);
            }
        }
    }

    public static SchemaDefinition Create(Type userType, Direction direction = Direction.Both)
    {
        Contracts.CheckValue(null, userType, nameof(userType));
        var result = new SchemaDefinition();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in TypedMember.MembersOf(userType, direction))
        {
            if (member.GetCustomAttribute<NoColumnAttribute>() != null)
            {
                continue;
            }

            var name = member.GetCustomAttribute<ColumnNameAttribute>()?.Name ?? member.Name;
            Contracts.CheckParam(null, names.Add(name), nameof(userType), $"Duplicate column name '{name}' detected, this is disallowed");
            result.Add(new Column(member.Name, TypeOf(member), name));
        }

        return result;
    }

    private static DataViewType TypeOf(MemberInfo member)
    {
        var (isVector, itemType) = TypedMember.Shape(member);
        if (DataViewTypeManager.GetOrNull(itemType, member.GetCustomAttributes()) is { } registered)
        {
            return registered;
        }

        PrimitiveDataViewType item;
        if (member.GetCustomAttribute<KeyTypeAttribute>() is { } key)
        {
            if (!KeyDataViewType.IsValidDataType(itemType))
            {
                throw Contracts.ExceptParam(
                    null,
                    "userType",
                    $"Member {member.Name} marked with KeyType attribute, but does not appear to be a valid kind of data for a key type");
            }

            item = key.Count is { } count
                ? new KeyDataViewType(itemType, count)
                : new KeyDataViewType(itemType, TypedMember.MaximumOf(itemType));
        }
        else
        {
            item = TypedMember.PrimitiveOf(itemType);
        }

        var vector = member.GetCustomAttribute<VectorTypeAttribute>();
        if (vector != null && !isVector)
        {
            throw Contracts.ExceptParam(
                null,
                "userType",
                $"Member {member.Name} marked with VectorTypeAttribute, but does not appear to be a vector type");
        }

        return isVector ? new VectorDataViewType(item, vector?.Dimensions is { Length: > 0 } dimensions ? dimensions : [0]) : item;
    }

    /// <summary>One member as a column. Name, type and annotations can be changed.</summary>
    public sealed class Column
    {
        internal Column(string memberName, DataViewType columnType, string columnName = null)
        {
            Contracts.CheckNonEmpty(null, memberName, nameof(memberName));
            MemberName = memberName;
            ColumnName = columnName ?? memberName;
            ColumnType = columnType;
        }

        public string MemberName { get; }
        public string ColumnName { get; set; }
        public DataViewType ColumnType { get; set; }

        public DataViewSchema.Annotations Annotations
        {
            get
            {
                var builder = new DataViewSchema.Annotations.Builder();
                foreach (var (kind, (type, getter)) in Values)
                {
                    builder.Add(kind, type, getter);
                }

                return builder.ToAnnotations();
            }
        }

        internal Dictionary<string, (DataViewType Type, Delegate Getter)> Values { get; } = new(StringComparer.Ordinal);

        public void AddAnnotation<T>(string kind, T value, DataViewType annotationType)
        {
            Contracts.CheckValue(null, kind, nameof(kind));
            Contracts.CheckValue(null, annotationType, nameof(annotationType));
            Contracts.Check(null, !Values.ContainsKey(kind), "Column already contains an annotation of this kind.");
            Values[kind] = (annotationType, AnnotationGetter(value, annotationType));
        }

        private static Delegate AnnotationGetter<T>(T value, DataViewType type)
        {
            object raw = value switch
            {
                string text => text.AsMemory(),
                string[] texts => new VBuffer<ReadOnlyMemory<char>>(texts.Length, [.. texts.Select(text => text.AsMemory())]),
                Array array => Getters.Call<object>((Func<Array, object>)ToVector<int>, array.GetType().GetElementType(), array),
                _ => value,
            };
            if (raw.GetType() != type.RawType)
            {
                throw Contracts.ExceptParam(null, "annotationType", $"Annotation value of type '{typeof(T)}' does not fit the type {type}");
            }

            return Getters.Constant(raw);
        }

        private static object ToVector<T>(Array array) => new VBuffer<T>(array.Length, (T[])array.Clone());
    }
}
