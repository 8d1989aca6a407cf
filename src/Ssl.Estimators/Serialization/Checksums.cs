using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace Ssl.Estimators.Serialization;

/// <summary>
/// Two entries in the metadata of a safetensors file: the SHA-256 of the values, and that of the header with zeros in the place of this
/// one. The header's is compared before anything of it is believed, the values' when all are read.
/// </summary>
internal static class Checksums
{
    private const string HeaderKey = "ssl.sha256_header", ValuesKey = "ssl.sha256_values";

    // Where the header's own checksum stands until it is known.
    private static readonly string s_open = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Metadata with the checksum of the values and a place for that of the header.</summary>
    public static Dictionary<string, string> AddTo(IReadOnlyDictionary<string, string>? metadata, IEnumerable<Tensor> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in values)
            hash.AppendData(part.bytes);
        return new Dictionary<string, string>(metadata ?? new Dictionary<string, string>())
        {
            [ValuesKey] = Convert.ToHexStringLower(hash.GetHashAndReset()),
            [HeaderKey] = s_open,
        };
    }

    /// <summary>Puts the header's checksum where <see cref="AddTo"/> left a place.</summary>
    public static void Seal(Span<byte> header)
    {
        var place = PlaceIn(header);
        if (place.IsEmpty)
            throw new InvalidOperationException($"The header has no place for its checksum; {nameof(AddTo)} makes one.");
        Encoding.ASCII.GetBytes(s_open, place);
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(header)), place);
    }

    /// <summary>Compares the header's checksum.</summary>
    /// <param name="header">The header; its checksum is overwritten.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <returns>The checksum of the values; null where the file has none.</returns>
    /// <exception cref="FormatException">The header was changed, or has one of the two checksums only.</exception>
    public static string? Check(Span<byte> header, IReadOnlyDictionary<string, string> metadata)
    {
        var (expected, values) = (metadata.GetValueOrDefault(HeaderKey), metadata.GetValueOrDefault(ValuesKey));
        if (expected is null && values is null)
            return null;
        if (expected is not null && values is not null && PlaceIn(header) is { Length: > 0 } place)
        {
            Encoding.ASCII.GetBytes(s_open, place);
            if (Convert.ToHexStringLower(SHA256.HashData(header)) == expected)
                return values;
        }
        throw new FormatException("The file is damaged: its header does not have the checksum that was written. Copy or write it again.");
    }

    /// <summary>The header's checksum, which speaks for all of the file; null where it has none.</summary>
    public static string? OfFile(IReadOnlyDictionary<string, string> metadata) => metadata.GetValueOrDefault(HeaderKey);

    private static Span<byte> PlaceIn(Span<byte> header)
    {
        var start = Encoding.ASCII.GetBytes($"\"{HeaderKey}\":\"");
        int at = header.IndexOf(start);
        return at < 0 || header.Length < at + start.Length + s_open.Length ? [] : header.Slice(at + start.Length, s_open.Length);
    }
}
