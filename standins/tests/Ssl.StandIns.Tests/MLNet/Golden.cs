using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Facts recorded from the real ML.NET 5.0.0, and values put into the same form.</summary>
internal static class Golden
{
    private static readonly JsonObject _facts = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "goldens.json")))!.AsObject();

    public static JsonNode? Of(string key) => _facts.TryGetPropertyValue(key, out var fact) ? fact : throw new KeyNotFoundException($"No fact '{key}'");

    /// <summary>Fails unless the value is the recorded one.</summary>
    public static void Check(string key, object? value) => Assert.AreEqual(Text(Of(key)), Text(Json(value)), key);

    /// <summary>Fails unless the action throws what was recorded: types and messages, the outer first.</summary>
    public static void CheckError(string key, Action action) => Check(key, ErrorOf(action));

    public static object ErrorOf(Action action)
    {
        try
        {
            action();
            return "no exception";
        }
        catch (Exception e)
        {
            var chain = new List<string>();
            for (Exception? current = e; current != null; current = current.InnerException)
            {
                chain.Add($"{current.GetType().FullName}: {current.Message}");
            }

            return chain.Count == 1 ? chain[0] : chain.ToArray();
        }
    }

    public static object Schema(DataViewSchema schema) => schema.Select(column => new
    {
        column.Index,
        column.Name,
        Type = column.Type.ToString(),
        column.IsHidden,
        Annotations = Annotations(column),
    }).ToArray();

    public static Dictionary<string, object?> Annotations(DataViewSchema.Column column) =>
        column.Annotations.Schema.ToDictionary(annotation => $"{annotation.Name}:{annotation.Type}", annotation => Value(column.Annotations, annotation));

    /// <summary>Fails unless all numbers are near the recorded ones and everything else is equal.</summary>
    public static void CheckNear(string key, object? value, double tolerance)
    {
        var (expected, actual) = (Of(key), Json(value));
        Assert.IsTrue(Near(expected, actual, tolerance), $"{key}\n{Text(expected)}\n{Text(actual)}");
    }

    private static bool Near(JsonNode? expected, JsonNode? actual, double tolerance) => (expected, actual) switch
    {
        (JsonArray first, JsonArray second) => first.Count == second.Count && first.Zip(second).All(pair => Near(pair.First, pair.Second, tolerance)),
        (JsonObject first, JsonObject second) => first.Count == second.Count && first.All(entry => Near(entry.Value, second[entry.Key], tolerance)),
        (JsonValue first, JsonValue second) when first.GetValueKind() == JsonValueKind.Number && second.GetValueKind() == JsonValueKind.Number =>
            Math.Abs(double.Parse(Text(first)) - double.Parse(Text(second))) <= tolerance,
        _ => Text(expected) == Text(actual),
    };

    private static object? Value(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation) => typeof(Golden)
        .GetMethod(nameof(Typed), BindingFlags.NonPublic | BindingFlags.Static)!
        .MakeGenericMethod(annotation.Type.RawType)
        .Invoke(null, [annotations, annotation]);

    private static object? Typed<T>(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        T value = default!;
        annotations.GetGetter<T>(annotation)(ref value);
        return value;
    }

    private static JsonNode? Json(object? value)
    {
        switch (value)
        {
            case null:
                return null;
            case JsonNode node:
                return node.DeepClone();
            case string or bool:
                return JsonValue.Create(value);
            case ReadOnlyMemory<char> text:
                return text.ToString();
            case float single:
                return float.IsFinite(single) ? JsonNode.Parse(single.ToString("R")) : single.ToString();
            case double number:
                return double.IsFinite(number) ? JsonNode.Parse(number.ToString("R")) : number.ToString();
            case IDictionary<string, object?> map:
                return new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, Json(entry.Value))));
            case System.Collections.IEnumerable items:
                return new JsonArray([.. items.Cast<object?>().Select(Json)]);
            case IFormattable number:
                return JsonNode.Parse(number.ToString(null, System.Globalization.CultureInfo.InvariantCulture));
            default:
                return new JsonObject(value.GetType().GetProperties().Select(property => KeyValuePair.Create(property.Name, Json(property.GetValue(value)))));
        }
    }

    // Numbers as floats: "0" and "-0", 1 and 1.0 are the same fact. Keys in order of the alphabet.
    private static string Text(JsonNode? node) => node switch
    {
        null => "null",
        JsonArray array => $"[{string.Join(", ", array.Select(Text))}]",
        JsonObject map => $"{{{string.Join(", ", map.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}: {Text(entry.Value)}"))}}}",
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => (value.GetValue<JsonElement>().GetDouble() + 0.0).ToString("R"),
        JsonValue value => value.ToJsonString(),
        _ => node.ToJsonString(),
    };
}

/// <summary>The table that the facts were recorded with.</summary>
public sealed class Row
{
    public int Id { get; set; }
    public float A { get; set; }
    public float B { get; set; }
    public float C { get; set; }
    public string? Cat { get; set; }
    public bool Bin { get; set; }
    public string? Label { get; set; }

    [VectorType(3)]
    public float[]? V { get; set; }

    public static Row[] Fixture() => [.. Enumerable.Range(0, 30).Select(i => new Row
    {
        Id = i,
        A = (i * 7 % 11 / 2f) - 1.5f,
        B = i * i % 13,
        C = i % 10 == 9 ? float.NaN : (i * 0.25f) - 2f,
        Cat = new[] { "red", "green", "blue", "red", "black" }[i * 3 % 5],
        Bin = i * 5 % 7 < 3,
        Label = "L" + (((i * i) + (i / 4)) % 3),
        V = [i % 4 == 0 ? 0 : i, (i * 0.5f) - 3f, 1f],
    })];

    public static IDataView Data(MLContext context) => context.Data.LoadFromEnumerable(Fixture());
}
