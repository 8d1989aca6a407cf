using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads scored rows and makes metrics of them.</summary>
internal static class Evaluators
{
    public static MulticlassClassificationMetrics Multiclass(
        IHostEnvironment env, IDataView data, string label, string score, string predictedLabel, int topK)
    {
        var labelColumn = LabelOf(env, data, label);
        var scoreColumn = VectorOf(env, data, score, "Score");
        Find(env, data, predictedLabel, "PredictedLabel");
        var classes = ((VectorDataViewType)scoreColumn.Type).Size;
        var counts = new MulticlassCounts(classes, topK);
        using (var cursor = data.GetRowCursor([labelColumn, scoreColumn]))
        {
            var getLabel = Numbers.GetterOf(cursor, labelColumn);
            var getScores = cursor.GetGetter<VBuffer<float>>(scoreColumn);
            VBuffer<float> buffer = default;
            var scores = new float[classes];
            while (cursor.MoveNext())
            {
                var truth = getLabel();
                getScores(ref buffer);
                env.Check(buffer.Length == classes);
                buffer.CopyTo(scores);
                if (!double.IsNaN(truth) && truth >= 0 && truth == (int)truth && scores.All(float.IsFinite))
                {
                    counts.Add((int)truth, scores);
                }
            }
        }

        VBuffer<ReadOnlyMemory<char>> names = default;
        if (scoreColumn.HasSlotNames(classes))
        {
            scoreColumn.GetSlotNames(ref names);
        }

        return counts.ToMetrics(
            Enumerable.Range(0, classes).Select(i => names.Length == classes ? names.GetItemOrDefault(i).ToString() : i.ToString()));
    }

    public static BinaryCounts Binary(
        IHostEnvironment env, IDataView data, string label, string score, string probability, string predictedLabel)
    {
        var labelColumn = LabelOf(env, data, label);
        var scoreColumn = ScalarOf(env, data, score, "Score");
        DataViewSchema.Column? probabilityColumn = probability == null ? null : ScalarOf(env, data, probability, "Probability");
        Find(env, data, predictedLabel, "PredictedLabel");
        var counts = new BinaryCounts();
        using var cursor = data.GetRowCursor(
            probabilityColumn is { } column ? [labelColumn, scoreColumn, column] : [labelColumn, scoreColumn]);
        var getLabel = Numbers.GetterOf(cursor, labelColumn);
        var getScore = cursor.GetGetter<float>(scoreColumn);
        var getProbability = probabilityColumn is { } active ? cursor.GetGetter<float>(active) : (ref float value) => value = float.NaN;
        var (rowScore, rowProbability) = (0f, 0f);
        while (cursor.MoveNext())
        {
            getScore(ref rowScore);
            getProbability(ref rowProbability);
            counts.Add((float)getLabel(), rowScore, rowProbability);
        }

        return counts;
    }

    public static RegressionMetrics Regression(IHostEnvironment env, IDataView data, string label, string score)
    {
        var (count, absolute, squares, losses, labels, labelSquares) = (0d, 0d, 0d, 0d, 0d, 0d);
        foreach (var (truth, predicted) in Pairs(env, data, label, score))
        {
            count++;
            absolute += Math.Abs((double)truth - predicted);
            squares += Math.Pow(Math.Abs((double)truth - predicted), 2);
            losses += (predicted - truth) * (predicted - truth);
            labels += truth;
            labelSquares += (double)truth * truth;
        }

        var variance = labelSquares - (labels * labels / count);
        return new RegressionMetrics
        {
            MeanAbsoluteError = count > 0 ? absolute / count : 0,
            MeanSquaredError = count > 0 ? squares / count : 0,
            LossFunction = count > 0 ? losses / count : 0,
            RSquared = count > 0 ? 1 - (squares / variance) : 0,
        };
    }

    public static AnomalyDetectionMetrics AnomalyDetection(
        IHostEnvironment env, IDataView data, string label, string score, string predictedLabel, int falsePositives)
    {
        Find(env, data, predictedLabel, "PredictedLabel");
        env.CheckUserArg(falsePositives > 0, "k", "Must be positive");
        var examples = Pairs(env, data, label, score).Select(pair => (pair.Score, Positive: pair.Label > 0)).ToArray();
        var anomalies = examples.Count(example => example.Positive);
        var detected = 0;
        var wrong = 0;
        foreach (var (_, positive) in examples.OrderByDescending(example => example.Score))
        {
            if (positive)
            {
                detected++;
            }
            else if (++wrong > falsePositives)
            {
                break;
            }
        }

        return new AnomalyDetectionMetrics
        {
            AreaUnderRocCurve = BinaryCounts.RocArea(examples),
            DetectionRateAtFalsePositiveCount = anomalies == 0 || anomalies == examples.Length ? double.NaN : detected / (double)anomalies,
        };
    }

    public static ClusteringMetrics Clustering(IHostEnvironment env, IDataView data, string label, string score, string features)
    {
        var scoreColumn = VectorOf(env, data, score, "Score");
        DataViewSchema.Column? labelColumn = label == null ? null : LabelOf(env, data, label);
        DataViewSchema.Column? featureColumn = features == null ? null : VectorOf(env, data, features, "Feature");
        var counts = new ClusterCounts(((VectorDataViewType)scoreColumn.Type).Size);
        var columns = new[] { scoreColumn, labelColumn, featureColumn }.Where(column => column != null).Select(column => column.Value);
        using var cursor = data.GetRowCursor(columns);
        var getScores = cursor.GetGetter<VBuffer<float>>(scoreColumn);
        var getLabel = labelColumn is { } known ? Numbers.GetterOf(cursor, known) : null;
        var getFeatures = featureColumn is { } vector ? cursor.GetGetter<VBuffer<float>>(vector) : null;
        VBuffer<float> scores = default;
        VBuffer<float> row = default;
        while (cursor.MoveNext())
        {
            var truth = getLabel?.Invoke() ?? double.NaN;
            truth = double.IsNaN(truth) ? 0 : truth;
            env.Check(truth >= 0 && truth == (int)truth, $"Invalid label: {truth}");
            getScores(ref scores);
            var distances = scores.DenseValues().ToArray();
            if (distances.All(float.IsFinite))
            {
                getFeatures?.Invoke(ref row);
                counts.Add((int)truth, distances, getFeatures == null ? null : [.. row.DenseValues()]);
            }
        }

        return counts.ToMetrics(getFeatures != null);
    }

    private static IEnumerable<(float Label, float Score)> Pairs(IHostEnvironment env, IDataView data, string label, string score)
    {
        var labelColumn = LabelOf(env, data, label);
        var scoreColumn = ScalarOf(env, data, score, "Score");
        using var cursor = data.GetRowCursor([labelColumn, scoreColumn]);
        var getLabel = Numbers.GetterOf(cursor, labelColumn);
        var getScore = cursor.GetGetter<float>(scoreColumn);
        var predicted = 0f;
        while (cursor.MoveNext())
        {
            var truth = (float)getLabel();
            getScore(ref predicted);
            if (!float.IsNaN(truth) && float.IsFinite(predicted))
            {
                yield return (truth, predicted);
            }
        }
    }

    private static DataViewSchema.Column Find(IHostEnvironment env, IDataView data, string name, string role)
    {
        env.CheckValue(data, nameof(data));
        env.CheckNonEmpty(name, char.ToLowerInvariant(role[0]) + role[1..]);
        return env.FindColumn(data.Schema, name, role, "schema");
    }

    private static DataViewSchema.Column LabelOf(IHostEnvironment env, IDataView data, string name)
    {
        var column = Find(env, data, name, "Label");
        return column.Type is KeyDataViewType or BooleanDataViewType or NumberDataViewType
            ? column
            : throw env.ExceptSchemaMismatch("schema", "label", name, "Single, Double, Boolean or Key", column.Type.ToString());
    }

    private static DataViewSchema.Column ScalarOf(IHostEnvironment env, IDataView data, string name, string role)
    {
        var column = Find(env, data, name, role);
        return column.Type == NumberDataViewType.Single
            ? column
            : throw env.ExceptSchemaMismatch("schema", role.ToLowerInvariant(), name, "Single", column.Type.ToString());
    }

    private static DataViewSchema.Column VectorOf(IHostEnvironment env, IDataView data, string name, string role)
    {
        var column = Find(env, data, name, role);
        return column.Type is VectorDataViewType { IsKnownSize: true } vector && vector.ItemType == NumberDataViewType.Single
            ? column
            : throw env.ExceptSchemaMismatch(
                "schema", role.ToLowerInvariant(), name, "Known-size vector of Single", column.Type.ToString());
    }
}
