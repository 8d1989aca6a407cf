using Microsoft.ML.Calibrators;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>A model that scores rows.</summary>
public abstract class PredictionTransformerBase<TModel> : IPredictionTransformer<TModel>, IDisposable
    where TModel : class
{
    private protected PredictionTransformerBase(IHost host, TModel model) => (Host, Model) = (host, model);

    public TModel Model { get; }

    bool ITransformer.IsRowToRowMapper => true;

    private protected IHost Host { get; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return new ColumnBindings(inputSchema, MakeRowMapper(inputSchema).Outputs).Schema;
    }

    public IDataView Transform(IDataView input)
    {
        Host.CheckValue(input, nameof(input));
        return new MappedDataView(input, MakeRowMapper(input.Schema));
    }

    public void Dispose() => (Model as IDisposable)?.Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return new RowToRowMapper(MakeRowMapper(inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        Host.CheckValue(ctx, nameof(ctx));
        SaveModel(ctx);
    }

    private protected abstract void SaveModel(ModelSaveContext ctx);
    private protected abstract RowMapper MakeRowMapper(DataViewSchema inputSchema);
}

/// <summary>A model that scores rows by one vector column.</summary>
public abstract class SingleFeaturePredictionTransformerBase<TModel> : PredictionTransformerBase<TModel>,
    ISingleFeaturePredictionTransformer<TModel>, ISingleFeaturePredictionTransformer
    where TModel : class
{
    private readonly DataViewSchema _label;

    // What is known of the label is kept as a schema of that one column, or an empty schema.
    private protected SingleFeaturePredictionTransformerBase(
        IHost host, TModel model, string featureColumn, DataViewType featureType, DataViewSchema label)
        : base(host, model)
    {
        FeatureColumnName = featureColumn;
        FeatureColumnType = featureType;
        _label = label;
    }

    public string FeatureColumnName { get; }
    public DataViewType FeatureColumnType { get; }

    private protected abstract string Signature { get; }
    private protected abstract string ScoreColumnKind { get; }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.Write(FeatureColumnName);
        SchemaSerializer.WriteType(ctx.Writer, FeatureColumnType);
        SchemaSerializer.Write(ctx.Writer, _label);
        var model = (IScoringModel)Model;
        ctx.Writer.Write(model.Signature);
        model.Write(ctx.Writer);
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema inputSchema)
    {
        var column = Host.FindColumn(inputSchema, FeatureColumnName, "feature");
        if (!column.Type.Equals(FeatureColumnType))
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "feature", FeatureColumnName, FeatureColumnType.ToString(), column.Type.ToString());
        }

        return new ScoreMapper(inputSchema, column, (IScoringModel)Model, ScoreColumnKind, _label.Count > 0 ? _label[0] : null);
    }
}

public sealed class MulticlassPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal MulticlassPredictionTransformer(
        IHostEnvironment env, TModel model, string featureColumn, DataViewType featureType, DataViewSchema label)
        : base(env.Register("MulticlassPredictionTransformer"), model, featureColumn, featureType, label)
    {
    }

    private protected override string Signature => PredictionTransformerLoaders.Multiclass;
    private protected override string ScoreColumnKind => ScoreMapper.Multiclass;
}

public sealed class BinaryPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal BinaryPredictionTransformer(
        IHostEnvironment env, TModel model, string featureColumn, DataViewType featureType, DataViewSchema label)
        : base(env.Register("BinaryPredictionTransformer"), model, featureColumn, featureType, label)
    {
    }

    private protected override string Signature => PredictionTransformerLoaders.Binary;
    private protected override string ScoreColumnKind => ScoreMapper.Binary;
}

public sealed class RegressionPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal RegressionPredictionTransformer(
        IHostEnvironment env, TModel model, string featureColumn, DataViewType featureType, DataViewSchema label)
        : base(env.Register("RegressionPredictionTransformer"), model, featureColumn, featureType, label)
    {
    }

    private protected override string Signature => PredictionTransformerLoaders.Regression;
    private protected override string ScoreColumnKind => ScoreMapper.Regression;
}

public sealed class ClusteringPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal ClusteringPredictionTransformer(
        IHostEnvironment env, TModel model, string featureColumn, DataViewType featureType, DataViewSchema label)
        : base(env.Register("ClusteringPredictionTransformer"), model, featureColumn, featureType, label)
    {
    }

    private protected override string Signature => PredictionTransformerLoaders.Clustering;
    private protected override string ScoreColumnKind => ScoreMapper.Clustering;
}

/// <summary>Reads prediction transformers from model files: each with the type of its model.</summary>
internal static class PredictionTransformerLoaders
{
    public const string Multiclass = "MulticlassPredXfer";
    public const string Binary = "BinaryPredXfer";
    public const string Regression = "RegressionPredXfer";
    public const string Clustering = "ClusteringPredXfer";

    private static ITransformer Load(
        IHostEnvironment env, ModelLoadContext ctx, Func<object, string, DataViewType, DataViewSchema, ITransformer> make)
    {
        var feature = ctx.Reader.ReadString();
        var type = SchemaSerializer.ReadType(ctx.Reader);
        var label = SchemaSerializer.Read(ctx.Reader);
        var model = ModelReader.Read(env, ctx.Reader.ReadString(), ctx.Reader);
        return make(model, feature, type, label) ?? throw env.ExceptDecode($"A model of type {model.GetType().Name} cannot stand here");
    }

    [LoadableTransformer(Multiclass)]
    private static class MulticlassLoader
    {
        public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            PredictionTransformerLoaders.Load(env, ctx, (model, feature, type, label) =>
            model is MaximumEntropyModelParameters typed
                ? new MulticlassPredictionTransformer<MaximumEntropyModelParameters>(env, typed, feature, type, label) : null);
    }

    [LoadableTransformer(Binary)]
    private static class BinaryLoader
    {
        public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            PredictionTransformerLoaders.Load(env, ctx, (model, feature, type, label) => model switch
        {
            CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator> typed =>
                new BinaryPredictionTransformer<CalibratedModelParametersBase<LinearBinaryModelParameters,
                    PlattCalibrator>>(env, typed, feature, type, label),
            LinearBinaryModelParameters typed =>
                new BinaryPredictionTransformer<LinearBinaryModelParameters>(env, typed, feature, type, label),
            _ => null,
        });
    }

    [LoadableTransformer(Regression)]
    private static class RegressionLoader
    {
        public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            PredictionTransformerLoaders.Load(env, ctx, (model, feature, type, label) =>
            model is LinearRegressionModelParameters typed
                ? new RegressionPredictionTransformer<LinearRegressionModelParameters>(env, typed, feature, type, label) : null);
    }

    [LoadableTransformer(Clustering)]
    private static class ClusteringLoader
    {
        public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            PredictionTransformerLoaders.Load(env, ctx, (model, feature, type, label) =>
            model is KMeansModelParameters typed
                ? new ClusteringPredictionTransformer<KMeansModelParameters>(env, typed, feature, type, label) : null);
    }
}
