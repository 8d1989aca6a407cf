using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataOperationsCatalog
{
    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, SchemaDefinition schemaDefinition = null)
        where TRow : class
    {
        Environment.CheckValue(data, nameof(data));
        return new EnumerableDataView<TRow>(Environment, data, schemaDefinition);
    }

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, DataViewSchema schema)
        where TRow : class
    {
        Environment.CheckValue(data, nameof(data));
        Environment.CheckValue(schema, nameof(schema));
        return new EnumerableDataView<TRow>(Environment, data, TypedSchema.DefinitionOf<TRow>(Environment, schema));
    }

    public IEnumerable<TRow> CreateEnumerable<TRow>(
        IDataView data,
        bool reuseRowObject,
        bool ignoreMissingColumns = false,
        SchemaDefinition schemaDefinition = null)
        where TRow : class, new()
    {
        Environment.CheckValue(data, nameof(data));
        var members = TypedMember.Create(typeof(TRow), schemaDefinition, SchemaDefinition.Direction.Write);
        var filler = new ObjectFiller<TRow>(Environment, data.Schema, ignoreMissingColumns, members);
        return Enumerate();

        IEnumerable<TRow> Enumerate()
        {
            using var cursor = data.GetRowCursor(filler.Columns);
            var fill = filler.Bind(cursor);
            var row = reuseRowObject ? new TRow() : null;
            while (cursor.MoveNext())
            {
                var current = row ?? new TRow();
                fill(current);
                yield return current;
            }
        }
    }
}

internal static class TypedSchema
{
    /// <summary>The definition of a class with the annotations that a schema has for its columns.</summary>
    public static SchemaDefinition DefinitionOf<TRow>(IExceptionContext context, DataViewSchema schema)
    {
        var definition = SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Read);
        foreach (var column in schema)
        {
            var member = definition[column.Name] ?? throw context.Except($"Type should contain a member named {column.Name}");
            foreach (var annotation in column.Annotations.Schema)
            {
                member.Values[annotation.Name] = (annotation.Type, column.Annotations.GetGetter(annotation.Index));
            }
        }

        return definition;
    }
}
