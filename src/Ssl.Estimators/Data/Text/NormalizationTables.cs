using System.Collections.Frozen;
using System.Globalization;

namespace Ssl.Estimators.Data;

/// <summary>Decompositions, compositions and combining classes of Unicode's characters.</summary>
/// <remarks>
/// A table of our own: <see cref="string.Normalize()"/> does nothing where an application runs without ICU (InvariantGlobalization), so that
/// a model would see other words in a container than where it was trained.
/// </remarks>
internal sealed class NormalizationTables
{
    /// <summary>Where the algorithm for Hangul syllables begins and ends.</summary>
    public const int HangulFirst = 0xAC00, HangulLast = 0xD7A3, LeadFirst = 0x1100, VowelFirst = 0x1161, TrailBefore = 0x11A7;

    /// <summary>Numbers of leading consonants, vowels, and trailing consonants with none.</summary>
    public const int Leads = 19, Vowels = 21, Trails = 28;

    private const string ResourceName = "Ssl.Estimators.Normalization.txt";

    private const int BasicPlane = 0x10000;

    private static readonly Lazy<NormalizationTables> s_tables = new(() => new NormalizationTables());

    private readonly FrozenDictionary<int, int[]> _canonical;
    private readonly FrozenDictionary<int, int[]> _compatible;
    private readonly FrozenDictionary<long, int> _pairs;
    private readonly FrozenDictionary<int, byte> _classes;
    private readonly (bool[] Basic, FrozenSet<int> Further) _nfc, _nfkc;

    private NormalizationTables()
    {
        Dictionary<int, int[]> canonical = [], compatible = [];
        var pairs = new Dictionary<long, int>();
        var classes = new Dictionary<int, byte>();
        using var stream = typeof(NormalizationTables).Assembly.GetManifestResourceStream(ResourceName)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == '#')
                continue;
            string[] parts = line.Split(' ');
            int[] codes = [.. parts.Skip(line[0] == 'C' ? 2 : 1).Select(code => int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            switch (line[0])
            {
                case 'D':
                    canonical.Add(codes[0], codes[1..]);
                    break;
                case 'K':
                    compatible.Add(codes[0], codes[1..]);
                    break;
                case 'P':
                    pairs.Add(Pair(codes[0], codes[1]), codes[2]);
                    break;
                default:
                    foreach (var code in codes)
                        classes.Add(code, byte.Parse(parts[1], CultureInfo.InvariantCulture));
                    break;
            }
        }
        (_canonical, _compatible) = (canonical.ToFrozenDictionary(), compatible.ToFrozenDictionary());
        (_pairs, _classes) = (pairs.ToFrozenDictionary(), classes.ToFrozenDictionary());
        // What is no composed character of its own, or may join what stands before it.
        HashSet<int> changing = [.. canonical.Keys.Except(pairs.Values), .. classes.Keys, .. pairs.Keys.Select(pair => (int)(uint)pair)];
        changing.UnionWith(Enumerable.Range(VowelFirst, Vowels));
        changing.UnionWith(Enumerable.Range(TrailBefore + 1, Trails - 1));
        changing.UnionWith(Enumerable.Range(0, char.MaxValue + 1).Where(IsInvisible));
        changing.UnionWith(Enumerable.Range(0xD800, 0x800));
        _nfc = Split(changing);
        changing.UnionWith(compatible.Keys);
        _nfkc = Split(changing);
    }

    /// <summary>The tables, read when they are first needed.</summary>
    public static NormalizationTables Instance => s_tables.Value;

    /// <summary>Whether a unit of UTF-16 may change or join what stands before it; so said of every surrogate.</summary>
    public bool[] UnitsThatChange(TextNormalization form) => Of(form).Basic;

    /// <summary>Whether a character may change or join what stands before it.</summary>
    public bool Changes(int code, TextNormalization form) => code < BasicPlane ? Of(form).Basic[code] : IsInvisible(code) || Of(form).Further.Contains(code);

    /// <summary>The combining class; 0 for what begins a new letter.</summary>
    public byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    /// <summary>What a character consists of; itself where it is simple, nothing where it is invisible.</summary>
    public void Decompose(int code, TextNormalization form, List<int> parts)
    {
        if (IsInvisible(code))
            return;
        if (code is >= HangulFirst and <= HangulLast)
        {
            var (syllable, trail) = Math.DivRem(code - HangulFirst, Trails);
            parts.Add(LeadFirst + syllable / Vowels);
            parts.Add(VowelFirst + syllable % Vowels);
            if (trail > 0)
                parts.Add(TrailBefore + trail);
        }
        else if ((form == TextNormalization.Nfkc && _compatible.TryGetValue(code, out var found)) || _canonical.TryGetValue(code, out found))
        {
            parts.AddRange(found);
        }
        else
        {
            parts.Add(code);
        }
    }

    /// <summary>The character that two compose to; -1 for none.</summary>
    public int Compose(int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + Leads && second is >= VowelFirst and < VowelFirst + Vowels)
            return HangulFirst + ((first - LeadFirst) * Vowels + second - VowelFirst) * Trails;
        if (first is >= HangulFirst and <= HangulLast && (first - HangulFirst) % Trails == 0 && second is > TrailBefore and < TrailBefore + Trails)
            return first + second - TrailBefore;
        return _pairs.TryGetValue(Pair(first, second), out var composed) ? composed : -1;
    }

    // Unicode's Default_Ignorable_Code_Point: nothing is seen of them.
    private static bool IsInvisible(int code) => code is 0x00AD or 0x034F or 0x061C or 0x115F or 0x1160 or 0x17B4 or 0x17B5
        or >= 0x180B and <= 0x180F or >= 0x200B and <= 0x200F or >= 0x202A and <= 0x202E or >= 0x2060 and <= 0x206F or 0x3164
        or >= 0xFE00 and <= 0xFE0F or 0xFEFF or 0xFFA0 or >= 0xFFF0 and <= 0xFFF8 or >= 0x1BCA0 and <= 0x1BCA3 or >= 0x1D173 and <= 0x1D17A
        or >= 0xE0000 and <= 0xE0FFF;

    private static long Pair(int first, int second) => ((long)first << 32) | (uint)second;

    private static (bool[] Basic, FrozenSet<int> Further) Split(HashSet<int> codes)
    {
        var basic = new bool[BasicPlane];
        foreach (var code in codes.Where(code => code < BasicPlane))
            basic[code] = true;
        return (basic, codes.Where(code => code >= BasicPlane).ToFrozenSet());
    }

    private (bool[] Basic, FrozenSet<int> Further) Of(TextNormalization form) => form == TextNormalization.Nfkc ? _nfkc : _nfc;
}
