using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms
{
    /// <summary>Says which values are missing.</summary>
    [LoadableTransformer(Signature)]
    public sealed class MissingValueIndicatorTransformer : OneToOneTransformerBase
    {
        private const string Signature = "IsNaNTransform";

        internal MissingValueIndicatorTransformer(IHostEnvironment env, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(MissingValueIndicatorTransformer)), columns)
        {
        }

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            new MissingValueIndicatorTransformer(env, ReadColumns(ctx));

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(Signature);
            WriteColumns(ctx);
        }

        private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
        {
            var item = (source.Type as VectorDataViewType)?.ItemType ?? source.Type;
            if (item != NumberDataViewType.Single && item != NumberDataViewType.Double)
            {
                // The real package finds its test by reflection and does not unwrap the error.
                throw new TargetInvocationException(Host.Except($"No IsNA predicate for '{item}'"));
            }
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        private sealed class Mapper(MissingValueIndicatorTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
        {
            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                disposer = null;
                return NormalizerFunction.ItemOf(Source(output).Type) == NumberDataViewType.Single
                    ? Typed<float>(input, Source(output), float.IsNaN)
                    : Typed<double>(input, Source(output), double.IsNaN);
            }

            protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
            {
                var annotations = new DataViewSchema.Annotations.Builder();
                annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
                annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                DataViewType type = source.Type is VectorDataViewType vector
                    ? new VectorDataViewType(BooleanDataViewType.Instance, vector.Dimensions) : BooleanDataViewType.Instance;
                return new(OutputName(pair), type, annotations.ToAnnotations());
            }

            private static Delegate Typed<T>(DataViewRow input, DataViewSchema.Column source, Func<T, bool> isMissing)
            {
                if (source.Type is not VectorDataViewType)
                {
                    var get = input.GetGetter<T>(source);
                    T item = default;
                    return (ValueGetter<bool>)((ref bool value) =>
                    {
                        get(ref item);
                        value = isMissing(item);
                    });
                }

                var getVector = input.GetGetter<VBuffer<T>>(source);
                VBuffer<T> buffer = default;
                return (ValueGetter<VBuffer<bool>>)((ref VBuffer<bool> value) =>
                {
                    getVector(ref buffer);
                    var editor = VBufferEditor.Create(ref value, buffer.Length);
                    var slot = 0;
                    foreach (var item in buffer.DenseValues())
                    {
                        editor.Values[slot++] = isMissing(item);
                    }

                    value = editor.Commit();
                });
            }
        }
    }

    /// <summary>The estimator of <see cref="MissingValueIndicatorTransformer"/>.</summary>
    public sealed class MissingValueIndicatorEstimator : TrivialEstimator<MissingValueIndicatorTransformer>
    {
        internal MissingValueIndicatorEstimator(IHostEnvironment env, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(MissingValueIndicatorEstimator)), new MissingValueIndicatorTransformer(env, columns))
        {
        }

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            Host.CheckValue(inputSchema, nameof(inputSchema));
            return inputSchema.With([.. Transformer.Columns.Select(pair =>
            {
                var source = Host.FindColumn(inputSchema, pair.Input);
                List<SchemaShape.Column> annotations =
                    [.. source.Annotations.Where(annotation => annotation.Name == AnnotationKinds.SlotNames)];
                annotations.Add(
                    new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false));
                return new SchemaShape.Column(pair.Output, source.Kind, BooleanDataViewType.Instance, false, new SchemaShape(annotations));
            })]);
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Transforms;

    /// <summary>Missing values.</summary>
    public static class ExtensionsCatalog
    {
        public static MissingValueIndicatorEstimator IndicateMissingValues(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName = null) =>
            new(catalog.Environment, (outputColumnName, inputColumnName ?? outputColumnName));

        public static MissingValueIndicatorEstimator IndicateMissingValues(this TransformsCatalog catalog, InputOutputColumnPair[] columns)
        {
            catalog.Environment.CheckValue(columns, nameof(columns));
            return new(catalog.Environment, OneToOneTransformerBase.Pairs(columns));
        }

        public static MissingValueReplacingEstimator ReplaceMissingValues(
            this TransformsCatalog catalog,
            string outputColumnName,
            string inputColumnName = null,
            MissingValueReplacingEstimator.ReplacementMode replacementMode = MissingValueReplacingEstimator.ReplacementMode.DefaultValue,
            bool imputeBySlot = true) =>
            new(catalog.Environment, [(outputColumnName, inputColumnName ?? outputColumnName)], replacementMode, imputeBySlot);

        public static MissingValueReplacingEstimator ReplaceMissingValues(
            this TransformsCatalog catalog,
            InputOutputColumnPair[] columns,
            MissingValueReplacingEstimator.ReplacementMode replacementMode = MissingValueReplacingEstimator.ReplacementMode.DefaultValue,
            bool imputeBySlot = true)
        {
            catalog.Environment.CheckValue(columns, nameof(columns));
            return new(catalog.Environment, OneToOneTransformerBase.Pairs(columns), replacementMode, imputeBySlot);
        }
    }
}
