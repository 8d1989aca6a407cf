using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Finds the texts that an encoder confuses with an anchor's partner.</summary>
internal static class HardNegativeMiner
{
    private const int RowsAtOnce = 512;

    /// <summary>The rows that have hard negatives, each with one of them in a new column.</summary>
    public static IDataView Mine(MLContext mlContext, IDataView data, HardNegativeOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        var shape = ColumnShape.Find(data.Schema, options.TextColumnName);
        if (!shape.IsText)
            throw Check.SchemaMismatch("input", options.TextColumnName, "String", shape.ToString());

        var rows = EmbeddingSet.Read(data, [("anchor", options.AnchorColumnName), ("positive", options.PositiveColumnName)], null, null, EvaluationLog.Of(mlContext));
        if (rows.Dimension(0) != rows.Dimension(1))
        {
            throw Check.SchemaMismatch("positive", options.PositiveColumnName, $"Vector<Single, {rows.Dimension(0)}>",
                data.Schema[options.PositiveColumnName].Type.ToString()!, "Both columns must come from the same encoder.");
        }

        string[] all = [.. data.GetColumn<ReadOnlyMemory<char>>(data.Schema[options.TextColumnName]).Select(text => text.ToString())];
        string[] texts = [.. rows.SourceRows.Select(row => all[row])];
        var found = Find(rows, texts, options);
        var negatives = new Dictionary<long, string[]>();
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].Length > 0)
                negatives.Add(rows.SourceRows[i], [.. found[i].Select(row => texts[row])]);
        }

        using var channel = ((IHostEnvironment)mlContext).Register(nameof(HardNegativeMiner)).Start("Mine");
        var message = $"{negatives.Count} of {all.Length} rows have hard negatives, {negatives.Values.Sum(list => list.Length)} in all.";
        if (negatives.Count == 0)
        {
            throw new InvalidOperationException("No row has a hard negative: no text of another row is between places "
                + FormattableString.Invariant($"{options.FirstRank} and {options.LastRank} and {options.Margin} below the row's own partner. ")
                + "Lower Margin or FirstRank, or the encoder has nothing left to learn from these pairs.");
        }

        channel.Info(MessageSensitivity.None, "{0}", message + (negatives.Count < all.Length ? " The others are left out." : ""));
        return new HardNegativeView(data, options.NegativeColumnName, negatives);
    }

    /// <summary>For each row, the rows whose texts are its hard negatives, the hardest first.</summary>
    /// <param name="rows">Column 0 holds anchors, column 1 their partners.</param>
    /// <param name="texts">The partners' texts.</param>
    /// <param name="options">Places, margin and number.</param>
    internal static int[][] Find(EmbeddingSet rows, string[] texts, HardNegativeOptions options)
    {
        // All partners of the same anchor are right answers, wherever else their text occurs.
        var partners = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        var anchors = Enumerable.Range(0, rows.Count).Select(row => Convert.ToHexString(MemoryMarshal.AsBytes(rows.Vector(0, row))))
            .ToArray();
        for (var row = 0; row < rows.Count; row++)
        {
            if (!partners.TryGetValue(anchors[row], out var known))
                partners.Add(anchors[row], known = new HashSet<string>(StringComparer.Ordinal));
            known.Add(texts[row]);
        }

        var copies = texts.GroupBy(text => text, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        var excluded = partners.Values.Max(known => known.Sum(text => copies[text]));
        using var builder = new VectorIndexBuilder(rows.Dimension(1));
        for (var row = 0; row < rows.Count; row++)
            builder.Add(rows.Vector(1, row));
        using var index = builder.Build(CPU);
        var k = (int)Math.Min(index.Count, (long)options.LastRank + excluded);

        var result = new int[rows.Count][];
        for (var start = 0; start < rows.Count; start += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, rows.Count - start);
            var queries = new float[count * rows.Dimension(0)];
            for (var i = 0; i < count; i++)
                rows.Vector(0, start + i).CopyTo(queries.AsSpan(i * rows.Dimension(0)));
            var (found, scores) = (new long[count * k], new float[count * k]);
            index.Search(queries, count, k, found, scores);
            for (var i = 0; i < count; i++)
            {
                var row = start + i;
                var limit = CosineRefinement.Cosine(rows.Vector(0, row), rows.Vector(1, row)) - options.Margin;
                result[row] = Choose(found.AsSpan(i * k, k), scores.AsSpan(i * k, k), limit, texts, partners[anchors[row]], options);
            }
        }

        return result;
    }

    private static int[] Choose(ReadOnlySpan<long> found, ReadOnlySpan<float> scores, double limit, string[] texts, HashSet<string> partners,
        HardNegativeOptions options)
    {
        var chosen = new List<int>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < found.Length && found[i] >= 0 && chosen.Count < options.NumberOfNegatives; i++)
        {
            var text = texts[found[i]];
            if (partners.Contains(text) || !seen.Add(text))
                continue;
            if (seen.Count > options.LastRank)
                break;
            if (seen.Count >= options.FirstRank && scores[i] <= limit)
                chosen.Add((int)found[i]);
        }

        return [.. chosen];
    }
}

/// <summary>
/// Rows with a text of their own in a new column; a row comes out once for each of its texts, and not at all without any.
/// </summary>
/// <param name="input">The rows; they come in the same order every time.</param>
/// <param name="name">Name of the new column.</param>
/// <param name="texts">The texts of a row, by its number.</param>
internal sealed class HardNegativeView(IDataView input, string name, IReadOnlyDictionary<long, string[]> texts) : IDataView
{
    public DataViewSchema Schema { get; } = SchemaOf(input.Schema, name);

    // A shuffled input would give the texts to others.
    public bool CanShuffle => false;

    public long? GetRowCount() => texts.Values.Sum(list => (long)list.Length);

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        return new Cursor(input.GetRowCursor(input.Schema.Where(c => active[c.Index])), Schema, active, texts);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private static DataViewSchema SchemaOf(DataViewSchema input, string name)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        schema.AddColumn(name, TextDataViewType.Instance);
        return schema.ToSchema();
    }

    private sealed class Cursor(DataViewRowCursor input, DataViewSchema schema, bool[] active, IReadOnlyDictionary<long, string[]> texts)
        : DataViewRowCursor
    {
        private string[] _texts = [];
        private int _next;
        private long _inputRow = -1, _position = -1;

        public override DataViewSchema Schema => schema;

        public override long Position => _position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
            if (column.Index < input.Schema.Count)
                return input.GetGetter<TValue>(input.Schema[column.Index]);
            Transformers.RowGetters.CheckType<TValue>(column);
            return (ValueGetter<TValue>)(Delegate)(ValueGetter<ReadOnlyMemory<char>>)(
                (ref ReadOnlyMemory<char> value) => value = _texts[_next - 1].AsMemory());
        }

        // A row of the input can come several times: its id and the number of the copy make one.
        public override ValueGetter<DataViewRowId> GetIdGetter()
        {
            var getter = input.GetIdGetter();
            return (ref DataViewRowId value) =>
            {
                getter(ref value);
                value = value.Combine(new DataViewRowId((ulong)_next, 0));
            };
        }

        public override bool MoveNext()
        {
            while (_next >= _texts.Length)
            {
                if (!input.MoveNext())
                {
                    _position = -1;
                    return false;
                }

                (_texts, _next) = (texts.TryGetValue(++_inputRow, out var found) ? found : [], 0);
            }

            _next++;
            _position++;
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
