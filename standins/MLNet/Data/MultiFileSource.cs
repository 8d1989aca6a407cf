using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>Several streams that belong together.</summary>
    public interface IMultiStreamSource
    {
        int Count { get; }
        string GetPathOrNull(int index);
        Stream Open(int index);
        TextReader OpenTextReader(int index);
    }

    /// <summary>Files; a folder stands for the files in it, and the last part of a path may have wildcards.</summary>
    public sealed class MultiFileSource : IMultiStreamSource
    {
        private readonly string[] _paths;

        public MultiFileSource(params string[] paths)
        {
            Contracts.CheckValue(null, paths, nameof(paths));
            _paths = [.. paths.SelectMany(Expand)];
        }

        public int Count => _paths.Length;

        public string GetPathOrNull(int index) => _paths[index];

        public Stream Open(int index) => new FileStream(_paths[index], FileMode.Open, FileAccess.Read, FileShare.Read);

        public TextReader OpenTextReader(int index) => new StreamReader(Open(index), Encoding.UTF8);

        private static IEnumerable<string> Expand(string path)
        {
            if (Directory.Exists(path))
            {
                return Directory.GetFiles(path).Order(StringComparer.Ordinal);
            }

            var pattern = Path.GetFileName(path);
            if (!pattern.Contains('*') && !pattern.Contains('?'))
            {
                return [path];
            }

            var folder = Path.GetDirectoryName(path);
            var found = Directory.GetFiles(string.IsNullOrEmpty(folder) ? "." : folder, pattern).Order(StringComparer.Ordinal).ToArray();
            Contracts.CheckParam(null, found.Length > 0, nameof(path), $"Could not find file '{path}'");
            return found;
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Data;

    /// <summary>Loading from paths.</summary>
    public static class DataLoaderExtensions
    {
        public static IDataView Load(this IDataLoader<IMultiStreamSource> loader, params string[] path) =>
            loader.Load(new MultiFileSource(path));
    }
}
