using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Serialization;

/// <summary>
/// Reads a safetensors file from start to end, straight into tensors. The header is checked whole before a value is read: known element
/// types, sizes that fit the shapes, no gap, no overlap, nothing missing, nothing left over.
/// </summary>
internal sealed class SafeTensorsReader
{
    // As in the reference implementation: a longer header is taken for a foreign file.
    private const long MaximumHeader = 100_000_000;

    private readonly Stream _stream;
    private readonly string? _checksum;
    private readonly IncrementalHash? _hash;
    private bool _consumed;

    private SafeTensorsReader(Stream stream, IReadOnlyList<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string> metadata,
        string? checksum)
    {
        _stream = stream;
        _checksum = checksum;
        _hash = checksum is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The tensors, in the order of their values.</summary>
    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    /// <summary>Values of all tensors.</summary>
    public long ValueCount => Entries.Sum(entry => entry.Length / entry.Type.ElementSize());

    /// <summary>Whether the file has checksums: that of the header was compared, that of the values is when they are read.</summary>
    public bool HasChecksums => _checksum is not null;

    /// <summary>Free texts of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header; the stream stays the caller's, at the first value.</summary>
    /// <exception cref="FormatException">The content is no safetensors file, or a damaged one.</exception>
    public static SafeTensorsReader Open(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
        {
            throw new FormatException("The file ends within the first 8 bytes: it is empty, truncated or no safetensors file.");
        }

        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > MaximumHeader)
        {
            throw new FormatException(
                $"Not a safetensors file: its first 8 bytes announce a header of {(ulong)length} bytes, allowed are 2 to {MaximumHeader}.");
        }

        // The announced length is not believed before the bytes are there.
        using var header = new MemoryStream();
        var buffer = new byte[Math.Min(length, 1 << 20)];
        while (header.Length < length)
        {
            var count = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, length - header.Length));
            if (count == 0)
            {
                throw new FormatException(
                    $"The file is truncated: its header should have {length} bytes, {header.Length} are there. Copy or write it again.");
            }

            header.Write(buffer, 0, count);
            if (header.GetBuffer()[0] != (byte)'{')
            {
                throw new FormatException("Not a safetensors file: its header does not start with '{'.");
            }
        }

        var (entries, metadata) = Parse(header.GetBuffer().AsMemory(0, (int)length));
        RequireLength(stream, entries);
        return new SafeTensorsReader(stream, entries, metadata, Checksums.Check(header.GetBuffer().AsSpan(0, (int)length), metadata));
    }

    // Before memory is taken for values that are not there.
    private static void RequireLength(Stream stream, List<SafeTensorsEntry> entries)
    {
        if (!stream.CanSeek)
            return;
        var (expected, rest) = (entries.Count == 0 ? 0 : entries[^1].Start + entries[^1].Length, stream.Length - stream.Position);
        if (rest < expected)
        {
            throw new FormatException($"The file is truncated: its tensors should have {expected} bytes, {Math.Max(0, rest)} are there. Copy or write it "
                + "again.");
        }
    }

    /// <summary>Reads all tensors to the CPU. The caller owns them.</summary>
    /// <exception cref="FormatException">The file is truncated or has bytes left over.</exception>
    public Dictionary<string, Tensor> ReadAll()
    {
        Consume();
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var entry in Entries)
            {
                // Detached from any open scope: the caller owns the result wherever it was read.
                var tensor = empty(entry.Shape, entry.Type).DetachFromDisposeScope();
                tensors.Add(entry.Name, tensor);
                ReadValues(entry, tensor);
            }

            CheckEnd();
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// Reads all tensors into existing ones, such as a module's <c>state_dict()</c>: in place where the target lies on the CPU, else by
    /// one copy at a time. Names, shapes and element types must agree exactly; all differences are reported together, before anything is
    /// changed.
    /// </summary>
    /// <exception cref="FormatException">Names, shapes or types differ, and nothing is changed; the file is truncated, damaged or has bytes
    /// left over, and the tensors hold no good values.</exception>
    public void ReadInto(IReadOnlyDictionary<string, Tensor> targets)
    {
        Consume();
        CheckAgainst(targets);
        using var noGrad = no_grad();
        foreach (var entry in Entries)
        {
            using var scope = NewDisposeScope();
            var target = targets[entry.Name];
            if (target.device_type == DeviceType.CPU && target.is_contiguous())
            {
                ReadValues(entry, target.detach());
            }
            else
            {
                var values = empty(entry.Shape, entry.Type);
                ReadValues(entry, values);
                target.copy_(values);
            }
        }

        CheckEnd();
    }

    /// <summary>Makes sure that the values were taken by <see cref="ReadAll"/> or <see cref="ReadInto"/>.</summary>
    public void EnsureAllRead()
    {
        if (!_consumed)
        {
            throw new InvalidOperationException("The tensors of the archive were not read.");
        }
    }

    private void Consume()
    {
        if (_consumed)
        {
            throw new InvalidOperationException("The tensors of this stream were read already; open it again.");
        }

        _consumed = true;
    }

    private void ReadValues(SafeTensorsEntry entry, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        foreach (var slice in SafeTensors.Slices(tensor.view(-1)))
        {
            var bytes = slice.bytes;
            var count = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count < bytes.Length)
            {
                throw new FormatException(
                    $"The file is truncated: it ends within tensor '{entry.Name}' {entry.ShapeText}. Copy or write it again.");
            }
            _hash?.AppendData(bytes);
        }
    }

    private void CheckEnd()
    {
        if (_stream.ReadByte() >= 0)
        {
            throw new FormatException("The file goes on after its last tensor: it is damaged or no safetensors file.");
        }
        if (_hash is not null && Convert.ToHexStringLower(_hash.GetHashAndReset()) != _checksum)
        {
            throw new FormatException("The file is damaged: its values do not have the checksum that was written. Copy or write it again.");
        }
    }

    private void CheckAgainst(IReadOnlyDictionary<string, Tensor> targets)
    {
        var missing = targets.Keys.Except(Entries.Select(e => e.Name)).ToArray();
        var unexpected = Entries.Select(e => e.Name).Except(targets.Keys).ToArray();
        var different = new List<string>();
        foreach (var entry in Entries)
        {
            if (targets.TryGetValue(entry.Name, out var target)
                && (target.dtype != entry.Type || !target.shape.AsSpan().SequenceEqual(entry.Shape)))
            {
                different.Add($"'{entry.Name}' is {SafeTensors.NameOf(entry.Type, entry.Name)} {entry.ShapeText} in the file, expected " +
                    $"{SafeTensors.NameOf(target.dtype, entry.Name)} [{string.Join(", ", target.shape)}]");
            }
        }

        if (missing.Length + unexpected.Length + different.Count == 0)
        {
            return;
        }

        var sentences = new List<string>();
        if (missing.Length > 0)
        {
            sentences.Add($"missing: {Names(missing)}");
        }

        if (unexpected.Length > 0)
        {
            sentences.Add($"unexpected: {Names(unexpected)}");
        }

        sentences.AddRange(different.Take(8));
        throw new FormatException(
            $"The tensors of the file do not fit the network; {string.Join("; ", sentences)}. The file belongs to another encoder.");
    }

    private static string Names(string[] names) =>
        string.Join(", ", names.Take(8).Select(n => $"'{n}'")) + (names.Length > 8 ? $" and {names.Length - 8} more" : "");

    private static (List<SafeTensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(ReadOnlyMemory<byte> header)
    {
        var entries = new List<SafeTensorsEntry>();
        var metadata = new Dictionary<string, string>();
        var names = new HashSet<string>();
        try
        {
            using var document = JsonDocument.Parse(header);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                {
                    throw new FormatException($"The header names '{property.Name}' twice.");
                }

                if (property.Name == SafeTensors.MetadataName)
                {
                    foreach (var text in property.Value.EnumerateObject())
                    {
                        metadata[text.Name] = text.Value.GetString()!;
                    }
                }
                else
                {
                    entries.Add(ParseEntry(property));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"Not a safetensors file, or a damaged one: its header cannot be read ({e.Message})", e);
        }

        entries.Sort((a, b) => (a.Start, a.Length).CompareTo((b.Start, b.Length)));
        long expected = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != expected)
            {
                var fault = entry.Start < expected ? "overlap the tensor before" : "leave a gap after the tensor before";
                throw new FormatException($"The values of tensor '{entry.Name}' start at byte {entry.Start}, expected {expected}: " +
                    $"they {fault}. The file is damaged.");
            }

            expected += entry.Length;
        }

        return (entries, metadata);
    }

    private static SafeTensorsEntry ParseEntry(JsonProperty property)
    {
        var name = property.Name;
        var typeName = property.Value.GetProperty("dtype").GetString()!;
        var type = SafeTensors.TypeOf(typeName) ??
            throw new FormatException($"Tensor '{name}' has the element type '{typeName}'; allowed are {SafeTensors.KnownTypes}.");
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(s => s.GetInt64()).ToArray();
        if (offsets.Length != 2 || offsets[0] < 0 || shape.Any(s => s < 0))
        {
            throw new FormatException($"The header's entry of tensor '{name}' is damaged: shapes are not negative and offsets are two.");
        }

        try
        {
            var length = shape.Aggregate((long)type.ElementSize(), (product, size) => checked(product * size));
            return offsets[1] - offsets[0] == length
                ? new SafeTensorsEntry(name, type, shape, offsets[0], length)
                : throw new FormatException(
                    $"Tensor '{name}' of shape [{string.Join(", ", shape)}] and type {typeName} needs {length} bytes, " +
                    $"the header gives it {offsets[1] - offsets[0]}. The file is damaged.");
        }
        catch (OverflowException)
        {
            throw new FormatException($"The shape [{string.Join(", ", shape)}] of tensor '{name}' is too large. The file is damaged.");
        }
    }
}
