using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Rows;

/// <summary>What a check must know of a column, before Fit (a shape) and at Fit (a schema), and its type in ML.NET's words.</summary>
/// <param name="ItemType">Type of one value.</param>
/// <param name="Kind">Scalar, vector of known size, or vector of varying size.</param>
/// <param name="IsKey">Whether it is a key.</param>
public readonly record struct ColumnShape(DataViewType ItemType, SchemaShape.Column.VectorKind Kind, bool IsKey)
{
    /// <summary>
    /// Sizes of a vector as its type states them, such as channels, height, width; null where they are not known (before Fit).
    /// </summary>
    public IReadOnlyList<int>? Dimensions { get; init; }

    /// <summary>The annotation of a column of sounds that says how many samples there are a second.</summary>
    internal const string SampleRateAnnotation = "SampleRate";

    /// <summary>Samples a second of a column of sounds; null where nothing says so.</summary>
    internal int? SampleRate { get; init; }

    /// <summary>The column of this name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    internal static ColumnShape Find(DataViewSchema schema, string name, string role = "input")
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw Check.MissingColumn(role, name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        var kind = column.Type is not VectorDataViewType vector ? SchemaShape.Column.VectorKind.Scalar
            : vector.IsKnownSize ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector;
        var item = column.Type is VectorDataViewType v ? v.ItemType : column.Type;
        return new ColumnShape(item, kind, item is KeyDataViewType)
        {
            Dimensions = column.Type is VectorDataViewType { IsKnownSize: true } known ? known.Dimensions : null,
            SampleRate = SampleRateOf(column),
        };
    }

    /// <inheritdoc cref="Find(DataViewSchema, string, string)"/>
    internal static ColumnShape Find(SchemaShape schema, string name, string role = "input")
    {
        foreach (var column in schema)
        {
            if (column.Name == name)
                return new ColumnShape(column.ItemType, column.Kind, column.IsKey);
        }
        throw Check.MissingColumn(role, name, schema.Select(c => c.Name));
    }

    private static int? SampleRateOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(SampleRateAnnotation)?.Type != NumberDataViewType.Int32)
            return null;
        var rate = 0;
        column.Annotations.GetValue(SampleRateAnnotation, ref rate);
        return rate;
    }

    /// <summary>Whether it is a column of one text a row.</summary>
    public bool IsText => Kind == SchemaShape.Column.VectorKind.Scalar && ItemType is TextDataViewType;

    /// <summary>ML.NET's exception for a column of a type that is not allowed.</summary>
    /// <param name="name">Name of the column.</param>
    /// <param name="expected">The types that are allowed, in ML.NET's words: "VarVector&lt;Single&gt;".</param>
    /// <param name="advice">What to do, a full sentence; optional.</param>
    public ArgumentOutOfRangeException Mismatch(string name, string expected, string? advice = null)
        => Check.SchemaMismatch("input", name, expected, ToString(), advice);

    /// <summary>The type in ML.NET's words.</summary>
    public override string ToString()
    {
        var item = IsKey && ItemType is not KeyDataViewType ? $"Key<{ItemType}>" : ItemType.ToString();
        return Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{item}>",
            _ => item ?? "",
        };
    }
}
