using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Evaluation;

/// <summary>
/// What one makes of columns with ML.NET alone: numbers standardized, with a slot that says where one is missing; categories as one slot an
/// entry; texts of words as TF-IDF, each column with words of its own. All is learned without labels.
/// </summary>
internal sealed class PlainFeatures
{
    private readonly string[] _columns;
    private readonly NumberCell[] _numbers;
    private readonly TextCell[] _texts;

    private PlainFeatures(IDataView rows, EncoderModel encoder, CancellationToken cancellationToken)
    {
        _columns = ColumnsOf(rows.Schema, encoder);
        if (_columns.Length == 0)
        {
            throw new InvalidOperationException($"An encoder of modality '{encoder.Modality}' has no plain features to compare with. Set Baseline to "
                + "a pipeline of your own, or leave it out of Approaches.");
        }
        HasCells = encoder.Format is TableRowFormat;
        var cells = _columns.Select(name => (IsText: TableColumnKinds.IsText(TableColumnKinds.Of(ColumnShape.Find(rows.Schema, name))!.Value),
            Size: rows.Schema[name].Type is VectorDataViewType vector ? vector.Size : 1)).ToArray();
        _numbers = [.. Enumerable.Range(0, cells.Where(c => !c.IsText).Sum(c => c.Size)).Select(_ => new NumberCell())];
        _texts = [.. Enumerable.Range(0, cells.Where(c => c.IsText).Sum(c => c.Size)).Select(_ => new TextCell())];
        foreach (var row in RowReader.All(rows, _columns, cancellationToken))
        {
            for (var i = 0; i < _numbers.Length; i++)
                _numbers[i].Learn(row.Numbers.Span[i]);
            for (var i = 0; i < _texts.Length; i++)
                _texts[i].Learn(row.Texts.Span[i].Span);
        }
        foreach (var number in _numbers)
            Width += number.Place(Width);
        foreach (var text in _texts)
            text.Decide(mayBeCategory: HasCells);
        foreach (var category in _texts.Where(text => !text.IsWords))
            Width += category.Place(Width);
        CellWidth = Width;
        foreach (var words in _texts.Where(text => text.IsWords))
            Width += words.Place(Width);
        Variance = _numbers.Sum(number => number.Variance) + _texts.Sum(text => text.Variance);
    }

    /// <summary>Whether the columns are those of a table, on whose cells trees can be grown.</summary>
    public bool HasCells { get; }

    /// <summary>Slots of a row; at least 1 is to be made room for.</summary>
    public int Width { get; }

    /// <summary>The first slots: numbers and categories.</summary>
    public int CellWidth { get; }

    /// <summary>Variance of all slots together over the rows that were learned from.</summary>
    public double Variance { get; }

    /// <summary>The columns that have plain features: none of images, say.</summary>
    public static string[] ColumnsOf(DataViewSchema schema, EncoderModel encoder)
        => [.. encoder.InputColumns.Distinct().Where(name => TableColumnKinds.Of(ColumnShape.Find(schema, name)) is not null)];

    /// <summary>Learns scales, entries and words.</summary>
    /// <param name="rows">Rows, with labels or without.</param>
    /// <param name="encoder">Says which columns.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <exception cref="InvalidOperationException">The columns are of a kind that has no plain features.</exception>
    public static PlainFeatures Learn(IDataView rows, EncoderModel encoder, CancellationToken cancellationToken)
        => new(rows, encoder, cancellationToken);

    /// <summary>The features of all rows of a view.</summary>
    public IEnumerable<VBuffer<float>> Of(IDataView rows, CancellationToken cancellationToken)
    {
        var (slots, values) = (new List<int>(), new List<float>());
        foreach (var row in RowReader.All(rows, _columns, cancellationToken))
        {
            slots.Clear();
            values.Clear();
            for (var i = 0; i < _numbers.Length; i++)
                _numbers[i].Encode(row.Numbers.Span[i], Add);
            for (var i = 0; i < _texts.Length; i++)
            {
                if (!_texts[i].IsWords)
                    _texts[i].Encode(row.Texts.Span[i].Span, Add);
            }
            for (var i = 0; i < _texts.Length; i++)
            {
                if (_texts[i].IsWords)
                    _texts[i].Encode(row.Texts.Span[i].Span, Add);
            }
            yield return new VBuffer<float>(Math.Max(1, Width), slots.Count, [.. values], [.. slots]);
        }

        void Add(int slot, float value)
        {
            if (value == 0)
                return;
            slots.Add(slot);
            values.Add(value);
        }
    }

    // A value that is not finite is a missing one; it gets the mean.
    private sealed class NumberCell
    {
        private readonly NumberMoments _moments = new();
        private long _missing;
        private int _slot, _missingSlot = -1;

        // A constant number has no slot.
        private bool Varies => !_moments.IsConstant;

        private double MissingShare => _missing / (double)Math.Max(1, _moments.Count + _missing);

        public double Variance => (Varies ? 1 - MissingShare : 0) + MissingShare * (1 - MissingShare);

        public void Learn(double value)
        {
            if (double.IsFinite(value))
                _moments.Add(value);
            else
                _missing++;
        }

        public int Place(int slot)
        {
            var next = slot;
            _slot = Varies ? next++ : -1;
            _missingSlot = _missing > 0 && _moments.Count > 0 ? next++ : -1;
            return next - slot;
        }

        public void Encode(double value, Action<int, float> add)
        {
            if (!double.IsFinite(value))
            {
                if (_missingSlot >= 0)
                    add(_missingSlot, 1);
            }
            else if (_slot >= 0)
            {
                add(_slot, (float)((value - _moments.Mean) / _moments.Deviation));
            }
        }
    }

    // Entries of a category, or words.
    private sealed class TextCell
    {
        private const int MostCounted = 200_000, MostEntries = 1_000, MostWords = 20_000;

        // Fewer different texts are entries, whatever they say.
        private const int LeastTexts = 20;

        private readonly Dictionary<string, int> _entries = new(StringComparer.Ordinal), _words = new(StringComparer.Ordinal);
        private readonly HashSet<string> _inText = new(StringComparer.Ordinal);
        private readonly SortedDictionary<int, float> _weights = [];
        private Dictionary<string, (int Slot, float Rarity)> _slots = [];
        private long _count, _missing, _wordCount;
        private int _missingSlot = -1;

        /// <summary>Whether its words count, and not the text as a whole.</summary>
        public bool IsWords { get; private set; }

        public double Variance { get; private set; }

        public void Learn(ReadOnlySpan<char> text)
        {
            text = text.Trim();
            if (text.IsEmpty)
            {
                _missing++;
                return;
            }
            _count++;
            Count(_entries, text.ToString());
            _inText.Clear();
            foreach (var word in Words(text))
            {
                _wordCount++;
                if (_inText.Add(word))
                    Count(_words, word);
            }
        }

        public void Decide(bool mayBeCategory)
            => IsWords = !mayBeCategory || _wordCount >= 2 * _count && _entries.Count > Math.Max(LeastTexts, _count / 5);

        public int Place(int slot)
        {
            var next = slot;
            double all = Math.Max(1, _count + _missing);
            // In alphabetical order: the slots do not depend on the order of the rows.
            var kept = (IsWords ? _words : _entries).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Take(IsWords ? MostWords : MostEntries).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
            _slots = kept.ToDictionary(pair => pair.Key, pair => (next++, TfIdf.Rarity(all, pair.Value)),
                StringComparer.Ordinal);
            if (!IsWords && _missing > 0 && _count > 0)
                _missingSlot = next++;
            Variance = IsWords ? _count / all : kept.Sum(pair => pair.Value / all * (1 - pair.Value / all))
                + (_missingSlot < 0 ? 0 : _missing / all * (1 - _missing / all));
            _entries.Clear();
            _words.Clear();
            return next - slot;
        }

        public void Encode(ReadOnlySpan<char> text, Action<int, float> add)
        {
            text = text.Trim();
            if (IsWords)
                EncodeWords(text, add);
            else if (text.IsEmpty && _missingSlot >= 0)
                add(_missingSlot, 1);
            else if (_slots.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out var entry))
                add(entry.Slot, 1);
        }

        // (1 + log of its count) times the logarithm of its rarity; the words of a text have length 1.
        private void EncodeWords(ReadOnlySpan<char> text, Action<int, float> add)
        {
            _weights.Clear();
            foreach (var group in Words(text).GroupBy(word => word, StringComparer.Ordinal))
            {
                if (_slots.TryGetValue(group.Key, out var word))
                    _weights.Add(word.Slot, TfIdf.Weight(group.Count(), word.Rarity));
            }
            var length = Math.Sqrt(_weights.Values.Sum(weight => (double)weight * weight));
            foreach (var (slot, weight) in _weights)
                add(slot, (float)(weight / length));
        }

        // Beyond so many different ones, further ones would be rare.
        private static void Count(Dictionary<string, int> counts, string text)
        {
            if (counts.TryGetValue(text, out var count))
                counts[text] = count + 1;
            else if (counts.Count < MostCounted)
                counts.Add(text, 1);
        }

        private static List<string> Words(ReadOnlySpan<char> text)
        {
            var words = new List<string>();
            for (var start = 0; start < text.Length;)
            {
                if (!char.IsLetterOrDigit(text[start]))
                {
                    start++;
                    continue;
                }
                var end = start + 1;
                while (end < text.Length && char.IsLetterOrDigit(text[end]))
                    end++;
                words.Add(text[start..end].ToString().ToLowerInvariant());
                start = end;
            }
            return words;
        }
    }
}
