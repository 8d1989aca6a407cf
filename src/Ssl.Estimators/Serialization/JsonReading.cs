using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Serialization;

/// <summary>Reads JSON that somebody else may have written or damaged: what is wrong is said in words that mean something to a user.</summary>
internal static class JsonReading
{
    /// <summary>A text.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public static string Text(this JsonObject json, string name)
        => TextOf(json[name]) ?? throw new FormatException($"\"{name}\" must be a text, got {Shown(json[name])}.");

    /// <summary>A name, such as a column's: a text that is not empty.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public static string Name(this JsonObject json, string name)
        => json.Text(name) is { Length: > 0 } text ? text : throw new FormatException($"\"{name}\" must be a name, got an empty text.");

    /// <summary>A list of texts.</summary>
    /// <exception cref="FormatException">It is missing or something else, or one of its items is.</exception>
    public static string[] Texts(this JsonObject json, string name) => json[name] is JsonArray list
        ? [.. list.Select((item, i) => TextOf(item) ?? throw new FormatException($"Item {i} of \"{name}\" must be a text, got {Shown(item)}."))]
        : throw new FormatException($"\"{name}\" must be a list of texts, got {Shown(json[name])}.");

    /// <summary>Parses JSON and looks at every name and text in it, which the parser itself leaves for later.</summary>
    /// <exception cref="JsonException">It is none, a text in it is no valid UTF-8 or UTF-16, or a name stands twice.</exception>
    public static JsonNode? Parse(Stream stream)
    {
        var root = JsonNode.Parse(stream);
        try
        {
            RequireTexts(root);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new JsonException(Reason(e), e);
        }
        return root;
    }

    /// <summary>What is wrong with content, without the runtime's words for it.</summary>
    public static string Reason(Exception fault) => fault switch
    {
        ArgumentNullException or NullReferenceException or KeyNotFoundException => "A value is missing.",
        ArgumentException argument => Check.Sentence(argument),
        InvalidCastException or IndexOutOfRangeException or OverflowException => "A value is of another type or size.",
        _ => fault.Message,
    };

    private static void RequireTexts(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject json:
                foreach (var (_, value) in json)
                    RequireTexts(value);
                break;
            case JsonArray list:
                foreach (var item in list)
                    RequireTexts(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                value.GetValue<string>();
                break;
        }
    }

    private static string? TextOf(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;        // half a surrogate pair, or no UTF-8
        }
    }

    private static string Shown(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "nothing",
        JsonValueKind.String => "a text that is no valid UTF-16",
        JsonValueKind.Number => "a number",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        _ => "true or false",
    };
}
