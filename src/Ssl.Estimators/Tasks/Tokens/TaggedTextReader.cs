using Ssl.Estimators.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tasks;

/// <summary>Makes windows to train on of texts whose words or entities have labels.</summary>
/// <param name="tags">What the labels mean.</param>
/// <param name="texts">Cuts texts.</param>
/// <param name="kind">Whether labels are given a word or by their places.</param>
/// <param name="textColumn">To be named.</param>
/// <param name="windows">Takes the windows.</param>
/// <param name="words">Takes the features of words; null where they do not count.</param>
internal sealed class TaggedTextReader(EntityTags tags, WindowedText.Reader texts, UnitKind kind, string textColumn, TokenWindows windows,
    WordTagger? words)
{
    /// <summary>What was made.</summary>
    public TokenWindows Windows => windows;

    /// <summary>Numbers of the rows that can be learned from.</summary>
    public List<int> Rows { get; } = [];

    /// <summary>Rows without a text or labels.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Entities in the rows.</summary>
    public long Entities { get; private set; }

    /// <summary>How many of them begin or end within a unit.</summary>
    public long Widened { get; private set; }

    /// <summary>Takes a row.</summary>
    /// <param name="row">Its number, from 0.</param>
    /// <param name="groups">Text and labels; then starts, then lengths, where entities are given by their places.</param>
    public void Add(int row, RawRow[] groups)
    {
        var cells = groups[0].Texts.Span;
        var text = texts.Read(cells[0].Span);
        var labels = new int[cells.Length - 1];
        for (var i = 0; i < labels.Length; i++)
            labels[i] = tags.ClassOf(cells[i + 1].ToString());
        if (text.Units.Count == 0 || labels.Length == 0 && kind == UnitKind.Words)
        {
            LeftOut++;
            return;
        }
        var unitTags = kind == UnitKind.Words ? OfWords(row, text, labels)
            : EntityTags.OfEntities(text.Units.Count, OfPlaces(row, cells[0].Length, text, labels, groups[1].Numbers.Span, groups[2].Numbers.Span));
        Entities += EntityTags.Entities(unitTags).Count;
        var firstWord = words?.Add(WordFeatures.Of(cells[0].Span, text.Units), unitTags);
        Rows.Add(row);
        for (var window = 0; window < text.Windows.Count; window++)
        {
            var ids = text.Ids(window);
            var targets = new int[ids.Length];
            Array.Fill(targets, TokenWindows.Ignored);
            var (first, end) = (text.Windows[window].First, text.Windows[window].End);
            var wordsOfTokens = new int[words is null ? 0 : ids.Length];
            var any = false;
            for (var unit = first; unit < end; unit++)
            {
                if (text.Owners[unit] != window)
                    continue;
                var position = text.Position(unit, window);
                targets[position] = unitTags[unit];
                if (firstWord is { } number)
                    wordsOfTokens[position] = number + unit;
                any = true;
            }
            if (any)
                windows.Add(row, ids, targets, wordsOfTokens);
        }
    }

    private int[] OfWords(int row, WindowedText text, int[] labels) => labels.Length == text.Units.Count ? tags.OfClasses(labels)
        : throw new InvalidOperationException($"Row {row} (from 0) has {text.Units.Count} words in column '{textColumn}' and {labels.Length} labels: there "
            + "must be one for each word, which are what stands between white space.");

    private List<EntitySpan> OfPlaces(int row, int length, WindowedText text, int[] labels, ReadOnlySpan<double> starts, ReadOnlySpan<double> lengths)
    {
        if (starts.Length != labels.Length || lengths.Length != labels.Length)
        {
            throw new InvalidOperationException($"Row {row} (from 0) has {labels.Length} labels, {starts.Length} starts and {lengths.Length} lengths of entities: "
                + "there must be as many of each.");
        }
        var entities = new List<EntitySpan>();
        for (var i = 0; i < labels.Length; i++)
        {
            var (start, end) = (starts[i], starts[i] + lengths[i]);
            if (!(start >= 0 && lengths[i] >= 1 && end <= length && start == Math.Floor(start) && end == Math.Floor(end)))
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"Row {row} (from 0) has an entity from {start} on of length {lengths[i]} in a text of {length} characters (column '{textColumn}'): ")
                    + "starts count from 0, and an entity must end within the text.");
            }
            var span = UnitSpan.Of(text.Units, (int)start, (int)end);
            if (span is not { } units || tags.KindOfClass(labels[i]) < 0)
                continue;                                                           // white space, or a label that means none
            if (text.Units[units.First].Start < start || text.Units[units.Last].End > end)
                Widened++;
            entities.Add(new EntitySpan(units.First, units.Last, tags.KindOfClass(labels[i])));
        }
        return entities;
    }
}

/// <summary>Which units a part of a text touches.</summary>
internal static class UnitSpan
{
    /// <summary>The first and the last one; null where there is none.</summary>
    /// <param name="units">In their order.</param>
    /// <param name="start">Characters before the part.</param>
    /// <param name="end">Characters before its end.</param>
    public static (int First, int Last)? Of(IReadOnlyList<TextUnit> units, int start, int end)
    {
        var (low, high) = (0, units.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (units[middle].End <= start)
                low = middle + 1;
            else
                high = middle;
        }
        var last = low - 1;
        while (last + 1 < units.Count && units[last + 1].Start < end)
            last++;
        return last < low ? null : (low, last);
    }
}
