using System.Collections.Immutable;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>How much a figure changes where the values of one slot of the features are shuffled among the rows.</summary>
public static class PermutationFeatureImportanceExtensions
{
    public static ImmutableArray<RegressionMetricsStatistics> PermutationFeatureImportance<TModel>(
        this RegressionCatalog catalog,
        ISingleFeaturePredictionTransformer<TModel> predictionTransformer,
        IDataView data,
        string labelColumnName = "Label",
        bool useFeatureWeightFilter = false,
        int? numberOfExamplesToUse = null,
        int permutationCount = 1)
        where TModel : class => Importance(
            catalog, predictionTransformer, predictionTransformer?.FeatureColumnName, data, view => catalog.Evaluate(view, labelColumnName),
            () => new RegressionMetricsStatistics(), (sum, now, before) => sum.Add(now, before), useFeatureWeightFilter,
            numberOfExamplesToUse, permutationCount);

    public static ImmutableArray<BinaryClassificationMetricsStatistics> PermutationFeatureImportance<TModel>(
        this BinaryClassificationCatalog catalog,
        ISingleFeaturePredictionTransformer<TModel> predictionTransformer,
        IDataView data,
        string labelColumnName = "Label",
        bool useFeatureWeightFilter = false,
        int? numberOfExamplesToUse = null,
        int permutationCount = 1)
        where TModel : class => Importance(
            catalog, predictionTransformer, predictionTransformer?.FeatureColumnName, data,
            view => catalog.EvaluateNonCalibrated(view, labelColumnName), () => new BinaryClassificationMetricsStatistics(),
            (sum, now, before) => sum.Add(now, before), useFeatureWeightFilter, numberOfExamplesToUse, permutationCount);

    public static ImmutableArray<MulticlassClassificationMetricsStatistics> PermutationFeatureImportance<TModel>(
        this MulticlassClassificationCatalog catalog,
        ISingleFeaturePredictionTransformer<TModel> predictionTransformer,
        IDataView data,
        string labelColumnName = "Label",
        bool useFeatureWeightFilter = false,
        int? numberOfExamplesToUse = null,
        int permutationCount = 1)
        where TModel : class => Importance(
            catalog, predictionTransformer, predictionTransformer?.FeatureColumnName, data, view => catalog.Evaluate(view, labelColumnName),
            () => new MulticlassClassificationMetricsStatistics(), (sum, now, before) => sum.Add(now, before), useFeatureWeightFilter,
            numberOfExamplesToUse, permutationCount);

    public static ImmutableDictionary<string, MulticlassClassificationMetricsStatistics> PermutationFeatureImportance(
        this MulticlassClassificationCatalog catalog,
        ITransformer model,
        IDataView data,
        string labelColumnName = "Label",
        bool useFeatureWeightFilter = false,
        int? numberOfExamplesToUse = null,
        int permutationCount = 1)
    {
        var env = catalog.Environment;
        env.CheckValue(data, nameof(data));
        env.CheckValue(model, nameof(model));
        // The real interface is internal, so that no transformer of another assembly is found here.
        IEnumerable<ITransformer> parts = model is IEnumerable<ITransformer> chain ? chain.Reverse() : [model];
        var last = parts.OfType<ISingleFeaturePredictionTransformer>().FirstOrDefault();
        if (last == null)
            throw new ArgumentNullException("lastTransformer", "The model provided does not have a compatible predictor");
        var importance = Importance(catalog, last, last.FeatureColumnName, data, view => catalog.Evaluate(view, labelColumnName),
            () => new MulticlassClassificationMetricsStatistics(), (sum, now, before) => sum.Add(now, before), useFeatureWeightFilter,
            numberOfExamplesToUse, permutationCount);
        VBuffer<ReadOnlyMemory<char>> names = default;
        data.Schema[last.FeatureColumnName].Annotations.GetValue(AnnotationKinds.SlotNames, ref names);
        return names.DenseValues().Zip(importance)
            .Select((item, slot) => (Name: item.First.IsEmpty ? $"Slot {slot}" : item.First.ToString(), item.Second))
            .ToImmutableDictionary(item => item.Name, item => item.Second);
    }

    private static ImmutableArray<TResult> Importance<TMetrics, TResult>(
        TrainCatalogBase catalog,
        ITransformer model,
        string features,
        IDataView data,
        Func<IDataView, TMetrics> evaluate,
        Func<TResult> create,
        Action<TResult, TMetrics, TMetrics> add,
        bool useFeatureWeightFilter,
        int? numberOfExamplesToUse,
        int permutationCount)
    {
        var env = catalog.Environment;
        env.CheckValue(model, nameof(model));
        env.CheckValue(data, nameof(data));
        var host = env.Register("PermutationFeatureImportance");
        if (useFeatureWeightFilter)
            throw new NotSupportedException("This stand-in does not filter features by their weights.");
        host.Check(numberOfExamplesToUse is null or > 0,
            "Provide how many examples to use (positive number) or set to null to use whole dataset.");
        var baseline = evaluate(model.Transform(data));
        var type = data.Schema[features].Type;
        var slots = type is VectorDataViewType vector ? vector.Size : 0;
        List<float[]> rows = [.. data.GetColumn<float[]>(data.Schema[features]).Take(numberOfExamplesToUse ?? int.MaxValue)];
        if (rows.Count == 0)
            return [];
        var random = new Random(host.Rand.Next());
        var results = ImmutableArray.CreateBuilder<TResult>(slots);
        for (var slot = 0; slot < slots; slot++)
        {
            var result = create();
            var values = rows.Select(row => row[slot]).ToArray();
            for (var i = 0; i < permutationCount; i++)
            {
                random.Shuffle(values);
                add(result, evaluate(model.Transform(Permuted(env, data, features, type, slot, values, numberOfExamplesToUse))), baseline);
            }

            results.Add(result);
        }

        return results.ToImmutable();
    }

    private static IDataView Permuted(
        IHostEnvironment env, IDataView data, string features, DataViewType type, int slot, float[] values, int? rows)
    {
        var view = new MappedDataView(data, new Permuter(data.Schema, features, type, slot, values));
        return rows is { } count ? new SkipTakeDataView(view, 0, count) : view;
    }

    // The features under their own name, one slot of row i replaced by value i.
    private sealed class Permuter(DataViewSchema schema, string features, DataViewType type, int slot, float[] values) : RowMapper(schema)
    {
        public override IEnumerable<int> Dependencies(int output) => [InputSchema[features].Index];

        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            var get = input.GetGetter<VBuffer<float>>(input.Schema[features]);
            VBuffer<float> source = default;
            return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                get(ref source);
                source.CopyToDense(ref value);
                if (input.Position < values.Length)
                    VBufferEditor.CreateFromBuffer(ref value).Values[slot] = values[input.Position];
            });
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputs() => [new(features, type)];
    }
}
