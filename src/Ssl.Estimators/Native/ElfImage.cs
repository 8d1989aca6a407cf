using System.Buffers.Binary;
using System.Text;

namespace Ssl.Estimators.Native;

/// <summary>
/// A 64-bit little-endian ELF library as bytes: which symbol versions it asks of other libraries, which it defines, and whether a version
/// that it asks for is used by any relocation. Layouts: System V gABI, and "ELF Symbol Versioning" (Drepper).
/// </summary>
/// <remarks>Everything is read and bounded when the image is: damaged bytes give no image, whatever they say.</remarks>
internal sealed class ElfImage
{
    private const uint RelocationsWithAddends = 4, NoBytes = 8, DynamicSymbols = 11;
    private const uint VersionDefinitions = 0x6ffffffd, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const int HeaderSize = 64, SectionSize = 64, SymbolSize = 24, RelocationSize = 24;

    // A version entry has at least as many bytes: more entries than fit in the section are a lie.
    private const int SmallestEntry = 16;

    private readonly byte[] _bytes;
    private readonly Section[] _sections;
    private readonly List<Need> _needs = [];
    private readonly HashSet<string> _definitions = [];

    // Where the names of symbols with a version stand that some relocation refers to; null where the library does not say.
    private readonly Dictionary<int, List<int>>? _relocated;

    private ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        _sections = ReadSections();
        foreach (var section in _sections)
        {
            if (section.Type == VersionNeeds)
                ReadNeeds(section);
            else if (section.Type == VersionDefinitions)
                ReadDefinitions(section);
        }
        _relocated = ReadRelocated();
    }

    /// <summary>One version that the image asks of another library.</summary>
    /// <param name="Library">The library's name, for example libstdc++.so.6.</param>
    /// <param name="Version">The version, for example GLIBCXX_3.4.32.</param>
    /// <param name="Index">The number by which symbols refer to it.</param>
    /// <param name="Offset">Where the entry stands in the file.</param>
    internal readonly record struct Need(string Library, string Version, int Index, int Offset);

    internal byte[] Bytes => _bytes;

    /// <summary>Every version that is asked of another library.</summary>
    internal IReadOnlyList<Need> Needs => _needs;

    /// <summary>Every version that the library defines.</summary>
    internal IReadOnlySet<string> DefinedVersions => _definitions;

    /// <summary>Reads a library; <see langword="null"/> where the bytes are not one of this kind, are cut off or damaged.</summary>
    internal static ElfImage? TryRead(byte[] bytes)
    {
        if (bytes.Length < HeaderSize || !IsLibrary(bytes))
            return null;
        try
        {
            return new ElfImage(bytes);
        }
        catch (Exception fault) when (fault is FormatException or ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a file begins as a library and is as long as it says. Reads the first bytes only: half of a library of 400 MB would end the
    /// process when it is loaded.
    /// </summary>
    internal static bool IsWhole(string path)
    {
        using var file = File.OpenRead(path);
        var header = new byte[HeaderSize];
        if (file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize || !IsLibrary(header))
            return false;
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(0x28));
        ulong length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(0x3C)) * (ulong)SectionSize;
        return table <= (ulong)file.Length && length <= (ulong)file.Length - table;
    }

    /// <summary>
    /// The names of the symbols of a needed version that some relocation refers to: without one, nothing ever looks them up.
    /// </summary>
    /// <returns><see langword="null"/> where the library has no tables to tell.</returns>
    internal IReadOnlyList<string>? RelocatedSymbols(Need need)
        => _relocated is null ? null : [.. _relocated.GetValueOrDefault(need.Index, []).Select(Text)];

    /// <summary>Lets the loader go on where the version is missing.</summary>
    internal void MarkWeak(Need need) => _bytes[need.Offset + 4] |= 2;

    /// <summary>Asks for another version, which the image asks for already, in place of this one.</summary>
    internal void Redirect(Need need, Need other)
    {
        _bytes.AsSpan(other.Offset, 4).CopyTo(_bytes.AsSpan(need.Offset));          // the hash of the name
        _bytes.AsSpan(other.Offset + 8, 4).CopyTo(_bytes.AsSpan(need.Offset + 8));  // the name
    }

    private static bool IsLibrary(ReadOnlySpan<byte> header)
        => header[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]);

    private Section[] ReadSections()
    {
        long table = I64(0x28);
        var sections = new Section[U16(0x3C)];
        Require(table >= 0 && table <= _bytes.Length - (long)sections.Length * SectionSize);
        for (int i = 0; i < sections.Length; i++)
        {
            int at = (int)table + i * SectionSize;
            uint type = (uint)I32(at + 4);
            var (offset, size) = type == NoBytes ? (0, 0) : (I64(at + 24), I64(at + 32));
            Require(offset >= 0 && size >= 0 && offset <= _bytes.Length && size <= _bytes.Length - offset);
            sections[i] = new Section(type, (int)offset, (int)size, I32(at + 40), I32(at + 44));
        }
        return sections;
    }

    private void ReadNeeds(Section section)
    {
        var strings = Linked(section);
        int library = section.Offset, left = section.Size / SmallestEntry;
        for (int n = 0; n < section.Info; n++)
        {
            RequireInside(section, library);
            string name = Text(strings, I32(library + 4));
            int entry = checked(library + I32(library + 8));
            for (int i = U16(library + 2); i > 0; i--)
            {
                RequireInside(section, entry);
                Require(left-- > 0);
                _needs.Add(new Need(name, Text(strings, I32(entry + 8)), U16(entry + 6), entry));
                entry = checked(entry + I32(entry + 12));
            }
            Require(left-- > 0);
            library = checked(library + I32(library + 12));
        }
    }

    private void ReadDefinitions(Section section)
    {
        var strings = Linked(section);
        int definition = section.Offset, left = section.Size / SmallestEntry;
        for (int n = 0; n < section.Info; n++)
        {
            RequireInside(section, definition);
            Require(left-- > 0);
            _definitions.Add(Text(strings, I32(checked(definition + I32(definition + 12)))));
            definition = checked(definition + I32(definition + 16));
        }
    }

    private Dictionary<int, List<int>>? ReadRelocated()
    {
        if (_sections.FirstOrDefault(section => section.Type == DynamicSymbols) is not { Size: > 0 } symbols
            || _sections.FirstOrDefault(section => section.Type == SymbolVersions) is not { Size: > 0 } versions)
            return null;
        var strings = Linked(symbols);
        var numbers = new HashSet<int>();
        foreach (var section in _sections.Where(section => section.Type == RelocationsWithAddends))
            for (int at = section.Offset; at <= section.Offset + section.Size - RelocationSize; at += RelocationSize)
                numbers.Add(I32(at + 12));
        var byVersion = new Dictionary<int, List<int>>();
        foreach (int symbol in numbers)
        {
            Require(symbol >= 0 && symbol < symbols.Size / SymbolSize && symbol < versions.Size / 2);
            int version = U16(versions.Offset + 2 * symbol) & 0x7fff, name = I32(symbols.Offset + symbol * SymbolSize);
            Require(name >= 0 && name < strings.Size);
            if (!byVersion.TryGetValue(version, out var names))
                byVersion.Add(version, names = []);
            names.Add(strings.Offset + name);
        }
        return byVersion;
    }

    private Section Linked(Section section)
    {
        Require(section.Link >= 0 && section.Link < _sections.Length);
        return _sections[section.Link];
    }

    private static void RequireInside(Section section, int entry)
        => Require(entry >= section.Offset && entry <= section.Offset + section.Size - SmallestEntry);

    private static void Require(bool holds)
    {
        if (!holds)
            throw new FormatException("The library is damaged.");
    }

    private string Text(Section strings, int offset)
    {
        Require(offset >= 0 && offset < strings.Size);
        return Text(strings.Offset + offset);
    }

    private string Text(int offset)
    {
        var rest = _bytes.AsSpan(offset);
        int end = rest.IndexOf((byte)0);
        Require(end >= 0);
        return Encoding.ASCII.GetString(rest[..end]);
    }

    private ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(offset));

    private int I32(int offset) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(offset));

    private long I64(int offset) => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(offset));

    private sealed record Section(uint Type, int Offset, int Size, int Link, int Info);
}
