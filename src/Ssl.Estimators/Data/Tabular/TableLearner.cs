using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
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
    private readonly List<double[]> _sample = [];
    private readonly NumberMoments[] _moments;
    private readonly bool[][] _answers;
    private readonly CategoryCounts[] _counts;
    private long _rows;

    private TableLearner(DataViewSchema schema, IReadOnlyList<string> columns, Settings settings)
    {
        _settings = settings;
        _kinds = [.. columns.Select(name => TableColumnKinds.Of(ColumnShape.Find(schema, name))!.Value)];
        _sizes = [.. columns.Select(name => schema[name].Type is VectorDataViewType vector ? vector.Size : 1)];
        _moments = [.. Enumerable.Range(0, Cells(TableColumnKinds.IsNumeric)).Select(_ => new NumberMoments())];
        _answers = [.. Enumerable.Range(0, Cells(kind => kind == TableColumnKind.Boolean)).Select(_ => new bool[2])];
        _counts = [.. Enumerable.Range(0, Cells(TableColumnKinds.IsText)).Select(_ => new CategoryCounts(MostCountedCategories))];
    }

    /// <summary>How to learn.</summary>
    /// <param name="Scaling">How numbers are scaled.</param>
    /// <param name="MinimumCategoryCount">A category must occur this often to have an entry of its own.</param>
    /// <param name="MaximumCategories">The most categories of a cell with an entry of their own.</param>
    public sealed record Settings(NumericScaling Scaling, int MinimumCategoryCount, int MaximumCategories);

    /// <summary>What was learned.</summary>
    /// <param name="Columns">Of the columns.</param>
    /// <param name="Rows">How many rows there are.</param>
    /// <param name="Warnings">Sentences on what of the columns is of no use as it stands.</param>
    public sealed record Learned(TableColumns Columns, long Rows, IReadOnlyList<string> Warnings);

    /// <summary>Reads all rows once.</summary>
    /// <param name="data">Has the columns, of allowed types.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="settings">How to learn.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    public static Learned Learn(IDataView data, IReadOnlyList<string> columns, Settings settings,
        CancellationToken cancellationToken)
    {
        var learner = new TableLearner(data.Schema, columns, settings);
        // The same rows are drawn whatever the seed: what is learned of the columns depends on the data alone.
        var random = new ShuffleRandom(0);
        foreach (var row in RowReader.All(data, columns, cancellationToken))
            learner.Add(row, random);
        return learner.Result(data.Schema, columns);
    }

    private void Add(RawRow row, ShuffleRandom random)
    {
        var values = row.Numbers.Span;
        var texts = row.Texts.Span;
        int value = 0, text = 0, number = 0, category = 0, answer = 0;
        var sampled = Sampled(random);
        for (var column = 0; column < _kinds.Length; column++)
        {
            for (var cell = 0; cell < _sizes[column]; cell++)
            {
                switch (_kinds[column])
                {
                    case TableColumnKind.Boolean:
                        _answers[answer++][values[value++] == 1 ? 1 : 0] = true;
                        break;
                    case TableColumnKind.Text or TableColumnKind.Key:
                        _counts[category++].Add(texts[text++].Span.Trim());
                        break;
                    default:
                        _moments[number].Add(values[value]);
                        if (sampled is not null)
                            sampled[number] = values[value];
                        value++;
                        number++;
                        break;
                }
            }
        }
        _rows++;
    }

    // Reservoir sampling: where the numbers of the present row go, or null.
    private double[]? Sampled(ShuffleRandom random)
    {
        if (_moments.Length == 0)
            return null;
        if (_sample.Count < SampledRows)
        {
            _sample.Add(new double[_moments.Length]);
            return _sample[^1];
        }
        var place = random.NextInt64(_rows + 1);
        return place < SampledRows ? _sample[(int)place] : null;
    }

    private Learned Result(DataViewSchema schema, IReadOnlyList<string> names)
    {
        var columns = new List<TableColumn>();
        var (warnings, outliers) = (new List<string>(), new List<string>());
        int number = 0, category = 0, answer = 0;
        for (var i = 0; i < names.Count; i++)
        {
            if (_kinds[i] == TableColumnKind.Key && KeyValues.ItemType(schema[names[i]]) is null)
                warnings.Add($"'{names[i]}' is a key without values: its numbers are the categories, and must mean the same in every data that is embedded.");
            var scales = new List<NumberScale>();
            var vocabularies = new List<CategoryVocabulary>();
            var cells = CellNames(schema[names[i]], _sizes[i]);
            foreach (var cell in cells)
            {
                switch (_kinds[i])
                {
                    case TableColumnKind.Boolean:
                        vocabularies.Add(CategoryVocabulary.Boolean(_answers[answer][0], _answers[answer++][1]));
                        break;
                    case TableColumnKind.Text or TableColumnKind.Key:
                        var counts = _counts[category++];
                        vocabularies.Add(CategoryVocabulary.Learn(counts.Names, _settings.MinimumCategoryCount, _settings.MaximumCategories));
                        if (counts.Describe(cell, _settings.MinimumCategoryCount, _settings.MaximumCategories) is { } warning)
                            warnings.Add(warning);
                        break;
                    default:
                        scales.Add(Scale(number++, cell, outliers));
                        break;
                }
            }
            var isVector = schema[names[i]].Type is VectorDataViewType;
            columns.Add(new TableColumn(names[i], _kinds[i], isVector ? _sizes[i] : null, cells, scales, vocabularies));
        }
        var learned = new TableColumns(columns);
        if (learned.DescribeConstants() is { } constants)
            warnings.Insert(0, constants);
        if (Outliers.Describe(outliers) is { } sentence)
            warnings.Add(sentence);
        return new Learned(learned, _rows, warnings);
    }

    private NumberScale Scale(int cell, string name, List<string> outliers)
    {
        double[] sample = [.. _sample.Select(row => row[cell]).Where(double.IsFinite)];
        var scale = NumberScale.Learn(_settings.Scaling, _moments[cell], sample);
        if (_settings.Scaling == NumericScaling.ZScore && Outliers.Find(_moments[cell], sample, $"'{name}'") is { } found)
            outliers.Add(found);
        return scale;
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

    private int Cells(Func<TableColumnKind, bool> which) => _kinds.Zip(_sizes).Where(c => which(c.First)).Sum(c => c.Second);
}
