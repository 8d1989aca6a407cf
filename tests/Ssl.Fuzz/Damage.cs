using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Ssl.Estimators.Serialization;

namespace Ssl.Fuzz;

/// <summary>What is done to a file.</summary>
internal enum DamageKind
{
    /// <summary>One bit is the other one.</summary>
    Flip,

    /// <summary>The file ends early.</summary>
    Cut,

    /// <summary>A byte too many.</summary>
    Insert,

    /// <summary>Up to eight bytes are others.</summary>
    Overwrite,

    /// <summary>A piece stands twice.</summary>
    Repeat,

    /// <summary>A value of the description is an extreme one, of another type, or gone. A safetensors file gets checksums that fit.</summary>
    Value,
}

/// <summary>A damage, in numbers that fit any file.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Place">Where: a share of the file or of its values, 0 to <see cref="Places"/>.</param>
/// <param name="Choice">With what.</param>
internal sealed record Damage(DamageKind Kind, int Place, int Choice)
{
    private const int Places = 1_000_000;

    // Numbers at the edges of their types, sizes that a machine cannot have, and what is no number.
    private static readonly string[] s_values =
    [
        "0", "1", "2", "3", "-1", "7", "64", "1000", "65536", "1000000", "100000000", "2147483647", "2147483648", "-2147483648",
        "9223372036854775807", "1e300", "-1e300", "1e-300", "0.5", "1.0000001", "null", "true", "\"\"", "\"x\"", "\"\\ud800\"", "[]", "{}", "[1]", "[null]",
    ];

    /// <summary>One to three damages.</summary>
    public static Arbitrary<Damage[]> Any => Arb.From(
        Gen.Choose(0, 9).SelectMany(kind => Gen.Choose(0, Places).SelectMany(place => Gen.Choose(0, 1 << 16).Select(choice
                => new Damage(kind < 5 ? (DamageKind)kind : DamageKind.Value, place, choice))))
            .ArrayOf().Resize(3).Where(damages => damages.Length > 0),
        damages => damages.Length < 2 ? [] : damages.Select((_, i) => damages.Where((_, j) => j != i).ToArray()));

    /// <summary>The damaged file.</summary>
    public static byte[] Apply(byte[] whole, IEnumerable<Damage> damages)
    {
        foreach (var damage in damages)
            whole = damage.Apply(whole);
        return whole;
    }

    private byte[] Apply(byte[] whole)
    {
        if (whole.Length == 0)
            return whole;
        var at = (int)((long)Place * (whole.Length - 1) / Places);
        var bytes = (byte[])whole.Clone();
        switch (Kind)
        {
            case DamageKind.Flip:
                bytes[at] ^= (byte)(1 << Choice % 8);
                return bytes;
            case DamageKind.Cut:
                return bytes[..at];
            case DamageKind.Insert:
                return [.. bytes[..at], (byte)Choice, .. bytes[at..]];
            case DamageKind.Overwrite:
                new Random(Choice).NextBytes(bytes.AsSpan(at, Math.Min(1 + Choice % 8, bytes.Length - at)));
                return bytes;
            case DamageKind.Repeat:
                return [.. bytes[..at], .. bytes[(at / 2)..]];
            default:
                return WithOtherValue(bytes);
        }
    }

    private byte[] WithOtherValue(byte[] bytes)
    {
        try
        {
            if (bytes[0] is (byte)'{' or (byte)'[')
                return Encoding.UTF8.GetBytes(Changed(JsonNode.Parse(bytes)!).ToJsonString());
            var length = bytes.Length > 8 ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;
            if (length < 2 || length > bytes.Length - 8 || bytes[8] != (byte)'{')
                return bytes;
            var header = Encoding.UTF8.GetBytes(Changed(JsonNode.Parse(bytes.AsSpan(8, (int)length))!).ToJsonString());
            try
            {
                Checksums.Seal(header);
            }
            catch (InvalidOperationException)
            {
                // A file of another program has none, or the place of it is what was changed.
            }
            var prefix = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
            return [.. prefix, .. header, .. bytes[(8 + (int)length)..]];
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or ArgumentException)
        {
            return bytes;       // an earlier damage left no description
        }
    }

    // One value of all, down into the texts that are JSON themselves.
    private JsonNode Changed(JsonNode root)
    {
        var values = new List<Action<JsonNode?>>();
        var texts = new List<Action>();
        Collect(root, values, texts);
        if (values.Count == 0)
            return root;
        var set = values[(int)((long)Place * (values.Count - 1) / Places)];
        set(Choice % (s_values.Length + 1) == s_values.Length ? null : JsonNode.Parse(s_values[Choice % (s_values.Length + 1)]));
        foreach (var write in texts)
            write();
        return root;
    }

    private static void Collect(JsonNode node, List<Action<JsonNode?>> values, List<Action> texts)
    {
        switch (node)
        {
            case JsonObject json:
                foreach (var (name, value) in json.ToArray())
                {
                    values.Add(other => json[name] = other);
                    values.Add(_ => json.Remove(name));
                    if (value is JsonValue text && text.TryGetValue(out string? inner) && inner.StartsWith('{') && Parsed(inner) is { } parsed)
                    {
                        Collect(parsed, values, texts);
                        texts.Add(() =>
                        {
                            if (json[name] == value)
                                json[name] = parsed.ToJsonString();
                        });
                    }
                    else if (value is not null)
                    {
                        Collect(value, values, texts);
                    }
                }
                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    var place = i;
                    values.Add(other => list[place] = other);
                    if (list[i] is { } item)
                        Collect(item, values, texts);
                }
                break;
        }
    }

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
