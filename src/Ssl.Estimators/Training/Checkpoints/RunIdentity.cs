using System.Reflection;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>
/// What makes a run the one it is: a flat list of names and values. A checkpoint holds it, and is continued only by a run with the same, so
/// that the sentence about another one can say which values differ.
/// </summary>
internal sealed class RunIdentity
{
    // Of more differences than these the sentence tells the number.
    private const int NamedDifferences = 5;

    private const string Absent = "nothing";

    private readonly Dictionary<string, string> _values = [];

    /// <summary>Every public property of an options object, but those marked with <see cref="NotPartOfIdentityAttribute"/>.</summary>
    /// <param name="options">Any object; its type may come from any assembly.</param>
    public static RunIdentity OfOptions(object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var identity = new RunIdentity();
        foreach (PropertyInfo property in options.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.CanRead && property.CanWrite && property.GetIndexParameters().Length == 0)
            .Where(property => property.GetCustomAttribute<NotPartOfIdentityAttribute>() is null)
            .OrderBy(property => property.Name, StringComparer.Ordinal))
        {
            identity.Set(property.Name, property.GetValue(options));
        }
        return identity;
    }

    /// <summary>The settings of a training and what they say of method and data.</summary>
    public static RunIdentity Of(TrainingSettings settings)
    {
        RunIdentity identity = OfOptions(settings);
        foreach ((string name, string value) in settings.Identity)
            identity._values[name] = value;
        return identity;
    }

    /// <summary>The names and values.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>The value of a name, or null.</summary>
    public string? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>Sets a value, in place of one of the same name. JSON objects become one value for each property.</summary>
    /// <param name="name">What the sentence calls it.</param>
    /// <param name="value">Any value that <see cref="StableText"/> can describe.</param>
    public RunIdentity Set(string name, object? value)
    {
        foreach (string old in _values.Keys.Where(key => key == name || key.StartsWith($"{name}.", StringComparison.Ordinal)).ToArray())
            _values.Remove(old);
        foreach ((string path, string text) in StableText.Of(name, value))
            _values[path] = text;
        return this;
    }

    /// <summary>As JSON: one property a value.</summary>
    public JsonObject ToJson() => new(_values.Select(item => KeyValuePair.Create(item.Key, (JsonNode?)item.Value)));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    public static RunIdentity FromJson(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var identity = new RunIdentity();
        foreach ((string name, JsonNode? value) in json)
            identity._values[name] = (string)value!;
        return identity;
    }

    /// <summary>Throws where a checkpoint is of another run.</summary>
    /// <param name="stored">What the checkpoint says.</param>
    /// <param name="path">The checkpoint, for the message.</param>
    /// <exception cref="InvalidOperationException">They differ; the message says in what.</exception>
    public void RequireSameAs(RunIdentity stored, string path)
    {
        ArgumentNullException.ThrowIfNull(stored);
        string[] names = [.. stored._values.Keys.Union(_values.Keys).Where(name => stored.Find(name) != Find(name))];
        if (names.Length == 0)
            return;
        string[] differences = [.. names.Take(NamedDifferences)
            .Select(name => $"{name} {stored.Find(name) ?? Absent}, this one has {Find(name) ?? Absent}")];
        string more = names.Length > NamedDifferences ? $"; and {names.Length - NamedDifferences} more" : "";
        string schedule = names.Contains(nameof(TrainingSettings.NumberOfEpochs))
            ? " The learning rate of every step follows from the number of epochs, so a run cannot be made longer afterwards." : "";
        throw new InvalidOperationException($"CheckpointPath '{path}' holds a run with {string.Join("; ", differences)}{more}.{schedule} "
            + "Delete the file, or set CheckpointPath to another one, to start anew; to continue that run, set its values again.");
    }
}
