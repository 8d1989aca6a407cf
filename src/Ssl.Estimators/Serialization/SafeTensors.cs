using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace Ssl.Estimators.Serialization;

/// <summary>Writes named tensors in the safetensors format: 8 bytes of header length, a JSON header, then the raw values.</summary>
/// <remarks>See https://github.com/huggingface/safetensors. Little-endian, row-major, no holes. Read back with
/// <see cref="SafeTensorsReader"/>.</remarks>
internal static class SafeTensors
{
    /// <summary>The name of the header's entry that holds texts instead of a tensor.</summary>
    internal const string MetadataName = "__metadata__";

    // Spans are limited to 2 GB; larger tensors go in slices.
    internal const long SliceBytes = 1L << 28;

    private static readonly (string Name, ScalarType Type)[] s_types =
    [
        ("F32", ScalarType.Float32), ("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16), ("F64", ScalarType.Float64),
        ("I64", ScalarType.Int64), ("I32", ScalarType.Int32), ("I16", ScalarType.Int16), ("I8", ScalarType.Int8),
        ("U8", ScalarType.Byte), ("BOOL", ScalarType.Bool),
    ];

    /// <summary>Writes tensors and texts. Tensors on another device are brought over one at a time.</summary>
    /// <param name="stream">Takes the bytes; need not seek.</param>
    /// <param name="tensors">Names and tensors; the names must differ.</param>
    /// <param name="metadata">Free texts for the header.</param>
    /// <param name="checksums">Whether the header also gets checksums of itself and of the values, which <see cref="SafeTensorsReader"/>
    /// compares. Takes another pass over the tensors.</param>
    public static void Write(Stream stream, IReadOnlyCollection<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null, bool checksums = false)
    {
        if (checksums)
            metadata = Checksums.AddTo(metadata, Values(tensors));
        var header = Header(tensors, metadata).ToArray();
        if (checksums)
            Checksums.Seal(header);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var slice in Values(tensors))
        {
            stream.Write(slice.bytes);
        }
    }

    /// <summary>The values of all tensors, behind each other; each part is valid until the next.</summary>
    internal static IEnumerable<Tensor> Values(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        foreach (var (_, tensor) in tensors)
        {
            using var flat = Flat(tensor);
            foreach (var slice in Slices(flat))
                yield return slice;
        }
    }

    private static Tensor Flat(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().contiguous().view(-1).DetachFromDisposeScope();
    }

    /// <summary>Consecutive parts of a flat tensor, each small enough for a span.</summary>
    internal static IEnumerable<Tensor> Slices(Tensor flat)
    {
        var count = flat.NumberOfElements;
        var step = SliceBytes / flat.ElementSize;
        if (count == 0)
        {
            yield break;
        }

        if (count <= step)
        {
            yield return flat;
            yield break;
        }

        for (long start = 0; start < count; start += step)
        {
            using var slice = flat.narrow(0, start, Math.Min(step, count - start));
            yield return slice;
        }
    }

    internal static ScalarType? TypeOf(string name)
    {
        foreach (var (known, type) in s_types)
        {
            if (known == name)
            {
                return type;
            }
        }

        return null;
    }

    internal static string NameOf(ScalarType type, string tensor)
    {
        foreach (var (name, known) in s_types)
        {
            if (known == type)
            {
                return name;
            }
        }

        throw new NotSupportedException($"Tensor '{tensor}' has the element type {type}, which the safetensors format cannot hold here; " +
            $"it can hold {KnownTypes}.");
    }

    internal static string KnownTypes => string.Join(", ", s_types.Select(t => t.Name));

    private static ReadOnlySpan<byte> Header(IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (metadata is not null)
            {
                writer.WriteStartObject(MetadataName);
                foreach (var (key, value) in metadata)
                {
                    writer.WriteString(key, value);
                }

                writer.WriteEndObject();
            }

            var names = new HashSet<string> { MetadataName };
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                if (!names.Add(name))
                {
                    throw new ArgumentException($"The tensor name '{name}' is used twice or reserved.", nameof(tensors));
                }

                writer.WriteStartObject(name);
                writer.WriteString("dtype", NameOf(tensor.dtype, name));
                writer.WriteStartArray("shape");
                foreach (var size in tensor.shape)
                {
                    writer.WriteNumberValue(size);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                writer.WriteNumberValue(offset += tensor.NumberOfElements * tensor.ElementSize);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        // Spaces up to a multiple of 8 keep the values aligned for readers that map the file.
        var padding = -buffer.WrittenCount & 7;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan;
    }
}

/// <summary>A tensor's entry in the header of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Start">First byte, counted from the end of the header.</param>
/// <param name="Length">Number of bytes.</param>
internal sealed record SafeTensorsEntry(string Name, ScalarType Type, long[] Shape, long Start, long Length)
{
    internal string ShapeText => $"[{string.Join(", ", Shape.Select(s => s.ToString(CultureInfo.InvariantCulture)))}]";
}
