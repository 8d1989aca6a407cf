using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssl.Tool.Configuration;

/// <summary>A value of a configuration file, which knows its line. JSON with comments and trailing commas.</summary>
internal sealed class ConfigNode
{
    private ConfigNode(JsonValueKind kind, int line, string text = "") => (Kind, Line, Text) = (kind, line, text);

    public JsonValueKind Kind { get; }

    /// <summary>From 1.</summary>
    public int Line { get; }

    /// <summary>A text's value, a number as it is written; else what is to be shown of it.</summary>
    public string Text { get; private set; }

    public List<ConfigNode> Items { get; } = [];

    public List<(string Name, ConfigNode Value)> Members { get; } = [];

    /// <summary>The member of a name, whatever its case; null where there is none or this is no object.</summary>
    public ConfigNode? this[string name] => Members.FirstOrDefault(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="ConfigException">It is no JSON.</exception>
    public static ConfigNode Parse(string path, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json.TrimStart('\ufeff'));
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var lines = new LineCounter(bytes);
            reader.Read();
            var root = Read(ref reader, lines);
            while (reader.Read())
            {
            }
            return root;
        }
        catch (JsonException e)
        {
            throw new ConfigException(path, [new ConfigFault((int)(e.LineNumber ?? 0) + 1, $"This is no JSON that can be read: {Reason(e)}")]);
        }
    }

    /// <summary>The value without its lines.</summary>
    public JsonNode? ToJson() => Kind switch
    {
        JsonValueKind.Object => new JsonObject(Members.Select(member => KeyValuePair.Create(member.Name, member.Value.ToJson()))),
        JsonValueKind.Array => new JsonArray([.. Items.Select(item => item.ToJson())]),
        JsonValueKind.Null => null,
        JsonValueKind.String => JsonValue.Create(Text),
        _ => JsonNode.Parse(Text),
    };

    private static ConfigNode Read(ref Utf8JsonReader reader, LineCounter lines)
    {
        var line = lines.At((int)reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var made = new ConfigNode(JsonValueKind.Object, line, "{...}");
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    if (made.Members.Any(member => member.Name == name))
                        throw new JsonException($"\"{name}\" stands twice in one object.", null, lines.At((int)reader.TokenStartIndex) - 1, null);
                    reader.Read();
                    made.Members.Add((name, Read(ref reader, lines)));
                }
                return made;
            case JsonTokenType.StartArray:
                var array = new ConfigNode(JsonValueKind.Array, line, "[...]");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    array.Items.Add(Read(ref reader, lines));
                return array;
            case JsonTokenType.String:
                return new ConfigNode(JsonValueKind.String, line, reader.GetString()!);
            case JsonTokenType.Number:
                return new ConfigNode(JsonValueKind.Number, line, Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True:
                return new ConfigNode(JsonValueKind.True, line, "true");
            case JsonTokenType.False:
                return new ConfigNode(JsonValueKind.False, line, "false");
            default:
                return new ConfigNode(JsonValueKind.Null, line, "null");
        }
    }

    private static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? e.Message : e.Message[..end];
    }

    // Tokens come in the order of the text.
    private sealed class LineCounter(byte[] bytes)
    {
        private int _position, _line = 1;

        public int At(int position)
        {
            _line += bytes.AsSpan(_position, position - _position).Count((byte)'\n');
            _position = position;
            return _line;
        }
    }
}
