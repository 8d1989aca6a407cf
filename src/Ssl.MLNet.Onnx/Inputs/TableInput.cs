using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Networks;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>Columns of a table: an input each, of its name. Scaling and the codes of categories are in the model.</summary>
internal sealed class TableInput(TableRowFormat format) : ModelInput
{
    private readonly TableColumns _table = format.Table;
    private TableCells? _cells;

    public override string Preparation => "Every input is a column of its name, [rows, 1] or [rows, slots]: numbers as Single, NaN where one is missing; texts and the values of keys as "
        + "String without white space at their ends, empty where missing; dates as the seconds since 1970-01-01 in UTC and durations as seconds, as Double";

    public override OnnxValue Embed(NetworkWeights weights)
    {
        _cells = Cells(weights.Graph);
        return TableGraphs.Encode(format.Factory, _table.Layout, weights, _cells);
    }

    // Bins of the numbers, which are missing, categories one-hot, the embedding: each less its mean, times its factor.
    public override OnnxValue Output(OnnxValue embedding)
    {
        if (format.Features is not { } features)
            return embedding;
        using var scope = NewDisposeScope();
        var (graph, layout) = (embedding.Graph, _table.Layout);
        var parts = new List<OnnxValue>();
        if (_cells!.Numbers is { } numbers && _cells.Missing is { } missing)
        {
            var starts = graph.Weight(tensor(features.BinStarts.ToArray(), [layout.NumericCount, features.Bins]), "bin_starts");
            var widths = graph.Weight(tensor(features.BinWidths.ToArray(), [layout.NumericCount, features.Bins]), "bin_widths");
            var filled = ((numbers.Unsqueeze(2) - starts) / widths).Clip(graph.Constant(0f), graph.Constant(1f));                       // [N, C, bins]
            parts.Add((filled * (!missing).To(DataType.Float).Unsqueeze(2)).Reshape(0, layout.NumericCount * (long)features.Bins));
            parts.Add(missing.To(DataType.Float));
        }
        if (_cells.Entries is { } entries)
        {
            var all = graph.Weight(tensor(Enumerable.Range(0, layout.TotalCategories).Select(entry => (long)entry).ToArray()), "categories");
            parts.Add(entries.Unsqueeze(2).EqualTo(all).To(DataType.Float).Sum(false, 1));                                              // [N, categories]
        }
        parts.Add(embedding);
        var means = graph.Weight(tensor(features.Means.ToArray()), "feature_means");
        return (OnnxValue.Concat(1, [.. parts]) - means) * graph.Weight(tensor(features.Factors.ToArray()), "feature_factors");
    }

    private TableCells Cells(OnnxBuilder graph)
    {
        var (numbers, codes) = (new List<OnnxValue>(), new List<OnnxValue>());
        for (var i = 0; i < _table.Columns.Count; i++)
        {
            var (column, name) = (_table.Columns[i], format.Columns[i]);
            var input = graph.Input(name, TypeOf(column.Kind), $"{TableColumnKinds.Name(column.Kind, column.Size is not null)}.", Rows, column.Cells);
            if (TableColumnKinds.IsNumeric(column.Kind))
                numbers.Add(column.Kind == TableColumnKind.Number ? input.To(DataType.Double) : input);
            else if (column.Kind == TableColumnKind.Boolean)
                codes.Add(input.To(DataType.Int64) + graph.Integer(TableLayout.SpecialCount));
            else
                codes.AddRange(column.Vocabularies.Select((vocabulary, cell) => Codes(input.Slice(1, cell, cell + 1), vocabulary)));
        }
        OnnxValue? scaled = null, missing = null, entries = null;
        if (numbers.Count > 0)
        {
            var raw = OnnxValue.Concat(1, [.. numbers]);                                                // [N, C]
            NumberScale[] scales = [.. _table.Columns.SelectMany(column => column.Scales)];
            missing = raw.IsNaN();
            scaled = missing.Value.Choose(graph.Constant(0f), NumberScaling.Scale(raw, scales, scales.Length));
        }
        if (codes.Count > 0)
        {
            using var scope = NewDisposeScope();
            entries = OnnxValue.Concat(1, [.. codes]) + graph.Weight(tensor(_table.Layout.CategoryOffsets), "category_offsets");          // [N, K]
        }
        return new TableCells(scaled, missing, entries);
    }

    // Of texts [N, 1].
    private static OnnxValue Codes(OnnxValue texts, CategoryVocabulary vocabulary)
    {
        string[] names = ["", .. vocabulary.Rare, .. vocabulary.Categories];
        long[] codes = [TableLayout.MissingCode, .. vocabulary.Rare.Select(_ => (long)TableLayout.RareCode),
            .. Enumerable.Range(TableLayout.SpecialCount, vocabulary.Categories.Count).Select(code => (long)code)];
        return texts.Graph.NodeOf(OnnxBuilder.TraditionalDomain, "LabelEncoder", [texts], ("keys_strings", names), ("values_int64s", codes),
            ("default_int64", (long)TableLayout.UnseenCode));
    }

    private static DataType TypeOf(TableColumnKind kind) => kind switch
    {
        TableColumnKind.Number => DataType.Float,
        TableColumnKind.Boolean => DataType.Bool,
        TableColumnKind.Text or TableColumnKind.Key => DataType.String,
        _ => DataType.Double,
    };

    public override RawRow Narrowed(RawRow row)
    {
        var numbers = row.Numbers.ToArray();
        var i = 0;
        foreach (var column in _table.Columns.Where(column => !TableColumnKinds.IsText(column.Kind)))
        {
            for (var cell = 0; cell < column.Cells; cell++, i++)
            {
                if (column.Kind == TableColumnKind.Number)
                    numbers[i] = (float)numbers[i];
            }
        }
        return row with { Numbers = numbers };
    }

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store)
    {
        var values = new Dictionary<string, OrtValue>();
        int number = 0, text = 0;
        for (var i = 0; i < _table.Columns.Count; i++)
        {
            var (column, name) = (_table.Columns[i], format.Columns[i]);
            long[] shape = [rows.Count, column.Cells];
            var isText = TableColumnKinds.IsText(column.Kind);
            var first = isText ? text : number;
            values.Add(name, column.Kind switch
            {
                TableColumnKind.Number => OrtValue.CreateTensorValueFromMemory(All(row => (float)row.Numbers.Span[first + row.Cell]), shape),
                TableColumnKind.Boolean => OrtValue.CreateTensorValueFromMemory(All(row => row.Numbers.Span[first + row.Cell] == 1), shape),
                TableColumnKind.Text or TableColumnKind.Key => Texts(All(row => row.Texts.Span[first + row.Cell].Span.Trim().ToString()), shape),
                _ => OrtValue.CreateTensorValueFromMemory(All(row => row.Numbers.Span[first + row.Cell]), shape),
            });
            (number, text) = isText ? (number, text + column.Cells) : (number + column.Cells, text);

            T[] All<T>(Func<(ReadOnlyMemory<double> Numbers, ReadOnlyMemory<ReadOnlyMemory<char>> Texts, int Cell), T> value)
                => [.. rows.SelectMany(row => Enumerable.Range(0, column.Cells).Select(cell => value((row.Numbers, row.Texts, cell))))];
        }
        return values;
    }

    private static OrtValue Texts(string[] texts, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        for (var i = 0; i < texts.Length; i++)
            value.StringTensorSetElementAt(texts[i].AsSpan(), i);
        return value;
    }

    // Numbers all over the range of the training data and beyond, categories of all kinds; some are missing.
    public override RawRow MadeUp(Random random)
    {
        var (numbers, texts) = (new List<double>(), new List<ReadOnlyMemory<char>>());
        foreach (var column in _table.Columns)
        {
            for (var cell = 0; cell < column.Cells; cell++)
            {
                if (TableColumnKinds.IsText(column.Kind))
                    texts.Add(Category(column.Vocabularies[cell], random).AsMemory());
                else if (column.Kind == TableColumnKind.Boolean)
                    numbers.Add(random.Next(2));
                else
                    numbers.Add(random.Next(8) == 0 ? double.NaN : Number(column.Scales[cell], random));
            }
        }
        return new RawRow(numbers.ToArray(), texts.ToArray());
    }

    private static double Number(NumberScale scale, Random random)
    {
        if (scale.TrainingQuantiles is not { } quantiles)
            return scale.Center + (scale.Factor == 0 ? 0 : (random.NextDouble() * 6 - 3) / scale.Factor);
        var place = random.Next(quantiles.Count - 1);
        return quantiles[place] + random.NextDouble() * (quantiles[place + 1] - quantiles[place]);
    }

    private static string Category(CategoryVocabulary vocabulary, Random random) => random.Next(10) switch
    {
        0 => "",
        1 => "a category that there was not",
        2 when vocabulary.Rare.Count > 0 => vocabulary.Rare[random.Next(vocabulary.Rare.Count)],
        _ => vocabulary.Categories.Count > 0 ? vocabulary.Categories[random.Next(vocabulary.Categories.Count)] : "",
    };
}
