using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Reporting;

/// <summary>Rows with their embedding, the names of their labels, and as a person knows them: what maps and lists of neighbors are made of.</summary>
internal sealed class EmbeddedRows
{
    private readonly MLContext _mlContext;
    private readonly EncoderTransformer _encoder;
    private readonly string? _display;
    private readonly long _seed;
    private readonly int _minimum;
    private readonly string[] _classes = [];
    private EmbeddingSet? _set;

    /// <summary>Checks the columns and draws rows; nothing is embedded yet.</summary>
    /// <param name="mlContext">Makes keys of labels that are none.</param>
    /// <param name="data">The rows; read several times, always in the same order.</param>
    /// <param name="encoder">Embeds them.</param>
    /// <param name="labelColumnName">Name of a column of classes, or null.</param>
    /// <param name="displayColumnName">Name of the column by which they are shown; null shows what the encoder reads.</param>
    /// <param name="maximumNumberOfRows">Of more, so many are drawn.</param>
    /// <param name="seed">Of all draws.</param>
    /// <param name="minimumNumberOfRows">So many must have an embedding with a direction.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    public EmbeddedRows(MLContext mlContext, IDataView data, EncoderTransformer encoder, string? labelColumnName, string? displayColumnName, int maximumNumberOfRows,
        long seed, int minimumNumberOfRows = 2)
    {
        (_mlContext, _encoder, LabelColumnName, _display, _seed, _minimum) = (mlContext, encoder, labelColumnName, displayColumnName, seed, minimumNumberOfRows);
        encoder.Model.Format.CheckColumns(data.Schema);
        if (displayColumnName is not null)
            RowDisplay.CheckColumn(data.Schema, displayColumnName);
        if (labelColumnName is not null)
        {
            data = WithKeys(data, labelColumnName);
            _classes = KeyValues.Texts(data.Schema[labelColumnName]);
        }
        NumberOfAllRows = RowReader.Count(data, CancellationToken.None);
        if (NumberOfAllRows > maximumNumberOfRows)
        {
            // Drawn, not the first ones: files are often sorted by class.
            var random = new ShuffleRandom((ulong)seed);
            var rows = Enumerable.Range(0, (int)Math.Min(NumberOfAllRows, int.MaxValue)).ToArray();
            random.Shuffle(rows);
            data = new ChosenRowsView(data, rows.Take(maximumNumberOfRows));
        }
        (Data, Embedded) = (data, encoder.Transform(data));
    }

    /// <summary>Name of the column of classes, keys in <see cref="Data"/>; null without labels.</summary>
    public string? LabelColumnName { get; }

    /// <summary>How many rows there were before some were drawn.</summary>
    public long NumberOfAllRows { get; }

    /// <summary>The rows that are looked at.</summary>
    public IDataView Data { get; }

    /// <summary>The same with their embedding.</summary>
    public IDataView Embedded { get; }

    /// <summary>The embeddings that have a direction, read at the first use.</summary>
    /// <exception cref="InvalidOperationException">There are too few.</exception>
    public EmbeddingSet Set => _set ??= EmbeddingSet.Read(Embedded, [("feature", _encoder.OutputColumnName)], LabelColumnName, OpenLabel, EvaluationLog.Of(_mlContext),
        keepUnlabeled: true, _minimum);

    /// <summary>Some rows of <see cref="Set"/>, drawn at random; the first of them are those of a smaller draw.</summary>
    public int[] Draw(int count)
    {
        int[] order = [.. Enumerable.Range(0, Set.Count)];
        new ShuffleRandom((ulong)_seed).Shuffle(order);
        return order[..Math.Min(count, order.Length)];
    }

    /// <summary>Shows some rows of <see cref="Set"/>; reads the data once.</summary>
    public Func<int, ShownRow> Show(IEnumerable<int> rows, CancellationToken cancellationToken)
    {
        var shown = new RowDisplay(_encoder.Model.Format, _display).Read(Data, rows.Select(row => Set.SourceRows[row]), cancellationToken);
        return row => shown[Set.SourceRows[row]];
    }

    /// <summary>The number of a row's class; null where it has none.</summary>
    public int? ClassOf(int row) => LabelColumnName is null || double.IsNaN(Set.Labels[row]) ? null : (int)Set.Labels[row];

    /// <summary>The name of a class.</summary>
    public string ClassName(int number) => number >= 0 && number < _classes.Length ? _classes[number] : $"{number}";

    /// <summary>The name of a row's class; null where it has none.</summary>
    public string? LabelOf(int row) => ClassOf(row) is { } number ? ClassName(number) : null;

    private IDataView WithKeys(IDataView data, string label)
    {
        ColumnShape.Find(data.Schema, label, "label");
        if (data.Schema[label].Type is KeyDataViewType)
            return data;
        if (data.Schema[label].Type is not (TextDataViewType or BooleanDataViewType or NumberDataViewType))
            throw Check.SchemaMismatch("label", label, "Key, String, Boolean or a whole number", data.Schema[label].Type.ToString()!);
        return _mlContext.Transforms.Conversion.MapValueToKey(label).Fit(data).Transform(data);
    }

    // From 0, NaN where it is missing.
    private static Func<double> OpenLabel(DataViewRow row, DataViewSchema.Column column)
        => LabelValues.Getter(PredictionKind.MulticlassClassification, row, column);
}
