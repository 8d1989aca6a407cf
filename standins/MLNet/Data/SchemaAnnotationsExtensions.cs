namespace Microsoft.ML.Data;

/// <summary>Kinds of annotation that the built-in components know.</summary>
internal static class AnnotationKinds
{
    public const string KeyValues = "KeyValues";
    public const string SlotNames = "SlotNames";
    public const string IsNormalized = "IsNormalized";
    public const string ScoreColumnKind = "ScoreColumnKind";
    public const string ScoreColumnSetId = "ScoreColumnSetId";
    public const string ScoreValueKind = "ScoreValueKind";
    public const string CategoricalSlotRanges = "CategoricalSlotRanges";
    public const string TrainingLabelValues = "TrainingLabelValues";
}

/// <summary>The usual annotations of a column.</summary>
public static class SchemaAnnotationsExtensions
{
    public static bool HasSlotNames(this DataViewSchema.Column column) =>
        HasSlotNames(column, (column.Type as VectorDataViewType)?.Size ?? 0);

    public static void GetSlotNames(this DataViewSchema.Column column, ref VBuffer<ReadOnlyMemory<char>> slotNames) =>
        column.Annotations.GetValue(AnnotationKinds.SlotNames, ref slotNames);

    public static bool HasKeyValues(this DataViewSchema.Column column, PrimitiveDataViewType keyValueItemType = null)
    {
        var found = column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues)?.Type as VectorDataViewType;
        return found != null && found.ItemType.Equals(keyValueItemType ?? TextDataViewType.Instance);
    }

    public static void GetKeyValues<TValue>(this DataViewSchema.Column column, ref VBuffer<TValue> keyValues) =>
        column.Annotations.GetValue(AnnotationKinds.KeyValues, ref keyValues);

    public static bool IsNormalized(this DataViewSchema.Column column)
    {
        var value = false;
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.IsNormalized)?.Type is BooleanDataViewType)
        {
            column.Annotations.GetValue(AnnotationKinds.IsNormalized, ref value);
        }

        return value;
    }

    internal static bool HasSlotNames(this DataViewSchema.Column column, int size) => size > 0
        && column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.SlotNames)?.Type is VectorDataViewType type
        && type.ItemType is TextDataViewType
        && type.Size == size;

    /// <summary>Adds the names of a vector's slots, computed when they are read.</summary>
    internal static void AddSlotNames(
        this DataViewSchema.Annotations.Builder builder,
        int size,
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter) =>
        builder.Add(AnnotationKinds.SlotNames, new VectorDataViewType(TextDataViewType.Instance, size), getter);

    /// <summary>Adds the values that a key stands for.</summary>
    internal static void AddKeyValues<TValue>(
        this DataViewSchema.Annotations.Builder builder,
        int count,
        PrimitiveDataViewType type,
        ValueGetter<VBuffer<TValue>> getter) =>
        builder.Add(AnnotationKinds.KeyValues, new VectorDataViewType(type, count), getter);
}
