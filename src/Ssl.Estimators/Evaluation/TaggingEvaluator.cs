using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Evaluation;

/// <summary>Compares predicted entities with those that there are.</summary>
internal static class TaggingEvaluator
{
    /// <summary>Of labels a word.</summary>
    public static TaggingMetrics OfWords(IDataView data, string labelColumn, string predictedColumn)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (tags, predictedTags) = (TagsOf(data.Schema, labelColumn, "label"), TagsOf(data.Schema, predictedColumn, "predicted label"));
        var counts = new Counts();
        Read(data, [[labelColumn], [predictedColumn]], (row, groups) =>
        {
            var labels = groups[0].Texts.Span;
            var predicted = groups[1].Texts.Span;
            if (labels.Length != predicted.Length)
            {
                throw new InvalidOperationException($"Row {row} (from 0) has {labels.Length} values in column '{labelColumn}' and {predicted.Length} in "
                    + $"'{predictedColumn}': there must be one for each word in both.");
            }
            int[] actual = Tags(tags, labels), found = Tags(predictedTags, predicted);
            for (var i = 0; i < actual.Length; i++)
                counts.Word(Name(tags, actual[i]) == Name(predictedTags, found[i]));
            counts.Add(Spans(tags, actual), Spans(predictedTags, found));
        });
        return counts.ToMetrics(ofWords: true);

        static (string, int, int)[] Spans(EntityTags tags, int[] units)
            => [.. EntityTags.Entities(units).Select(entity => (tags.Kinds[entity.Kind], entity.First, entity.Last))];
    }

    /// <summary>Of entities that are given by their places.</summary>
    public static TaggingMetrics OfPlaces(IDataView data, string labelColumn, string startColumn, string lengthColumn)
    {
        ArgumentNullException.ThrowIfNull(data);
        foreach (var (role, name, isText) in new[] { ("label", labelColumn, true), ("start", startColumn, false), ("length", lengthColumn, false),
            ("predicted label", NamedEntitiesColumns.Label, true), ("predicted start", NamedEntitiesColumns.Start, false), ("predicted length", NamedEntitiesColumns.Length, false) })
        {
            var shape = ColumnShape.Find(data.Schema, name, role);
            if (shape.Kind == SchemaShape.Column.VectorKind.Scalar || (isText ? !shape.IsKey && shape.ItemType is not TextDataViewType : shape.IsKey || shape.ItemType is not NumberDataViewType))
                throw Check.SchemaMismatch(role, name, isText ? "VarVector<String>" : "VarVector<Int32>", shape.ToString());
        }
        var counts = new Counts();
        Read(data, [[labelColumn], [startColumn], [lengthColumn], [NamedEntitiesColumns.Label], [NamedEntitiesColumns.Start], [NamedEntitiesColumns.Length]],
            (row, groups) => counts.Add(Places(row, groups.AsSpan(0, 3)), Places(row, groups.AsSpan(3, 3))));
        return counts.ToMetrics(ofWords: false);

        (string, int, int)[] Places(long row, ReadOnlySpan<RawRow> groups)
        {
            var (labels, starts, lengths) = (groups[0].Texts.ToArray(), groups[1].Numbers.ToArray(), groups[2].Numbers.ToArray());
            return labels.Length == starts.Length && labels.Length == lengths.Length
                ? [.. labels.Select((label, i) => (label.ToString(), (int)starts[i], (int)lengths[i])).Where(entity => entity.Item1 is not ("" or "O" or "0"))]
                : throw new InvalidOperationException($"Row {row} (from 0) has {labels.Length} labels, {starts.Length} starts and {lengths.Length} lengths "
                    + "of entities: there must be as many of each.");
        }
    }

    /// <summary>Reads groups of columns row by row.</summary>
    internal static void Read(IDataView data, IReadOnlyList<IReadOnlyList<string>> columns, Action<long, RawRow[]> add)
    {
        var rows = 0L;
        foreach (var groups in RowReader.Groups(data, columns))
            add(rows++, groups);
        if (rows == 0)
            throw new InvalidOperationException("There are no rows to evaluate. Give a data view with at least one row.");
    }

    private static EntityTags TagsOf(DataViewSchema schema, string name, string role)
    {
        var shape = ColumnShape.Find(schema, name, role);
        return shape.Kind != SchemaShape.Column.VectorKind.Scalar && shape.IsKey ? new EntityTags(ClassValues.Of(schema[name]))
            : throw Check.SchemaMismatch(role, name, "VarVector<Key<UInt32>>", shape.ToString(),
                "Evaluate before the keys are mapped to values, and map labels to keys first: mlContext.Transforms.Conversion.MapValueToKey(…).");
    }

    private static int[] Tags(EntityTags tags, ReadOnlySpan<ReadOnlyMemory<char>> texts)
    {
        var classes = new int[texts.Length];
        for (var i = 0; i < classes.Length; i++)
            classes[i] = tags.ClassOf(texts[i].ToString());
        return tags.OfClasses(classes);
    }

    // The word's own label, which of bare kinds does not tell whether an entity begins.
    private static string Name(EntityTags tags, int tag) => tags.Key(tag) is var key && key == 0 ? "" : tags.Classes.Texts[(int)key - 1] is "O" or "0" ? ""
        : tags.Classes.Texts[(int)key - 1];

    private sealed class Counts
    {
        private readonly Dictionary<string, (long Actual, long Predicted, long Found)> _kinds = new(StringComparer.Ordinal);
        private long _rows, _words, _rightWords;

        public void Word(bool right) => (_words, _rightWords) = (_words + 1, _rightWords + (right ? 1 : 0));

        public void Add((string Kind, int, int)[] actual, (string Kind, int, int)[] predicted)
        {
            _rows++;
            var left = actual.ToList();
            foreach (var entity in predicted)
            {
                var right = left.Remove(entity);                    // what stands twice must be found twice
                Count(entity.Kind, 0, 1, right ? 1 : 0);
            }
            foreach (var entity in actual)
                Count(entity.Kind, 1, 0, 0);
        }

        public TaggingMetrics ToMetrics(bool ofWords) => new(_rows,
            [.. _kinds.OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => new EntityKindMetrics(kind.Key, kind.Value.Actual, kind.Value.Predicted, kind.Value.Found))],
            ofWords ? _words == 0 ? 0 : _rightWords / (double)_words : null);

        private void Count(string kind, long actual, long predicted, long found)
        {
            var before = _kinds.GetValueOrDefault(kind);
            _kinds[kind] = (before.Actual + actual, before.Predicted + predicted, before.Found + found);
        }
    }
}
