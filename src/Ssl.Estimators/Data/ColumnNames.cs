namespace Ssl.Estimators.Data;

/// <summary>Names that columns have where none is given.</summary>
internal static class ColumnNames
{
    public const string Features = "Features", Image = "Image", Text = "Text", Pair = "Pair", Series = "Series", Sound = "Sound";
}
