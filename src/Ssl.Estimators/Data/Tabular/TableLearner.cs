using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Data;

/// <summary>Learns of table columns what preprocessing needs, in one pass: how numbers are spread and which categories there are.</summary>
internal sealed class TableLearner
{
    // Quantiles are taken from so many rows, drawn evenly from all.
    private const int SampledRows = 20_000;

    // Beyond so many different categories of a cell further ones are not counted: they would be rare.
    private const int MostCountedCategories = 200_000;

    private const string SlotNames = "SlotNames";

    private readonly Settings _settings;
    private readonly TableColumnKind[] _kinds;
    private readonly int[] _sizes;
    private readonly List<float[]> _sample = [];
    private readonly Moments[] _moments;
    private readonly Dictionary<string, int>[] _counts;
    private long _rows;

    private TableLearner(DataViewSchema schema, IReadOnlyList<string> columns, Settings settings)
    {
        _settings = settings;
        _kinds = [.. columns.Select(name => TableColumnKinds.Of(ColumnShape.Find(schema, name))!.Value)];
        _sizes = [.. columns.Select(name => schema[name].Type is VectorDataViewType vector ? vector.Size : 1)];
        _moments = [.. Enumerable.Range(0, Cells(TableColumnKind.Number)).Select(_ => new Moments())];
        _counts = [.. Enumerable.Range(0, Cells(TableColumnKind.Text) + Cells(TableColumnKind.Key))
            .Select(_ => new Dictionary<string, int>(StringComparer.Ordinal))];
    }

    /// <summary>How to learn.</summary>
    /// <param name="Scaling">How numbers are scaled.</param>
    /// <param name="MinimumCategoryCount">A category must occur this often to have an entry of its own.</param>
    /// <param name="MaximumCategories">The most categories of a cell with an entry of their own.</param>
    public sealed record Settings(NumericScaling Scaling, int MinimumCategoryCount, int MaximumCategories);

    /// <summary>Reads all rows once.</summary>
    /// <param name="data">Has the columns, of allowed types.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="settings">How to learn.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    public static (TableColumns Columns, long Rows) Learn(IDataView data, IReadOnlyList<string> columns, Settings settings,
        CancellationToken cancellationToken)
    {
        var learner = new TableLearner(data.Schema, columns, settings);
        // The same rows are drawn whatever the seed: what is learned of the columns depends on the data alone.
        var random = new ShuffleRandom(0);
        foreach (var row in RowReader.All(data, columns, cancellationToken))
            learner.Add(row, random);
        return (learner.Result(data.Schema, columns), learner._rows);
    }

    private void Add(RawRow row, ShuffleRandom random)
    {
        var values = row.Numbers.Span;
        var texts = row.Texts.Span;
        int value = 0, text = 0, number = 0, category = 0;
        var sampled = Sampled(random);
        for (var column = 0; column < _kinds.Length; column++)
        {
            for (var cell = 0; cell < _sizes[column]; cell++)
            {
                switch (_kinds[column])
                {
                    case TableColumnKind.Number:
                        _moments[number].Add(values[value]);
                        if (sampled is not null)
                            sampled[number] = values[value];
                        value++;
                        number++;
                        break;
                    case TableColumnKind.Boolean:
                        value++;
                        break;
                    default:
                        Count(_counts[category++], texts[text++].Span.Trim());
                        break;
                }
            }
        }
        _rows++;
    }

    // Reservoir sampling: where the numbers of the present row go, or null.
    private float[]? Sampled(ShuffleRandom random)
    {
        if (_moments.Length == 0)
            return null;
        if (_sample.Count < SampledRows)
        {
            _sample.Add(new float[_moments.Length]);
            return _sample[^1];
        }
        var place = random.NextInt64(_rows + 1);
        return place < SampledRows ? _sample[(int)place] : null;
    }

    private static void Count(Dictionary<string, int> counts, ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
            return;
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var count))
            lookup[name] = count + 1;
        else if (counts.Count < MostCountedCategories)
            lookup[name] = 1;
    }

    private TableColumns Result(DataViewSchema schema, IReadOnlyList<string> names)
    {
        var columns = new List<TableColumn>();
        int number = 0, category = 0;
        for (var i = 0; i < names.Count; i++)
        {
            var scales = new List<NumberScale>();
            var vocabularies = new List<CategoryVocabulary>();
            for (var cell = 0; cell < _sizes[i]; cell++)
            {
                if (_kinds[i] == TableColumnKind.Number)
                    scales.Add(Scale(number++));
                else
                    vocabularies.Add(_kinds[i] == TableColumnKind.Boolean ? CategoryVocabulary.Boolean()
                        : CategoryVocabulary.Learn(_counts[category++], _settings.MinimumCategoryCount, _settings.MaximumCategories));
            }
            var isVector = schema[names[i]].Type is VectorDataViewType;
            columns.Add(new TableColumn(names[i], _kinds[i], isVector ? _sizes[i] : null, CellNames(schema[names[i]], _sizes[i]), scales,
                vocabularies));
        }
        return new TableColumns(columns);
    }

    private NumberScale Scale(int cell)
    {
        float[] sample = [.. _sample.Select(row => row[cell]).Where(float.IsFinite)];
        var moments = _moments[cell];
        return NumberScale.Learn(_settings.Scaling, moments.Count, moments.Mean, moments.Deviation, sample);
    }

    private static string[] CellNames(DataViewSchema.Column column, int size)
    {
        if (column.Type is not VectorDataViewType)
            return [column.Name];
        string[] slots = [.. Enumerable.Range(0, size).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        if (column.Annotations.Schema.GetColumnOrNull(SlotNames) is { Type: VectorDataViewType { ItemType: TextDataViewType } })
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            column.Annotations.GetValue(SlotNames, ref names);
            foreach (var (slot, name) in names.Items())
            {
                if (!name.IsEmpty && slot < size)
                    slots[slot] = name.ToString();
            }
        }
        return [.. slots.Select(slot => $"{column.Name}.{slot}")];
    }

    private int Cells(TableColumnKind kind) => _kinds.Zip(_sizes).Where(c => c.First == kind).Sum(c => c.Second);

    // Welford's running mean and variance; missing and infinite values are left out.
    private sealed class Moments
    {
        private double _squares;

        public long Count { get; private set; }

        public double Mean { get; private set; }

        public double Deviation => Count > 0 ? Math.Sqrt(_squares / Count) : 0;

        public void Add(float value)
        {
            if (!float.IsFinite(value))
                return;
            Count++;
            var difference = value - Mean;
            Mean += difference / Count;
            _squares += difference * (value - Mean);
        }
    }
}
