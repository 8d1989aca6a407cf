using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Views from and to text files.</summary>
public static class TextLoaderSaverCatalog
{
    public static TextLoader CreateTextLoader(
        this DataOperationsCatalog catalog,
        TextLoader.Column[] columns,
        char separatorChar = '\t',
        bool hasHeader = false,
        IMultiStreamSource dataSample = null,
        bool allowQuoting = false,
        bool trimWhitespace = false,
        bool allowSparse = false) =>
        new(catalog.Environment, Options(columns, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse), dataSample);

    public static TextLoader CreateTextLoader(
        this DataOperationsCatalog catalog,
        TextLoader.Options options,
        IMultiStreamSource dataSample = null) =>
        new(catalog.Environment, options, dataSample);

    public static TextLoader CreateTextLoader<TInput>(
        this DataOperationsCatalog catalog,
        char separatorChar = '\t',
        bool hasHeader = false,
        IMultiStreamSource dataSample = null,
        bool allowQuoting = false,
        bool trimWhitespace = false,
        bool allowSparse = false) =>
        new(
            catalog.Environment,
            Options(TextLoader.ColumnsOf<TInput>(catalog.Environment), separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse),
            dataSample);

    public static TextLoader CreateTextLoader<TInput>(
        this DataOperationsCatalog catalog,
        TextLoader.Options options,
        IMultiStreamSource dataSample = null)
    {
        options.Columns = TextLoader.ColumnsOf<TInput>(catalog.Environment);
        return new TextLoader(catalog.Environment, options, dataSample);
    }

    public static IDataView LoadFromTextFile(
        this DataOperationsCatalog catalog,
        string path,
        TextLoader.Column[] columns,
        char separatorChar = '\t',
        bool hasHeader = false,
        bool allowQuoting = false,
        bool trimWhitespace = false,
        bool allowSparse = false) =>
        Load(catalog, path, Options(columns, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse));

    public static IDataView LoadFromTextFile<TInput>(
        this DataOperationsCatalog catalog,
        string path,
        char separatorChar = '\t',
        bool hasHeader = false,
        bool allowQuoting = false,
        bool trimWhitespace = false,
        bool allowSparse = false) =>
        Load(
            catalog,
            path,
            Options(
                TextLoader.ColumnsOf<TInput>(catalog.Environment),
                separatorChar,
                hasHeader,
                allowQuoting,
                trimWhitespace,
                allowSparse));

    public static IDataView LoadFromTextFile<TInput>(this DataOperationsCatalog catalog, string path, TextLoader.Options options)
    {
        options.Columns = TextLoader.ColumnsOf<TInput>(catalog.Environment);
        return Load(catalog, path, options);
    }

    public static IDataView LoadFromTextFile(this DataOperationsCatalog catalog, string path, TextLoader.Options options = null) =>
        Load(catalog, path, options ?? new TextLoader.Options());

    public static void SaveAsText(
        this DataOperationsCatalog catalog,
        IDataView data,
        Stream stream,
        char separatorChar = '\t',
        bool headerRow = true,
        bool schema = true,
        bool keepHidden = false,
        bool forceDense = false)
    {
        catalog.Environment.CheckValue(data, nameof(data));
        catalog.Environment.CheckValue(stream, nameof(stream));
        new TextSaver(separatorChar, headerRow, schema, keepHidden).Save(catalog.Environment, data, stream);
    }

    private static TextLoader.Options Options(
        TextLoader.Column[] columns,
        char separatorChar,
        bool hasHeader,
        bool allowQuoting,
        bool trimWhitespace,
        bool allowSparse) => new()
    {
        Columns = columns,
        Separators = [separatorChar],
        HasHeader = hasHeader,
        AllowQuoting = allowQuoting,
        TrimWhitespace = trimWhitespace,
        AllowSparse = allowSparse,
    };

    private static IDataView Load(DataOperationsCatalog catalog, string path, TextLoader.Options options)
    {
        catalog.Environment.CheckNonEmpty(path, nameof(path));
        var isPattern = Path.GetFileName(path).AsSpan().ContainsAny('*', '?');
        if (!isPattern && !File.Exists(path) && !Directory.Exists(path))
        {
            throw catalog.Environment.ExceptParam(nameof(path), $"File or directory does not exist at path: {path}");
        }

        var source = new MultiFileSource(path);
        return new TextLoader(catalog.Environment, options, source).Load(source);
    }
}
