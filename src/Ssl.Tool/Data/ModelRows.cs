using Microsoft.ML;
using Ssl.Tool.Configuration;

namespace Ssl.Tool.Data;

/// <summary>What commands say of rows that do not fit a model.</summary>
internal static class ModelRows
{
    /// <summary>What is made of rows, such as a view whose schema is checked; the columns that there are stand in the message.</summary>
    public static T Check<T>(Func<T> transform, string path, DataViewSchema schema)
    {
        try
        {
            return transform();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new UsageException($"{ValueReader.WithoutParameter(e)} Columns of '{path}': {string.Join(", ", schema.Select(column => $"{column.Name} ({column.Type})"))}.");
        }
    }
}
