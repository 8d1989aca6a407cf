using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>
/// The same text for the same value in every process, for any value that an option may have: numbers and texts as they are, lists item by
/// item, what has a <c>ToJson</c> (encoders, tokenizers) by that, and all else (views, also those of the user) by its type and fields.
/// </summary>
internal static class StableText
{
    // A longer text is cut, and a checksum of the whole stands for the rest.
    private const int MaximumLength = 200, KeptLength = 120;

    // Deeper down only the type counts: nobody nests options so far, and a cycle would never end.
    private const int MaximumDepth = 12;

    /// <summary>The text, or, of something with properties, one text for each of them under a dotted name.</summary>
    /// <param name="name">Name of the value.</param>
    /// <param name="value">The value.</param>
    public static IEnumerable<(string Name, string Text)> Of(string name, object? value)
    {
        // Properties of their own make better sentences than one long text: "Encoder.width 64, this one has 32".
        if (ToJson(value) is JsonObject json && json.Count > 0 && json.All(item => Shorten(Json(item.Value)) == Json(item.Value)))
            return json.Select(item => ($"{name}.{item.Key}", Json(item.Value)));
        return [(name, Shorten(Of(value)))];
    }

    /// <summary>The whole text of a value.</summary>
    public static string Of(object? value) => Of(value, 0);

    private static string Of(object? value, int depth)
    {
        switch (value)
        {
            case null:
                return "null";
            case string text:
                return text;
            case Type type:
                return type.FullName!;
            case IFormattable number:
                return number.ToString(null, CultureInfo.InvariantCulture);
            case bool flag:
                return flag ? "true" : "false";
            case Delegate function:
                return $"{function.Method.DeclaringType}.{function.Method.Name}"
                    + (function.Target is { } target && depth < MaximumDepth ? Fields(target, depth) : "");
            case Tensor tensor:
                return $"tensor [{string.Join(", ", tensor.shape)}] {Checksum(tensor)}";
            case nn.Module module:
                return $"{module.GetType().Name}({string.Join(", ",
                    module.state_dict().Select(item => $"{item.Key}: {Of(item.Value, depth + 1)}"))})";
        }
        if (ToJson(value) is { } json)
            return Json(json);
        if (depth >= MaximumDepth)
            return value.GetType().Name;
        return value is IEnumerable items
            ? $"[{string.Join(", ", items.Cast<object?>().Select(item => Of(item, depth + 1)))}]"
            : value.GetType().Name + Fields(value, depth);
    }

    // "(height: 8, width: 8)": the fields of all base classes, by name.
    private static string Fields(object value, int depth)
    {
        var fields = new List<(string Name, object? Value)>();
        for (Type? type = value.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            fields.AddRange(type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Select(field => (Readable(field.Name), field.GetValue(value))));
        }
        return $"({string.Join(", ", fields.OrderBy(field => field.Name, StringComparer.Ordinal)
            .Select(field => $"{field.Name}: {Of(field.Value, depth + 1)}"))})";
    }

    // "_radius", "<Rate>k__BackingField" of a property and "<views>P" of a constructor's parameter: "radius", "Rate", "views".
    private static string Readable(string field)
    {
        int end = field.IndexOf('>', StringComparison.Ordinal);
        return field.StartsWith('<') && end > 1 ? field[1..end] : field.TrimStart('_');
    }

    private static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        JsonNode json => json,
        _ => value.GetType().GetMethod(nameof(ToJson), BindingFlags.Instance | BindingFlags.Public, []) is { } method
            && method.ReturnType.IsAssignableTo(typeof(JsonNode)) ? (JsonNode?)method.Invoke(value, []) : null,
    };

    private static string Json(JsonNode? json) => json is JsonValue value && value.TryGetValue(out string? text)
        ? text : json is null ? "null" : ExactText.ToJson(json);

    private static string Shorten(string text) => text.Length <= MaximumLength ? text
        : $"{text[..KeptLength]}... (checksum {Checksum(Encoding.UTF8.GetBytes(text))})";

    private static string Checksum(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return Checksum(tensor.detach().cpu().contiguous().bytes);
    }

    private static string Checksum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes)[..8]);
}
