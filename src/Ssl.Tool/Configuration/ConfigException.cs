namespace Ssl.Tool.Configuration;

/// <summary>What is wrong in a file of settings.</summary>
/// <param name="Line">Of the file, from 1; 0 where it belongs to none.</param>
/// <param name="Sentence">What is wrong, what is allowed, what to do.</param>
internal sealed record ConfigFault(int Line, string Sentence);

/// <summary>A file of settings cannot be used; all faults at once, in the order of the lines.</summary>
internal sealed class ConfigException(string path, IEnumerable<ConfigFault> faults) : Exception(Describe(path, faults))
{
    private static string Describe(string path, IEnumerable<ConfigFault> faults)
        => string.Join(Environment.NewLine, faults.OrderBy(fault => fault.Line).Select(fault => $"{path}{(fault.Line > 0 ? $"({fault.Line})" : "")}: {fault.Sentence}"));
}

/// <summary>Collects the faults of one file.</summary>
internal sealed class ConfigFaults(string path)
{
    private readonly List<ConfigFault> _faults = [];

    public string Path { get; } = path;

    public void Add(ConfigNode at, string sentence) => _faults.Add(new ConfigFault(at.Line, sentence));

    public void ThrowIfAny()
    {
        if (_faults.Count > 0)
            throw new ConfigException(Path, _faults);
    }

    /// <summary>Adds a fault for each member of another name.</summary>
    public void RequireKnown(ConfigNode node, string what, params ReadOnlySpan<string> known)
    {
        foreach (var (name, value) in node.Members)
        {
            if (!known.ToArray().Contains(name, StringComparer.OrdinalIgnoreCase))
                Add(value, $"{what} has no \"{name}\"{Names.Nearest(name, known.ToArray())} Known: {string.Join(", ", known.ToArray())}.");
        }
    }

    /// <summary>A text, or null where it is not given or of another kind, which is a fault.</summary>
    public string? Text(ConfigNode node, string name)
    {
        if (node[name] is not { } value)
            return null;
        if (value.Kind == System.Text.Json.JsonValueKind.String && !string.IsNullOrWhiteSpace(value.Text))
            return value.Text;
        Add(value, $"\"{name}\" must be a text that is not empty, got {value.Text}.");
        return null;
    }

    /// <summary>Texts of an array.</summary>
    public IReadOnlyList<string> Texts(ConfigNode value, string name)
    {
        if (value.Kind == System.Text.Json.JsonValueKind.Array && value.Items.Count > 0 && value.Items.All(item => item.Kind == System.Text.Json.JsonValueKind.String))
            return [.. value.Items.Select(item => item.Text)];
        Add(value, $"\"{name}\" must be an array of names, such as [\"A\", \"B\"], got {value.Text}.");
        return [];
    }
}

/// <summary>Finds the name that was meant.</summary>
internal static class Names
{
    /// <summary>" (did you mean \"X\"?)." where a known name is near; else a full stop.</summary>
    public static string Nearest(string name, IEnumerable<string> known)
    {
        var (nearest, distance) = known.Select(other => (other, Distance(name.ToUpperInvariant(), other.ToUpperInvariant()))).DefaultIfEmpty(("", int.MaxValue)).MinBy(pair => pair.Item2);
        return distance <= Math.Max(2, name.Length / 3) ? $" (did you mean \"{nearest}\"?)." : ".";
    }

    // Levenshtein's: insertions, deletions and replacements of a letter.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
