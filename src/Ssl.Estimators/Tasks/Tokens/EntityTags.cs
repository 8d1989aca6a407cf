using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tasks;

/// <summary>An entity in a text, in units.</summary>
/// <param name="First">Number of its first unit.</param>
/// <param name="Last">Number of its last unit.</param>
/// <param name="Kind">Number of its kind.</param>
internal readonly record struct EntitySpan(int First, int Last, int Kind);

/// <summary>
/// What the classes of a label column mean for words: outside of any entity ("O", "0" or nothing), or in one of a kind, written as "B-Kind"
/// and "I-Kind" (Ramshaw and Marcus, 1995) or as the bare kind, of which neighbors make one entity. Inside, tag 0 is outside, 1 + 2k begins
/// kind k, 2 + 2k goes on with it.
/// </summary>
internal sealed class EntityTags
{
    private const string Begin = "B-", Inside = "I-";

    private readonly int[] _tagOfClass;
    private readonly int[] _classOfTag;
    private readonly Dictionary<string, int> _classOfText = new(StringComparer.Ordinal);
    private readonly bool _bare;

    /// <summary>Reads the classes' names.</summary>
    /// <param name="classes">Values of the label column's keys.</param>
    /// <exception cref="InvalidOperationException">They are of another scheme, or none is a kind of entity.</exception>
    public EntityTags(ClassValues classes)
    {
        Classes = classes;
        string[] named = [.. classes.Texts.Where(text => !IsOutside(text))];
        if (named.Length == 0)
            throw new InvalidOperationException("The label column has no kind of entity, only values that mean none (\"O\", \"0\").");
        _bare = !Array.TrueForAll(named, text => Is(text, Begin) || Is(text, Inside));
        if (_bare && Array.TrueForAll(named, text => text.Length > 2 && text[1] == '-' && "BIESLU".Contains(text[0], StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"The labels ({string.Join(", ", named.Take(6))}) mark the ends of entities, too, as BIOES and BILOU "
                + "do. Give B- and I- only: S- and U- become B-, E- and L- become I-.");
        }
        Kinds = [.. named.Select(KindOf).Distinct()];
        _tagOfClass = [.. classes.Texts.Select(text => IsOutside(text) ? 0 : 1 + 2 * Array.IndexOf(Kinds, KindOf(text)) + (Is(text, Inside) && !_bare ? 1 : 0))];
        _classOfTag = [.. Enumerable.Range(0, Count).Select(tag => Array.IndexOf(_tagOfClass, tag))];
        for (var i = 0; i < classes.Count; i++)
            _classOfText.TryAdd(classes.Texts[i], i);
        for (var tag = 1; tag < Count; tag++)
        {
            if (_classOfTag[tag] < 0)
                _classOfTag[tag] = _classOfTag[tag % 2 == 1 ? tag + 1 : tag - 1];      // its partner: the scheme may lack one
        }
    }

    /// <summary>The label column's values.</summary>
    public ClassValues Classes { get; }

    /// <summary>Names of the kinds, without "B-" and "I-".</summary>
    public string[] Kinds { get; }

    /// <summary>Number of tags.</summary>
    public int Count => 1 + 2 * Kinds.Length;

    /// <summary>The class of a value, from 0; -1 for one that is not there.</summary>
    public int ClassOf(string text) => _classOfText.GetValueOrDefault(text, -1);

    /// <summary>The tags of a text's words.</summary>
    /// <param name="classes">Their classes, from 0; -1 for none, which is outside.</param>
    public int[] OfClasses(IReadOnlyList<int> classes)
    {
        var tags = new int[classes.Count];
        for (var i = 0; i < tags.Length; i++)
        {
            var tag = classes[i] < 0 ? 0 : _tagOfClass[classes[i]];
            var goesOn = i > 0 && tag > 0 && tags[i - 1] > 0 && KindOf(tags[i - 1]) == KindOf(tag);
            // Bare kinds go on; an I- behind anything else begins.
            tags[i] = tag == 0 ? 0 : goesOn && (_bare || tag % 2 == 0) ? 2 + 2 * KindOf(tag) : 1 + 2 * KindOf(tag);
        }
        return tags;
    }

    /// <summary>The tags of entities.</summary>
    /// <param name="units">Units of the text.</param>
    /// <param name="entities">Of two that overlap the first counts.</param>
    public static int[] OfEntities(int units, IEnumerable<EntitySpan> entities)
    {
        var tags = new int[units];
        foreach (var entity in entities)
        {
            if (tags.AsSpan(entity.First, entity.Last + 1 - entity.First).ContainsAnyExcept(0))
                continue;
            for (var unit = entity.First; unit <= entity.Last; unit++)
                tags[unit] = 1 + 2 * entity.Kind + (unit > entity.First ? 1 : 0);
        }
        return tags;
    }

    /// <summary>The number of a class's kind, from 0; -1 where it means none.</summary>
    public int KindOfClass(int label) => label < 0 || _tagOfClass[label] == 0 ? -1 : KindOf(_tagOfClass[label]);

    /// <summary>The key of a tag in the label column: from 1, 0 for outside where no value means it.</summary>
    public uint Key(int tag) => (uint)(_classOfTag[tag] + 1);

    /// <summary>The entities that tags mark.</summary>
    public static List<EntitySpan> Entities(ReadOnlySpan<int> tags)
    {
        var entities = new List<EntitySpan>();
        for (var unit = 0; unit < tags.Length; unit++)
        {
            if (tags[unit] == 0)
                continue;
            var first = unit;
            while (unit + 1 < tags.Length && tags[unit + 1] == 2 + 2 * KindOf(tags[first]))
                unit++;
            entities.Add(new EntitySpan(first, unit, KindOf(tags[first])));
        }
        return entities;
    }

    /// <summary>The likeliest tags among those in which nothing goes on that has not begun (Viterbi, 1967).</summary>
    /// <param name="logProbabilities">Of each unit, unit after unit, one for each tag.</param>
    /// <param name="count">Number of tags.</param>
    public static int[] Decode(ReadOnlySpan<float> logProbabilities, int count)
    {
        var units = logProbabilities.Length / count;
        if (units == 0)
            return [];
        var (best, next, from) = (new double[count], new double[count], new int[units, count]);
        for (var tag = 0; tag < count; tag++)
            best[tag] = CanFollow(0, tag) ? logProbabilities[tag] : double.NegativeInfinity;
        for (var unit = 1; unit < units; unit++)
        {
            var leader = 0;                                     // of all tags before this unit
            for (var tag = 1; tag < count; tag++)
            {
                if (best[tag] > best[leader])
                    leader = tag;
            }
            for (var tag = 0; tag < count; tag++)
            {
                // What goes on has two tags that it can follow, everything else can follow all.
                var previous = tag == 0 || tag % 2 == 1 ? leader : best[tag] > best[tag - 1] ? tag : tag - 1;
                from[unit, tag] = previous;
                next[tag] = best[previous] + logProbabilities[unit * count + tag];
            }
            (best, next) = (next, best);
        }
        var tags = new int[units];
        tags[^1] = Array.IndexOf(best, best.Max());
        for (var unit = units - 1; unit > 0; unit--)
            tags[unit - 1] = from[unit, tags[unit]];
        return tags;
    }

    private static bool CanFollow(int before, int tag) => tag == 0 || tag % 2 == 1 || before > 0 && KindOf(before) == KindOf(tag);

    private static int KindOf(int tag) => (tag - 1) / 2;

    private string KindOf(string text) => _bare ? text : text[2..];

    private static bool IsOutside(string text) => text is "" or "O" or "0";

    private static bool Is(string text, string prefix) => text.Length > prefix.Length && text.StartsWith(prefix, StringComparison.Ordinal);
}
