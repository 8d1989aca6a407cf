using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;

namespace Ssl.Estimators;

/// <summary>A file of an image folder that has no row.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why it cannot be read, as the end of a sentence: "the file ends before the image does".</param>
public sealed record UnreadableFile(string Path, string Reason);

/// <summary>
/// The images of a folder as rows: what <c>LoadImageFolder</c> gives. An image is decoded when it is read, so that memory holds the paths and one image a
/// cursor. Rows have the order of their paths; a caller may ask for a shuffled one. Any number of threads may read at once.
/// </summary>
public sealed class ImageFolder : IDataView
{
    private const int NamedFiles = 5;

    private readonly string[] _paths;
    // Of each path the place in Classes, or -1.
    private readonly int[] _labels;
    private readonly DataViewSchema.Column _image, _path;
    private readonly DataViewSchema.Column? _label;

    private ImageFolder(string folder, string[] paths, int[] labels, string[] classes, UnreadableFile[] unreadable, ImageFolderOptions options)
    {
        (Folder, _paths, _labels, Classes, UnreadableFiles) = (folder, paths, labels, classes, unreadable);
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(options.ImageColumnName, new ImageDataViewType());
        builder.AddColumn(options.PathColumnName, TextDataViewType.Instance);
        if (options.IncludeLabel == true)
            builder.AddColumn(options.LabelColumnName, TextDataViewType.Instance);
        Schema = builder.ToSchema();
        (_image, _path) = (Schema[0], Schema[1]);
        _label = options.IncludeLabel == true ? Schema[2] : null;
    }

    /// <summary>The folder, as it was given.</summary>
    public string Folder { get; }

    /// <summary>The folders directly within it that hold images, in the order of their names; empty where no label is read.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Files with the ending of an image that have no row, in the order of their paths, each with the reason.</summary>
    public IReadOnlyList<UnreadableFile> UnreadableFiles { get; }

    /// <summary>Image (of any size), path (text: the folder as it was given, and the way from there), and where there are classes the label (text).</summary>
    public DataViewSchema Schema { get; }

    /// <summary>True: a shuffled order costs nothing more.</summary>
    public bool CanShuffle => true;

    /// <summary>The number of readable images.</summary>
    public long? GetRowCount() => _paths.Length;

    /// <summary>Reads the rows, in the order of their paths or, with <paramref name="rand"/>, in a drawn one.</summary>
    /// <param name="columnsNeeded">Only these can be read; files are opened for the column of images only.</param>
    /// <param name="rand">Draws an order; null for that of the paths.</param>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        return new Cursor(this, [.. columnsNeeded.Select(column => column.Index)], rand);
    }

    /// <summary>One cursor over all rows.</summary>
    /// <param name="columnsNeeded">Only these can be read.</param>
    /// <param name="n">Not used.</param>
    /// <param name="rand">Draws an order; null for that of the paths.</param>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>Lists a folder and looks at its files.</summary>
    internal static ImageFolder Read(IHostEnvironment environment, string folder, ImageFolderOptions given)
    {
        var options = given.Checked();
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}' ({Path.GetFullPath(folder)}).");
        var (files, others) = List(folder, options);
        var names = files.Select(file => ClassOf(Path.GetRelativePath(folder, file))).ToArray();
        string[] classes = [.. names.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (options.IncludeLabel == true && files.Count > 0 && classes.Length == 0)
        {
            throw new ArgumentException($"The images of '{folder}' lie in no folders, which would be their labels. Put those of a class into one folder each, "
                + "or set IncludeLabel to false.", nameof(folder));
        }
        options.IncludeLabel ??= classes.Length > 0;

        var faults = new string?[files.Count];
        if (options.Check != ImageCheck.None)
        {
            Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = options.CancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount },
                i => faults[i] = ImageFileCheck.FaultOf(files[i], options.Check));
        }
        UnreadableFile[] unreadable = [.. files.Index().Where(file => faults[file.Index] is not null).Select(file => new UnreadableFile(file.Item, faults[file.Index]!))];
        int[] readable = [.. Enumerable.Range(0, files.Count).Where(i => faults[i] is null)];
        if (readable.Length == 0)
            throw new InvalidOperationException(NothingFound(folder, options, others, unreadable));
        if (unreadable.Length > 0)
        {
            using var channel = environment.Register(nameof(ImageFolder)).Start("Load");
            channel.Warning(MessageSensitivity.UserData, "{0}", $"{unreadable.Length:N0} of {files.Count:N0} files in '{folder}' are left out: {Named(unreadable)}.");
        }
        if (options.IncludeLabel != true)
            classes = [];
        return new ImageFolder(folder, [.. readable.Select(i => files[i])], [.. readable.Select(i => names[i] is { } name ? Array.BinarySearch(classes, name, StringComparer.Ordinal) : -1)],
            classes, unreadable, options);
    }

    // The images in the order of their paths, which no file system promises, and how many other files there are.
    private static (List<string> Images, int Others) List(string folder, ImageFolderOptions options)
    {
        var (images, others) = (new List<string>(), 0);
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = options.IncludeSubfolders, IgnoreInaccessible = false }))
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            if (options.Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                images.Add(file);
            else
                others++;
        }
        images.Sort(StringComparer.Ordinal);
        return (images, others);
    }

    private static string? ClassOf(string relative)
        => relative.IndexOfAny([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]) is > 0 and var end ? relative[..end] : null;

    private static string NothingFound(string folder, ImageFolderOptions options, int others, UnreadableFile[] unreadable)
        => unreadable.Length > 0 ? $"None of the {unreadable.Length:N0} images in '{folder}' can be read: {Named(unreadable)}."
            : $"There is no image in '{folder}'{(options.IncludeSubfolders ? " or the folders within" : "")}: no file ends in {string.Join(", ", options.Extensions)}"
                + (others > 0 ? $" ({others:N0} end otherwise; Extensions says which to take)." : ".");

    private static string Named(UnreadableFile[] unreadable)
        => string.Join("; ", unreadable.Take(NamedFiles).Select(file => $"'{file.Path}' ({file.Reason})"))
            + (unreadable.Length > NamedFiles ? $"; and {unreadable.Length - NamedFiles:N0} more" : "");

    private sealed class Cursor(ImageFolder folder, HashSet<int> active, Random? rand) : DataViewRowCursor
    {
        private readonly int[]? _order = Order(folder._paths.Length, rand);
        private long _position = -1;
        private bool _ended;

        public override DataViewSchema Schema => folder.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        private int Row => _position < 0 ? throw new InvalidOperationException("The cursor stands on no row: call MoveNext first, and read only where it gives true.")
            : _order is null ? (int)_position : _order[_position];

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override bool MoveNext()
        {
            if (!_ended && _position + 1 < folder._paths.Length)
            {
                _position++;
                return true;
            }
            (_ended, _position) = (true, -1);
            return false;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not among those that the cursor was asked for.");
            Delegate getter = column.Index == folder._image.Index ? ReadImage
                : column.Index == folder._path.Index ? (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = folder._paths[Row].AsMemory())
                : (ref ReadOnlyMemory<char> value) => value = folder._labels[Row] is >= 0 and var label ? folder.Classes[label].AsMemory() : default;
            return getter as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType.Name}, not {typeof(TValue).Name}.");
        }

        // As LoadImages does: the caller's former image is disposed of, the new one is the caller's, and knows its file.
        private ValueGetter<MLImage> ReadImage => (ref MLImage value) =>
        {
            value?.Dispose();
            value = null!;
            var path = folder._paths[Row];
            var image = MLImage.CreateFromFile(path);
            image.Tag = path;
            value = image;
        };

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)Row, 0);

        private static int[]? Order(int count, Random? rand)
        {
            if (rand is null)
                return null;
            int[] order = [.. Enumerable.Range(0, count)];
            rand.Shuffle(order);
            return order;
        }
    }
}
