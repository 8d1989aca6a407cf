using System.Buffers.Binary;
using System.Text;

namespace Ssl.Estimators.Native;

/// <summary>
/// A 64-bit little-endian ELF library as bytes: which symbol versions it asks of other libraries, which it defines, and whether a version
/// that it asks for is used by any relocation. Layouts: System V gABI, and "ELF Symbol Versioning" (Drepper).
/// </summary>
internal sealed class ElfImage
{
    private const int RelocationsWithAddends = 4, DynamicSymbols = 11;
    private const uint VersionDefinitions = 0x6ffffffd, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const int SectionSize = 64, SymbolSize = 24, RelocationSize = 24;

    private readonly byte[] _bytes;
    private readonly Section[] _sections;

    private ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        int table = checked((int)U64(0x28)), count = U16(0x3C);
        _sections = [.. Enumerable.Range(0, count).Select(i => new Section(this, table + i * SectionSize))];
    }

    /// <summary>One version that the image asks of another library.</summary>
    /// <param name="Library">The library's name, for example libstdc++.so.6.</param>
    /// <param name="Version">The version, for example GLIBCXX_3.4.32.</param>
    /// <param name="Index">The number by which symbols refer to it.</param>
    /// <param name="Offset">Where the entry stands in the file.</param>
    internal readonly record struct Need(string Library, string Version, int Index, int Offset);

    internal byte[] Bytes => _bytes;

    /// <summary>Reads a library; <see langword="null"/> where the bytes are not one of this kind, or are cut off.</summary>
    internal static ElfImage? TryRead(byte[] bytes)
    {
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            return null;
        try
        {
            var image = new ElfImage(bytes);
            return image._sections.All(section => section.Type == 8 || section.Offset + (long)section.Size <= bytes.Length) ? image : null;
        }
        catch (Exception fault) when (fault is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Every version that is asked of another library.</summary>
    internal IReadOnlyList<Need> Needs()
    {
        var needs = new List<Need>();
        foreach (var section in SectionsOf(VersionNeeds))
        {
            int strings = _sections[section.Link].Offset, library = section.Offset;
            for (int n = 0; n < section.Info; n++)
            {
                string name = Text(strings + I32(library + 4));
                int entry = library + I32(library + 8);
                for (int i = U16(library + 2); i > 0; i--)
                {
                    needs.Add(new Need(name, Text(strings + I32(entry + 8)), U16(entry + 6), entry));
                    entry += I32(entry + 12);
                }
                library += I32(library + 12);
            }
        }
        return needs;
    }

    /// <summary>Every version that the library defines.</summary>
    internal IReadOnlySet<string> DefinedVersions()
    {
        var versions = new HashSet<string>();
        foreach (var section in SectionsOf(VersionDefinitions))
        {
            int strings = _sections[section.Link].Offset, definition = section.Offset;
            for (int n = 0; n < section.Info; n++)
            {
                versions.Add(Text(strings + I32(definition + I32(definition + 12))));
                definition += I32(definition + 16);
            }
        }
        return versions;
    }

    /// <summary>The names of the symbols of a needed version that some relocation refers to: without one, nothing ever looks them up.</summary>
    internal IReadOnlyList<string> RelocatedSymbols(Need need)
    {
        var names = new List<string>();
        if (SectionsOf(DynamicSymbols).FirstOrDefault() is not { Size: > 0 } symbols
            || SectionsOf(SymbolVersions).FirstOrDefault() is not { Size: > 0 } versions)
            return names;
        int strings = _sections[symbols.Link].Offset;
        var relocated = new HashSet<int>();
        foreach (var section in SectionsOf(RelocationsWithAddends))
            for (int at = section.Offset; at < section.Offset + section.Size; at += RelocationSize)
                relocated.Add(I32(at + 12));
        foreach (int symbol in relocated)
            if ((U16(versions.Offset + 2 * symbol) & 0x7fff) == need.Index)
                names.Add(Text(strings + I32(symbols.Offset + symbol * SymbolSize)));
        return names;
    }

    /// <summary>Lets the loader go on where the version is missing.</summary>
    internal void MarkWeak(Need need) => _bytes[need.Offset + 4] |= 2;

    /// <summary>Asks for another version, which the image asks for already, in place of this one.</summary>
    internal void Redirect(Need need, Need other)
    {
        _bytes.AsSpan(other.Offset, 4).CopyTo(_bytes.AsSpan(need.Offset));          // the hash of the name
        _bytes.AsSpan(other.Offset + 8, 4).CopyTo(_bytes.AsSpan(need.Offset + 8));  // the name
    }

    private IEnumerable<Section> SectionsOf(uint type) => _sections.Where(section => section.Type == type);

    private ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(offset));

    private int I32(int offset) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(offset));

    private ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));

    private string Text(int offset)
    {
        var rest = _bytes.AsSpan(offset);
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private sealed class Section(ElfImage image, int at)
    {
        internal uint Type { get; } = (uint)image.I32(at + 4);

        internal int Offset { get; } = checked((int)image.U64(at + 24));

        internal int Size { get; } = checked((int)image.U64(at + 32));

        internal int Link { get; } = image.I32(at + 40);

        internal int Info { get; } = image.I32(at + 44);
    }
}
