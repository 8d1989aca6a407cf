using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Evaluation;

/// <summary>
/// Texts as bags of words: a word counts (1 + log of its count) times the logarithm of its rarity, and vectors have length 1 (TF-IDF).
/// </summary>
internal sealed class WordWeights : RowComputation
{
    private const int MostWords = 20_000;

    private readonly string[] _columns;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly float[] _rarity;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>Learns words and their rarity from rows; the most frequent 20,000 are kept.</summary>
    public WordWeights(IDataView rows, string[] columns)
    {
        _columns = columns;
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var texts = 0;
        foreach (var row in RowReader.All(rows, columns, CancellationToken.None))
        {
            texts++;
            foreach (var word in Words(row).Distinct(StringComparer.Ordinal))
                counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        foreach (var (word, _) in counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(MostWords))
            _index.Add(word, _index.Count);
        _rarity = [.. _index.Keys.Select(word => MathF.Log((1f + texts) / (1f + counts[word])) + 1)];
        _lookup = _index.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override IReadOnlyList<string> InputColumns => _columns;

    public override int Width => Math.Max(1, _rarity.Length);

    /// <summary>The view with the vectors as a further column.</summary>
    public IDataView AddTo(IDataView view, string column)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(view.Schema);
        schema.AddColumn(column, new VectorDataViewType(NumberDataViewType.Single, Width));
        return new EncodedDataView(view, schema.ToSchema(), this, batchSize: 32);
    }

    public override void Compute(RowBatch rows, Span<float> results)
    {
        results.Clear();
        for (var i = 0; i < rows.Count; i++)
        {
            var row = results.Slice(i * Width, Width);
            foreach (var word in Words(rows.Rows[i]))
            {
                if (_lookup.TryGetValue(word, out var slot))
                    row[slot]++;
            }

            double squares = 0;
            for (var slot = 0; slot < _rarity.Length; slot++)
            {
                if (row[slot] > 0)
                    row[slot] = (1 + MathF.Log(row[slot])) * _rarity[slot];
                squares += row[slot] * row[slot];
            }

            if (squares > 0)
            {
                var scale = (float)(1 / Math.Sqrt(squares));
                foreach (ref var value in row)
                    value *= scale;
            }
        }
    }

    // Sparse: a text has few of all the words.
    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
        => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
    {
        var numbers = row().Span;
        var count = 0;
        foreach (var number in numbers)
            count += number != 0 ? 1 : 0;
        var editor = VBufferEditor.Create(ref value, numbers.Length, count);
        var next = 0;
        for (var slot = 0; slot < numbers.Length; slot++)
        {
            if (numbers[slot] == 0)
                continue;
            editor.Values[next] = numbers[slot];
            if (count < numbers.Length)
                editor.Indices[next] = slot;
            next++;
        }

        value = editor.Commit();
    });

    private static List<string> Words(RawRow row)
    {
        var words = new List<string>();
        foreach (var text in row.Texts.Span)
        {
            var span = text.Span;
            for (var start = 0; start < span.Length;)
            {
                if (!char.IsLetterOrDigit(span[start]))
                {
                    start++;
                    continue;
                }

                var end = start + 1;
                while (end < span.Length && char.IsLetterOrDigit(span[end]))
                    end++;
                words.Add(span[start..end].ToString().ToLowerInvariant());
                start = end;
            }
        }

        return words;
    }
}
