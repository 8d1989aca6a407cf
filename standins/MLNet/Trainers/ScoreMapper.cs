using Microsoft.ML.Calibrators;

namespace Microsoft.ML.Data;

/// <summary>Adds the columns of a prediction: PredictedLabel, Score and Probability, as the kind of model has them.</summary>
internal sealed class ScoreMapper(
    DataViewSchema inputSchema, DataViewSchema.Column feature, IScoringModel model, string kind, DataViewSchema.Column? label)
    : RowMapper(inputSchema)
{
    public const string Multiclass = "MulticlassClassification";
    public const string Binary = "BinaryClassification";
    public const string Regression = "Regression";
    public const string Clustering = "Clustering";

    private const string PredictedLabel = "PredictedLabel";
    private const string Score = "Score";
    private const string Probability = "Probability";

    private static readonly KeyDataViewType _setIdType = new(typeof(uint), int.MaxValue);

    public override IEnumerable<int> Dependencies(int output) => [feature.Index];

    public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer) =>
        MakeGetters(input, candidate => candidate == output, out disposer)[output];

    /// <summary>The outputs of one row share its scores.</summary>
    public override Delegate[] MakeGetters(DataViewRow input, Func<int, bool> active, out Action disposer)
    {
        disposer = null;
        var getters = new Delegate[Outputs.Count];
        if (!Enumerable.Range(0, getters.Length).Any(active))
        {
            return getters;
        }

        var source = input.GetGetter<VBuffer<float>>(feature);
        VBuffer<float> features = default;
        var scores = new float[model.ScoreCount];
        var position = -1L;
        float[] Scores()
        {
            if (position != input.Position || position < 0)
            {
                source(ref features);
                model.Score(features, scores);
                position = input.Position;
            }

            return scores;
        }

        for (var i = 0; i < getters.Length; i++)
        {
            if (active(i))
            {
                getters[i] = Getter(Outputs[i], Scores);
            }
        }

        return getters;
    }

    protected override DataViewSchema.DetachedColumn[] MakeOutputs()
    {
        var setId = NextSetId();
        DataViewType scoreType = kind is Multiclass or Clustering ? new VectorDataViewType(NumberDataViewType.Single, model.ScoreCount)
            : NumberDataViewType.Single;
        var columns = new List<DataViewSchema.DetachedColumn>();
        if (kind != Regression)
        {
            columns.Add(PredictedLabelColumn(setId));
        }

        columns.Add(new(Score, scoreType, ScoreAnnotations(setId, Score)));
        if (model is CalibratedModelParametersBase)
        {
            columns.Add(new(Probability, NumberDataViewType.Single, ScoreAnnotations(setId, Probability)));
        }

        return [.. columns];
    }

    private static int ArgMax(float[] values, Func<float, float> sign)
    {
        var best = -1;
        for (var i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i]))
            {
                return -1;
            }

            if (best < 0 || sign(values[i]) > sign(values[best]))
            {
                best = i;
            }
        }

        return best;
    }

    private static void AddText(DataViewSchema.Annotations.Builder builder, string name, string value) =>
        builder.AddPrimitiveValue(name, TextDataViewType.Instance, value.AsMemory());

    private Delegate Getter(DataViewSchema.DetachedColumn output, Func<float[]> scores)
    {
        switch (output.Name)
        {
            case Score when output.Type is VectorDataViewType:
                return (ValueGetter<VBuffer<float>>)(
                    (ref VBuffer<float> value) => VBuffer<float>.Copy(scores(), 0, ref value, model.ScoreCount));
            case Score:
                return (ValueGetter<float>)((ref float value) => value = scores()[0]);
            case Probability:
                var calibrator = ((CalibratedModelParametersBase)model).Calibrator;
                return (ValueGetter<float>)((ref float value) => value = calibrator.PredictProbability(scores()[0]));
            default:
                return kind switch
                {
                    Binary => (ValueGetter<bool>)((ref bool value) => value = scores()[0] > 0),
                    Clustering => (ValueGetter<uint>)((ref uint value) => value = (uint)(ArgMax(scores(), score => -score) + 1)),
                    _ => (ValueGetter<uint>)((ref uint value) => value = (uint)(ArgMax(scores(), score => score) + 1)),
                };
        }
    }

    private DataViewSchema.DetachedColumn PredictedLabelColumn(uint setId)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        AddText(builder, AnnotationKinds.ScoreColumnKind, kind);
        AddText(builder, AnnotationKinds.ScoreValueKind, PredictedLabel);
        if (kind == Multiclass && label is { } column)
        {
            builder.Add(column.Annotations, name => name == AnnotationKinds.KeyValues);
        }

        builder.AddPrimitiveValue(AnnotationKinds.ScoreColumnSetId, _setIdType, setId);
        DataViewType type = kind == Binary ? BooleanDataViewType.Instance : new KeyDataViewType(typeof(uint), model.ScoreCount);
        return new(PredictedLabel, type, builder.ToAnnotations());
    }

    private DataViewSchema.Annotations ScoreAnnotations(uint setId, string valueKind)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        AddText(builder, AnnotationKinds.ScoreColumnKind, kind);
        builder.AddPrimitiveValue(AnnotationKinds.ScoreColumnSetId, _setIdType, setId);
        if (valueKind == Probability)
        {
            builder.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
        }

        AddText(builder, AnnotationKinds.ScoreValueKind, valueKind);
        if (kind == Multiclass && label is { } column
            && column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues) is { Type: VectorDataViewType type } names
                && type.Size == model.ScoreCount)
        {
            var getter = column.Annotations.GetGetter(names.Index);
            builder.Add(AnnotationKinds.TrainingLabelValues, type, getter);
            if (type.ItemType is TextDataViewType)
            {
                builder.Add(AnnotationKinds.SlotNames, type, getter);
            }
        }

        return builder.ToAnnotations();
    }

    // Score columns of one model share a number that no earlier model has.
    private uint NextSetId()
    {
        uint largest = 0;
        foreach (var column in InputSchema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.ScoreColumnSetId)?.Type is KeyDataViewType { RawType: var type }
                && type == typeof(uint))
            {
                uint value = 0;
                column.Annotations.GetValue(AnnotationKinds.ScoreColumnSetId, ref value);
                largest = Math.Max(largest, value);
            }
        }

        return largest + 1;
    }
}
