using System.Collections;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>What an estimator promises of a schema before it has seen data.</summary>
public sealed class SchemaShape : IReadOnlyList<SchemaShape.Column>
{
    private static readonly SchemaShape _empty = new([]);
    private readonly Column[] _columns;

    public SchemaShape(IEnumerable<Column> columns)
    {
        Contracts.CheckValue(null, columns, nameof(columns));
        _columns = [.. columns];
        Contracts.CheckParam(null, _columns.All(column => column.IsValid), nameof(columns), "Some items are not initialized properly.");
    }

    public int Count => _columns.Length;
    public Column this[int index] => _columns[index];
    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static SchemaShape Create(DataViewSchema schema)
    {
        Contracts.CheckValue(null, schema, nameof(schema));
        return new SchemaShape(schema
            .Where(column => !column.IsHidden)
            .Select(column => Column.Create(column.Name, column.Type, column.Annotations)));
    }

    internal bool TryFindColumn(string name, out Column column)
    {
        column = _columns.FirstOrDefault(candidate => candidate.Name == name);
        return column.IsValid;
    }

    /// <summary>These columns, with others added or put in the place of their namesakes.</summary>
    internal SchemaShape With(params Column[] added)
    {
        var result = _columns.ToDictionary(column => column.Name);
        foreach (var column in added)
        {
            result[column.Name] = column;
        }

        return new SchemaShape(result.Values);
    }

    /// <summary>What is promised of one column.</summary>
    public struct Column
    {
        public readonly string Name;
        public readonly VectorKind Kind;
        public readonly DataViewType ItemType;
        public readonly bool IsKey;
        public readonly SchemaShape Annotations;

        internal Column(string name, VectorKind vecKind, DataViewType itemType, bool isKey, SchemaShape annotations = null)
        {
            Contracts.CheckNonEmpty(null, name, nameof(name));
            Contracts.CheckValue(null, itemType, nameof(itemType));
            Contracts.CheckParam(null, itemType is not KeyDataViewType, nameof(itemType), "Item type cannot be a key");
            Contracts.CheckParam(null, itemType is not VectorDataViewType, nameof(itemType), "Item type cannot be a vector");
            Contracts.CheckParam(
                null,
                !isKey || KeyDataViewType.IsValidDataType(itemType.RawType),
                nameof(itemType),
                "The item type must be valid for a key");
            Name = name;
            Kind = vecKind;
            ItemType = itemType;
            IsKey = isKey;
            Annotations = annotations ?? _empty;
        }

        public enum VectorKind
        {
            Scalar,
            Vector,
            VariableVector,
        }

        internal bool IsValid => Name != null;

        internal static Column Create(string name, DataViewType type, DataViewSchema.Annotations annotations)
        {
            var vector = type as VectorDataViewType;
            var kind = vector == null ? VectorKind.Scalar : vector.IsKnownSize ? VectorKind.Vector : VectorKind.VariableVector;
            DataViewType item = vector?.ItemType ?? type;
            var key = item as KeyDataViewType;
            var shape = annotations == null || annotations.Schema.Count == 0
                ? null
                : new SchemaShape(annotations.Schema.Select(column => Create(column.Name, column.Type, column.Annotations)));
            return new Column(name, kind, key == null ? item : NumberDataViewType.FromType(key.RawType), key != null, shape);
        }

        internal Column Rename(string name) => new(name, Kind, ItemType, IsKey, Annotations);

        internal bool IsCompatibleWith(Column source)
        {
            if (Name != source.Name || Kind != source.Kind || !ItemType.Equals(source.ItemType) || IsKey != source.IsKey)
            {
                return false;
            }

            foreach (var annotation in Annotations)
            {
                if (!source.Annotations.TryFindColumn(annotation.Name, out var found) || !annotation.IsCompatibleWith(found))
                {
                    return false;
                }
            }

            return true;
        }

        internal string GetTypeString()
        {
            var item = IsKey ? $"Key<{ItemType}>" : ItemType.ToString();
            return Kind switch
            {
                VectorKind.Vector => $"Vector<{item}>",
                VectorKind.VariableVector => $"VarVector<{item}>",
                _ => item,
            };
        }
    }
}
