using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Ssl.MLNet;
using Ssl.Tool.Configuration;

namespace Ssl.Tool.Data;

/// <summary>The section "data" of a file of settings: where rows are, and the columns that are made of theirs.</summary>
/// <param name="Path">A file, or a folder of images or sounds.</param>
/// <param name="File">How a file is read; its Format is "images" or "sounds" for a folder.</param>
/// <param name="Texts">New text columns, each of several joined in order.</param>
/// <param name="Vectors">New vector columns, each of several numbers in order.</param>
/// <param name="Images">Columns of images and the columns of their paths.</param>
/// <param name="Sounds">Columns of sounds and the columns of their paths.</param>
/// <param name="SampleRate">Of sounds, a second.</param>
internal sealed record DataSettings(string Path, FileSettings File, IReadOnlyDictionary<string, IReadOnlyList<string>> Texts, IReadOnlyDictionary<string, IReadOnlyList<string>> Vectors,
    IReadOnlyDictionary<string, string> Images, IReadOnlyDictionary<string, string> Sounds, int SampleRate)
{
    private const string ImagesFormat = "images", SoundsFormat = "sounds";
    private const int UsualSampleRate = 16_000;

    private static readonly string[] s_soundEndings = [".wav", ".mp3", ".ogg"];

    /// <summary>What <c>--format</c> and "format" may say.</summary>
    public static readonly string[] Formats = [.. RowFile.Formats, ImagesFormat, SoundsFormat];

    /// <summary>Reads the section; a path that is relative starts from the current folder.</summary>
    public static DataSettings? Read(ConfigNode? node, ConfigFaults faults, ConfigNode root)
    {
        if (node is not { Kind: JsonValueKind.Object })
        {
            faults.Add(node ?? root, "\"data\" must be an object that says where rows are: { \"path\": \"rows.csv\" }.");
            return null;
        }
        faults.RequireKnown(node, "\"data\"", "path", "format", "separator", "header", "types", "texts", "vectors", "images", "sounds", "sampleRate");
        var path = faults.Text(node, "path");
        if (node["path"] is null)
            faults.Add(node, "\"data\" needs \"path\": a file of rows, or a folder of images or sounds.");
        var format = faults.Text(node, "format");
        if (format is not null && !Formats.Contains(format))
            faults.Add(node["format"]!, $"\"format\" must be one of {string.Join(", ", Formats)}, got \"{format}\".");
        var separator = faults.Text(node, "separator");
        if (separator is { Length: not 1 })
            faults.Add(node["separator"]!, $"\"separator\" must be one character, got \"{separator}\".");
        if (node["header"] is { } header && header.Kind is not (JsonValueKind.True or JsonValueKind.False))
            faults.Add(header, $"\"header\" must be true or false, got {header.Text}.");
        var rate = UsualSampleRate;
        if (node["sampleRate"] is { } stated && !int.TryParse(stated.Text, NumberStyles.None, CultureInfo.InvariantCulture, out rate))
            faults.Add(stated, $"\"sampleRate\" must be a whole number of samples a second, got {stated.Text}.");
        var kinds = new Dictionary<string, CellKind>();
        foreach (var (name, value) in Members(node, "types", faults))
        {
            if (value.Text is "text" or "number")
                kinds[name] = value.Text == "text" ? CellKind.Text : CellKind.Number;
            else
                faults.Add(value, $"The type of '{name}' must be \"text\" or \"number\", got {value.Text}.");
        }
        return path is null ? null : new DataSettings(path, new FileSettings(format, separator?[0], node["header"]?.Kind != JsonValueKind.False, kinds),
            Lists("texts"), Lists("vectors"), Paths("images"), Paths("sounds"), rate);

        Dictionary<string, IReadOnlyList<string>> Lists(string key)
            => Members(node, key, faults).ToDictionary(member => member.Name, member => faults.Texts(member.Value, member.Name));

        Dictionary<string, string> Paths(string key)
            => Members(node, key, faults).ToDictionary(member => member.Name, member => member.Value.Text);
    }

    private static List<(string Name, ConfigNode Value)> Members(ConfigNode node, string key, ConfigFaults faults)
    {
        if (node[key] is not { } value)
            return [];
        if (value.Kind != JsonValueKind.Object)
            faults.Add(value, $"\"{key}\" must be an object with a member for each column, got {value.Text}.");
        return [.. value.Members.DistinctBy(member => member.Name)];
    }

    /// <summary>The rows, lazily.</summary>
    /// <param name="mlContext">Whose stages make the further columns.</param>
    /// <param name="columns">Gets the kinds of a file's columns, so that another file of the same rows is read the same way.</param>
    public IDataView Open(MLContext mlContext, out IReadOnlyList<FileColumn> columns)
    {
        columns = [];
        IDataView rows;
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        if (Directory.Exists(Path))
        {
            rows = File.Format == SoundsFormat ? SoundFolder(mlContext) : mlContext.SelfSupervised().Data.LoadImageFolder(Path);
        }
        else
        {
            if (File.Format is ImagesFormat or SoundsFormat)
                throw new UsageException($"There is no folder '{Path}' of {File.Format}.");
            var file = RowFile.Open(Path, File);
            columns = file.Columns;
            RequireColumns(file);
            rows = new RecordView(file);
        }
        // Every stage is lazy, and fitting one reads nothing.
        foreach (var (name, parts) in Texts)
            rows = JoinedTexts.Join(mlContext, name, parts).Fit(rows).Transform(rows);
        foreach (var (name, parts) in Vectors)
            rows = mlContext.Transforms.Concatenate(name, [.. Expand(parts, columns)]).Fit(rows).Transform(rows);
        foreach (var (name, path) in Images)
            rows = mlContext.Transforms.LoadImages(name, folder, path).Fit(rows).Transform(rows);
        foreach (var (name, path) in Sounds)
            rows = mlContext.SelfSupervised().Audio.LoadSounds(name, folder, path, SampleRate).Fit(rows).Transform(rows);
        return rows;
    }

    /// <summary>The same rows' description for another path.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="format">Its format; null where its ending says it, or the path is a folder.</param>
    public DataSettings At(string path, string? format)
        => this with { Path = path, File = File with { Format = format ?? (Directory.Exists(path) ? File.Format : System.IO.Path.GetExtension(path).Equals(System.IO.Path.GetExtension(Path), StringComparison.OrdinalIgnoreCase) ? File.Format : null) } };

    // "x*" is every column of the file whose name begins so.
    private static IEnumerable<string> Expand(IReadOnlyList<string> parts, IReadOnlyList<FileColumn> columns)
        => parts.SelectMany(part => part.EndsWith('*') ? columns.Select(column => column.Name).Where(name => name.StartsWith(part[..^1], StringComparison.Ordinal)) : [part]);

    private void RequireColumns(RowFile file)
    {
        var needed = Texts.Concat(Vectors).SelectMany(pair => pair.Value).Concat(Images.Values).Concat(Sounds.Values);
        foreach (var name in needed.Where(name => !name.EndsWith('*') && file.Columns.All(column => column.Name != name)))
        {
            throw new UsageException(file.LeftOut.TryGetValue(name, out var why) ? $"Column '{name}' of '{Path}' cannot be read: it holds {why}."
                : $"'{Path}' has no column '{name}'{Names.Nearest(name, file.Columns.Select(column => column.Name))} It has: {string.Join(", ", file.Columns.Select(column => column.Name))}.");
        }
    }

    private IDataView SoundFolder(MLContext mlContext)
    {
        var files = Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
            .Where(file => s_soundEndings.Contains(System.IO.Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)
            .Select(file => new SoundRow { Path = file, Label = System.IO.Path.GetRelativePath(Path, file).Split(System.IO.Path.DirectorySeparatorChar) is [var label, _, ..] ? label : "" }).ToArray();
        if (files.Length == 0)
            throw new UsageException($"There is no sound in '{Path}' or the folders within: no file ends in {string.Join(", ", s_soundEndings)}.");
        var rows = mlContext.Data.LoadFromEnumerable(files);
        return mlContext.SelfSupervised().Audio.LoadSounds(inputColumnName: "Path", sampleRate: SampleRate).Fit(rows).Transform(rows);
    }

    private sealed class SoundRow
    {
        public string Path { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
