using System.Text.Json.Nodes;

namespace Ssl.Estimators.Encoders;

/// <summary>Reads an encoder's description; what is missing is named.</summary>
internal sealed class EncoderJsonReader(JsonObject json)
{
    /// <summary>A whole number.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public int Integer(string name) => Value<int>(name, "a whole number");

    /// <summary>A number.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public double Number(string name) => Value<double>(name, "a number");

    /// <summary>True or false.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public bool Boolean(string name) => Value<bool>(name, "true or false");

    /// <summary>A text.</summary>
    /// <exception cref="FormatException">It is missing or something else.</exception>
    public string Text(string name) => Value<string>(name, "a text");

    private T Value<T>(string name, string expected)
        => json[name] is JsonValue value && value.TryGetValue(out T? found) && found is not null
            ? found
            : throw new FormatException($"The description of the encoder '{json[EncoderFactory.KindProperty]}' must have \"{name}\", "
                + $"{expected}, got {json[name]?.ToJsonString() ?? "nothing"}.");
}
