using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Pretrained;

/// <summary>The files of a pretrained network, wherever they are: in a folder, in an assembly, or streams of the caller's.</summary>
/// <param name="place">Where they are, for sentences.</param>
/// <param name="open">Opens the file of a name; null where there is none.</param>
internal sealed class PretrainedFiles(string place, Func<string, Stream?> open)
{
    /// <summary>Where they are.</summary>
    public string Place => place;

    /// <summary>The files of a folder.</summary>
    public static PretrainedFiles OfFolder(string folder) => new(folder, name =>
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan) : null;
    });

    /// <summary>The resources of an assembly, by the end of their names.</summary>
    public static PretrainedFiles OfAssembly(Assembly assembly)
    {
        var names = assembly.GetManifestResourceNames();
        return new($"the resources of {assembly.GetName().Name}", name =>
        {
            var found = names.FirstOrDefault(resource => resource == name || resource.EndsWith("." + name, StringComparison.Ordinal));
            return found is null ? null : assembly.GetManifestResourceStream(found);
        });
    }

    /// <summary>The files of a folder among these.</summary>
    public PretrainedFiles In(string folder) => folder is "" or "." ? this
        : new PretrainedFiles(Path.Combine(place, folder), name => open($"{folder}/{name}"));

    /// <summary>Whether there is a file.</summary>
    public bool Has(string name)
    {
        using var stream = open(name);
        return stream is not null;
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is none of this name.</exception>
    public Stream Open(string name) => open(name) ?? throw new FileNotFoundException($"There is no '{name}' in {PlaceText}.", name);

    /// <summary>How a file is named in sentences.</summary>
    public string PathOf(string name) => Path.Combine(place, name);

    /// <summary>A file of settings.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="FormatException">It is no JSON object.</exception>
    public PretrainedSettings? ReadSettings(string name)
        => ReadJson(name) is { } json ? new PretrainedSettings(json as JsonObject ?? throw NotJson(name, "an object", null), PathOf(name)) : null;

    /// <summary>A file of JSON; null where there is none.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public JsonNode? ReadJson(string name)
    {
        using var stream = open(name);
        if (stream is null)
            return null;
        try
        {
            return JsonReading.Parse(stream);
        }
        catch (JsonException e)
        {
            throw NotJson(name, "JSON", e);
        }
    }

    /// <summary>The lines of a text file, whichever way they end.</summary>
    public string[] ReadLines(string name)
    {
        using var stream = Open(name);
        using var reader = new StreamReader(stream);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
            lines.Add(line);
        return [.. lines];
    }

    /// <summary>Runs a reader of a file and names the file in what it throws.</summary>
    public T Read<T>(string name, Func<Stream, T> read)
    {
        using var stream = Open(name);
        try
        {
            return read(stream);
        }
        catch (Exception e) when (e is FormatException or EndOfStreamException)
        {
            throw new FormatException($"Cannot read '{PathOf(name)}'. {e.Message}", e);
        }
    }

    private string PlaceText => Directory.Exists(place) ? $"folder '{place}'" : place;

    private FormatException NotJson(string name, string what, Exception? inner)
        => new($"'{PathOf(name)}' is damaged: it does not hold {what}{(inner is null ? "" : $" ({inner.Message.TrimEnd('.')})")}. Copy or download it "
            + "again.", inner);
}
