using Microsoft.ML.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Data;

/// <summary>What a table column's cells are to an encoder.</summary>
internal enum TableColumnKind
{
    /// <summary>A number of any type.</summary>
    Number,

    /// <summary>True or false: a category of two entries.</summary>
    Boolean,

    /// <summary>A text as a category.</summary>
    Text,

    /// <summary>A key: a category by its value, whatever its number; by its number where the column has no values.</summary>
    Key,

    /// <summary>A date, with or without an offset: the number of seconds since 1970.</summary>
    Date,

    /// <summary>A duration: its number of seconds.</summary>
    Duration,
}

/// <summary>Which kinds of columns a table encoder reads.</summary>
internal static class TableColumnKinds
{
    /// <summary>What is allowed, in ML.NET's words.</summary>
    public const string Expected = "a number, Boolean, String, Key, DateTime, DateTimeOffset or TimeSpan, or a known-size vector of them";

    /// <summary>What to do about other types.</summary>
    public const string Advice = "Other types become a number or a text first: by mlContext.Transforms.Conversion.ConvertType(…), or by "
        + "CustomMapping(…), as value.ToString() does for a Guid.";

    /// <summary>Whether cells of this kind are numbers to an encoder, not categories.</summary>
    public static bool IsNumeric(TableColumnKind kind) => kind is TableColumnKind.Number or TableColumnKind.Date or TableColumnKind.Duration;

    /// <summary>Whether cells of this kind are read as texts, not as numbers.</summary>
    public static bool IsText(TableColumnKind kind) => kind is TableColumnKind.Text or TableColumnKind.Key;

    /// <summary>The kind of a column; null where it cannot be read.</summary>
    public static TableColumnKind? Of(ColumnShape shape)
    {
        if (shape.Kind == Microsoft.ML.SchemaShape.Column.VectorKind.VariableVector)
            return null;
        if (shape.IsKey || shape.ItemType is KeyDataViewType)
            return TableColumnKind.Key;
        return shape.ItemType switch
        {
            NumberDataViewType => TableColumnKind.Number,
            BooleanDataViewType => TableColumnKind.Boolean,
            TextDataViewType => TableColumnKind.Text,
            DateTimeDataViewType or DateTimeOffsetDataViewType => TableColumnKind.Date,
            TimeSpanDataViewType => TableColumnKind.Duration,
            _ => null,
        };
    }

    /// <summary>A kind in ML.NET's words.</summary>
    public static string Name(TableColumnKind kind, bool isVector)
    {
        var name = kind switch
        {
            TableColumnKind.Number => "a number",
            TableColumnKind.Boolean => "Boolean",
            TableColumnKind.Key => "Key",
            TableColumnKind.Date => "DateTime or DateTimeOffset",
            TableColumnKind.Duration => "TimeSpan",
            _ => "String",
        };
        return isVector ? $"a known-size vector of {(kind == TableColumnKind.Number ? "numbers" : name)}" : name;
    }
}
