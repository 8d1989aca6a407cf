using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Transformers;

/// <summary>What the keys of a label column stand for, in their order: text, numbers or booleans.</summary>
internal sealed class ClassValues
{
    private const string KindKey = "kind", ValuesKey = "values";

    // Types that text can be converted to and back without loss: archives keep the values as text.
    private static readonly (DataKind Kind, DataViewType Type)[] s_kinds =
    [
        (DataKind.String, TextDataViewType.Instance), (DataKind.Boolean, BooleanDataViewType.Instance),
        (DataKind.SByte, NumberDataViewType.SByte), (DataKind.Byte, NumberDataViewType.Byte),
        (DataKind.Int16, NumberDataViewType.Int16), (DataKind.UInt16, NumberDataViewType.UInt16),
        (DataKind.Int32, NumberDataViewType.Int32), (DataKind.UInt32, NumberDataViewType.UInt32),
        (DataKind.Int64, NumberDataViewType.Int64), (DataKind.UInt64, NumberDataViewType.UInt64),
        (DataKind.Single, NumberDataViewType.Single), (DataKind.Double, NumberDataViewType.Double),
    ];

    private ClassValues(DataKind kind, string[] texts) => (Kind, Texts) = (kind, texts);

    /// <summary>Type of the values.</summary>
    public DataKind Kind { get; }

    /// <summary>The values as text.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>How many.</summary>
    public int Count => Texts.Count;

    /// <summary>The values of a key column; a key without any has its numbers from 1, and values of other types are text.</summary>
    public static ClassValues Of(DataViewSchema.Column label)
    {
        var kind = KeyValues.ItemType(label) is { } type
            ? s_kinds.Where(k => k.Type.Equals(type)).Select(k => k.Kind).FirstOrDefault(DataKind.String) : DataKind.UInt32;
        return new(kind, KeyValues.Texts(label));
    }

    /// <summary>Classes that texts name.</summary>
    public static ClassValues OfTexts(IReadOnlyList<string> texts) => new(DataKind.String, [.. texts]);

    /// <summary>Adds the values to a column's annotations, under their usual name and their own type.</summary>
    /// <param name="annotations">Where to.</param>
    /// <param name="kind">Kind of the annotation.</param>
    public void AddTo(DataViewSchema.Annotations.Builder annotations, string kind)
    {
        var type = new VectorDataViewType((PrimitiveDataViewType)s_kinds.First(k => k.Kind == Kind).Type, Count);
        annotations.Add(kind, type, Getter());
    }

    /// <summary>Whether the values are text: only then they name slots.</summary>
    public bool IsText => Kind == DataKind.String;

    public JsonObject ToJson() => new()
    {
        [KindKey] = Kind.ToString(),
        [ValuesKey] = new JsonArray([.. Texts.Select(text => (JsonNode)text)]),
    };

    /// <exception cref="FormatException">The kind is none of a key's values, or a value is not of it.</exception>
    public static ClassValues FromJson(JsonObject json)
    {
        if (!Enum.TryParse(json.Text(KindKey), out DataKind kind) || s_kinds.All(known => known.Kind != kind))
            throw new FormatException($"\"{json.Text(KindKey)}\" is no type of classes.");
        var values = new ClassValues(kind, json.Texts(ValuesKey));
        try
        {
            _ = values.Getter();
        }
        catch (Exception fault) when (fault is FormatException or OverflowException)
        {
            throw new FormatException($"A class is no {kind}.", fault);
        }
        return values;
    }

    private T[] Values<T>() => [.. Texts.Select(text => (T)Convert.ChangeType(text, typeof(T), CultureInfo.InvariantCulture))];

    private Delegate Getter() => Kind switch
    {
        DataKind.String => Getter(Texts.Select(text => text.AsMemory()).ToArray()),
        DataKind.Boolean => Getter(Values<bool>()),
        DataKind.SByte => Getter(Values<sbyte>()),
        DataKind.Byte => Getter(Values<byte>()),
        DataKind.Int16 => Getter(Values<short>()),
        DataKind.UInt16 => Getter(Values<ushort>()),
        DataKind.Int32 => Getter(Values<int>()),
        DataKind.UInt32 => Getter(Values<uint>()),
        DataKind.Int64 => Getter(Values<long>()),
        DataKind.UInt64 => Getter(Values<ulong>()),
        DataKind.Single => Getter(Values<float>()),
        _ => Getter(Values<double>()),
    };

    private static ValueGetter<VBuffer<T>> Getter<T>(T[] values) => (ref VBuffer<T> value) =>
    {
        var editor = VBufferEditor.Create(ref value, values.Length);
        values.CopyTo(editor.Values);
        value = editor.Commit();
    };
}
