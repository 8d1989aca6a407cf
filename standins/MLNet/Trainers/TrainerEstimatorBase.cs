using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML
{
    /// <summary>What a trainer wants of its data.</summary>
    public sealed class TrainerInfo
    {
        internal TrainerInfo(bool needNormalization, bool wantCaching) =>
            (NeedNormalization, WantCaching) = (needNormalization, wantCaching);

        public bool NeedNormalization { get; }
        public bool WantCaching { get; }
    }
}

namespace Microsoft.ML.Trainers
{
    /// <summary>An estimator that learns.</summary>
    public interface ITrainerEstimator<out TTransformer, out TModel> : IEstimator<TTransformer>
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        TrainerInfo Info { get; }
    }

    public abstract class TrainerInputBase
    {
        public string FeatureColumnName = "Features";

        private protected TrainerInputBase()
        {
        }
    }

    public abstract class TrainerInputBaseWithLabel : TrainerInputBase
    {
        public string LabelColumnName = "Label";

        private protected TrainerInputBaseWithLabel()
        {
        }
    }

    public abstract class TrainerInputBaseWithWeight : TrainerInputBaseWithLabel
    {
        public string ExampleWeightColumnName;

        private protected TrainerInputBaseWithWeight()
        {
        }
    }

    public abstract class UnsupervisedTrainerInputBaseWithWeight : TrainerInputBase
    {
        public string ExampleWeightColumnName;

        private protected UnsupervisedTrainerInputBaseWithWeight()
        {
        }
    }

    /// <summary>Checks columns, reads them, trains, and wraps the model.</summary>
    public abstract class TrainerEstimatorBase<TTransformer, TModel> : ITrainerEstimator<TTransformer, TModel>
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        public readonly SchemaShape.Column FeatureColumn;
        public readonly SchemaShape.Column LabelColumn;
        public readonly SchemaShape.Column WeightColumn;

        private protected TrainerEstimatorBase(IHost host, string feature, SchemaShape.Column label, string weight)
        {
            Host = host;
            host.CheckNonEmpty(feature, "featureColumn");
            FeatureColumn = new(feature, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false);
            LabelColumn = label;
            WeightColumn = string.IsNullOrWhiteSpace(weight) ? default
                : new(weight, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, false);
        }

        public abstract TrainerInfo Info { get; }

        private protected IHost Host { get; }

        public TTransformer Fit(IDataView input) => Train(input, null);

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            Host.CheckValue(inputSchema, nameof(inputSchema));
            CheckInputSchema(inputSchema);
            return inputSchema.With(OutputColumns(inputSchema));
        }

        private protected static SchemaShape.Column MakeLabel(string name, PrimitiveDataViewType type, bool isKey)
        {
            Contracts.CheckNonEmpty(null, name, "labelColumn");
            return new(name, SchemaShape.Column.VectorKind.Scalar, type, isKey);
        }

        private protected static SchemaShape.Column ScalarOutput(
            string name, PrimitiveDataViewType type, bool isKey = false, bool normalized = false) =>
            new(name, SchemaShape.Column.VectorKind.Scalar, type, isKey, new SchemaShape(TrainerAnnotations(normalized)));

        private protected static IEnumerable<SchemaShape.Column> TrainerAnnotations(bool normalized = false)
        {
            yield return new(AnnotationKinds.ScoreColumnSetId, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true);
            yield return new(AnnotationKinds.ScoreColumnKind, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, false);
            yield return new(AnnotationKinds.ScoreValueKind, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, false);
            if (normalized)
            {
                yield return new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false);
            }
        }

        /// <summary>Checks the schema, reads the rows and trains; <paramref name="initial"/> is a model to start from, or null.</summary>
        private protected TTransformer Train(IDataView input, object initial)
        {
            Host.CheckValue(input, nameof(input));
            CheckInputSchema(SchemaShape.Create(input.Schema));
            var label = new DataViewSchema.Builder();
            if (LabelColumn.IsValid)
            {
                var column = input.Schema[LabelColumn.Name];
                label.AddColumn(column.Name, column.Type, column.Annotations);
            }

            var labelSchema = label.ToSchema();
            var rows = TrainingRows.Read(input, FeatureColumn.Name, LabelColumn.Name, WeightColumn.Name);
            using var channel = Host.Start("Training");
            if (rows.Skipped > 0)
            {
                channel.Warning(
                    MessageSensitivity.None, "Skipped {0} instances with missing features/label/weight during training", rows.Skipped);
            }

            var model = TrainModel(rows, labelSchema.Count > 0 ? labelSchema[0].Type : null, initial, channel);
            return MakeTransformer(model, input.Schema[FeatureColumn.Name].Type, labelSchema);
        }

        private protected abstract TModel TrainModel(TrainingRows rows, DataViewType labelType, object initial, IChannel channel);
        private protected abstract TTransformer MakeTransformer(TModel model, DataViewType featureType, DataViewSchema label);
        private protected abstract SchemaShape.Column[] OutputColumns(SchemaShape inputSchema);

        private void CheckInputSchema(SchemaShape inputSchema)
        {
            CheckColumn(inputSchema, FeatureColumn, "feature", nameof(inputSchema));
            if (WeightColumn.IsValid)
            {
                CheckColumn(inputSchema, WeightColumn, "weight", nameof(inputSchema));
            }

            if (LabelColumn.IsValid)
            {
                CheckColumn(inputSchema, LabelColumn, "label", "labelCol");
            }
        }

        private void CheckColumn(SchemaShape inputSchema, SchemaShape.Column expected, string role, string parameter)
        {
            var found = Host.FindColumn(inputSchema, expected.Name, role);
            if (!expected.IsCompatibleWith(found))
            {
                throw Host.ExceptSchemaMismatch(parameter, role, expected.Name, expected.GetTypeString(), found.GetTypeString());
            }
        }
    }
}
