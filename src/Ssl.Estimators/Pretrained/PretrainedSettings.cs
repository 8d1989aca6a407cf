using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Pretrained;

/// <summary>A file of settings beside pretrained weights; what is missing or of another kind is named with the file.</summary>
/// <param name="json">The settings.</param>
/// <param name="path">The file, for sentences.</param>
internal sealed class PretrainedSettings(JsonObject json, string path)
{
    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Whether a setting is there and not null.</summary>
    public bool Has(string name) => json[name] is not null;

    /// <summary>A whole number.</summary>
    public int Integer(string name, int? otherwise = null) => Value(name, "a whole number", otherwise);

    /// <summary>A number.</summary>
    public double Number(string name, double? otherwise = null) => Value(name, "a number", otherwise);

    /// <summary>True or false.</summary>
    public bool Boolean(string name, bool? otherwise = null) => Value(name, "true or false", otherwise);

    /// <summary>A text.</summary>
    public string Text(string name)
        => TextOrNull(name) ?? throw Fault(name, "a text");

    /// <summary>A text, or the text of a token that is described; null where there is none.</summary>
    public string? TextOrNull(string name) => json[name] switch
    {
        null => null,
        JsonObject token when token["content"] is JsonValue value && value.TryGetValue(out string? content) => content,
        JsonValue value when value.TryGetValue(out string? text) => text,
        _ => throw Fault(name, "a text"),
    };

    /// <summary>An object within.</summary>
    /// <returns>Null where there is none.</returns>
    public PretrainedSettings? Part(string name) => json[name] switch
    {
        null => null,
        JsonObject part => new PretrainedSettings(part, path),
        _ => throw Fault(name, "an object"),
    };

    /// <summary>The value of a setting; null where there is none.</summary>
    public JsonNode? this[string name] => json[name];

    /// <summary>A sentence about a setting.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="expected">What it must be.</param>
    public FormatException Fault(string name, string expected)
        => new($"'{path}' must have \"{name}\", {expected}, got {json[name]?.ToJsonString() ?? "nothing"}.");

    private T Value<T>(string name, string expected, T? otherwise) where T : struct
    {
        if (json[name] is null && otherwise is { } value)
            return value;
        try
        {
            return json[name] is JsonValue found ? found.GetValue<JsonElement>().Deserialize<T>() : throw Fault(name, expected);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // model_max_length is 1e30 where nobody set it
            throw Fault(name, expected);
        }
    }
}
