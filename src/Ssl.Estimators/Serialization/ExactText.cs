using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssl.Estimators.Serialization;

/// <summary>
/// Any texts in files of UTF-8, which cannot hold half of a surrogate pair: written as it is, such a half would come back as U+FFFD, and two
/// texts that differ there as one.
/// </summary>
/// <remarks>
/// A half is written as U+FDD0, which no text should have (a noncharacter), and its four hexadecimal digits; so is U+FDD0 itself. Texts without
/// either stay as they are, and so do files that were written before.
/// </remarks>
internal static class ExactText
{
    private const char Mark = '\uFDD0';

    private const string MarkInJson = "\\uFDD0";

    private const int Digits = 4;

    /// <summary>The text as it can be written.</summary>
    public static string Escape(string text)
    {
        if (PlaceToEscape(text) < 0)
            return text;
        var result = new StringBuilder(text.Length + 2 * Digits);
        var rest = text.AsSpan();
        for (var place = PlaceToEscape(rest); place >= 0; place = PlaceToEscape(rest))
        {
            result.Append(rest[..place]).Append(Mark).Append(CultureInfo.InvariantCulture, $"{(int)rest[place]:X4}");
            rest = rest[(place + 1)..];
        }
        return result.Append(rest).ToString();
    }

    /// <summary>The text that <see cref="Escape"/> was given.</summary>
    public static string Unescape(string text)
    {
        if (!text.Contains(Mark))
            return text;
        var result = new StringBuilder(text.Length);
        var rest = text.AsSpan();
        for (var place = rest.IndexOf(Mark); place >= 0; place = rest.IndexOf(Mark))
        {
            result.Append(rest[..place]);
            var behind = rest[(place + 1)..];
            var isEscaped = ushort.TryParse(behind[..Math.Min(Digits, behind.Length)], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var unit) && behind.Length >= Digits;
            result.Append(isEscaped ? (char)unit : Mark);
            rest = isEscaped ? behind[Digits..] : behind;
        }
        return result.Append(rest).ToString();
    }

    /// <summary>JSON whose names and texts come back from <see cref="Parse(string)"/> as they are.</summary>
    public static string ToJson(JsonNode node)
    {
        using var stream = new MemoryStream();
        Write(stream, node);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>Writes such JSON to a stream.</summary>
    public static void Write(Stream stream, JsonNode node)
    {
        using var writer = new Utf8JsonWriter(stream);
        Write(writer, node);
    }

    /// <summary>Reads what <see cref="Write(Stream, JsonNode)"/> wrote.</summary>
    /// <exception cref="JsonException">It is no JSON, or what <see cref="JsonReading.Parse"/> refuses.</exception>
    public static JsonNode? Parse(Stream stream) => Unescaped(JsonReading.Parse(stream));

    /// <summary>Reads what <see cref="ToJson"/> gave.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JsonNode? Parse(string json)
    {
        var node = JsonNode.Parse(json);
        return json.Contains(MarkInJson, StringComparison.OrdinalIgnoreCase) || json.Contains(Mark) ? Unescaped(node) : node;
    }

    private static int PlaceToEscape(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == Mark)
                return i;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                return i;
            i++;
        }
        return -1;
    }

    private static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject json:
                writer.WriteStartObject();
                foreach (var (name, value) in json)
                {
                    writer.WritePropertyName(Escape(name));
                    Write(writer, value);
                }
                writer.WriteEndObject();
                break;
            case JsonArray items:
                writer.WriteStartArray();
                foreach (var item in items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValue value when value.TryGetValue(out string? text):
                writer.WriteStringValue(Escape(text));
                break;
            case null:
                writer.WriteNullValue();
                break;
            default:
                node.WriteTo(writer);
                break;
        }
    }

    private static JsonNode? Unescaped(JsonNode? node) => node switch
    {
        JsonObject json => new JsonObject(json.Select(item => KeyValuePair.Create(Unescape(item.Key), Unescaped(item.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Unescaped)]),
        JsonValue value when value.TryGetValue(out string? text) => JsonValue.Create(Unescape(text)),
        _ => node?.DeepClone(),
    };
}
