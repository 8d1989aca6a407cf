using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms
{
    /// <summary>Scales columns by what was learned of them.</summary>
    [LoadableTransformer(Signature)]
    public sealed class NormalizingTransformer : OneToOneTransformerBase
    {
        private const string Signature = "Normalizer";
        private readonly NormalizerFunction[] _functions;

        internal NormalizingTransformer(IHostEnvironment env, (string Output, string Input)[] columns, NormalizerFunction[] functions)
            : base(env.Register(nameof(NormalizingTransformer)), columns) => _functions = functions;

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            new NormalizingTransformer(env, ReadColumns(ctx), ctx.ReadArray(() => NormalizerFunction.Read(ctx.Reader)));

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(Signature);
            WriteColumns(ctx);
            ctx.WriteArray(_functions, function => function.Write(ctx.Writer));
        }

        private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
        {
            var trained = NormalizerFunction.ItemOf(_functions[pair].Type);
            if (!NormalizerFunction.CanNormalize(source.Type)
                || !NormalizerFunction.ItemOf(source.Type).Equals(trained)
                || source.Type is VectorDataViewType != _functions[pair].Type is VectorDataViewType)
            {
                var expected = $"scalar or known-size vector of {trained}";
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", source.Name, expected, source.Type.ToString());
            }
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        private sealed class Mapper(NormalizingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
        {
            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                disposer = null;
                return parent._functions[output].MakeGetter(input, Source(output));
            }

            protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
            {
                var annotations = new DataViewSchema.Annotations.Builder();
                annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
                return new(OutputName(pair), parent._functions[pair].Type, annotations.ToAnnotations());
            }
        }
    }

    /// <summary>Learns ranges or means and variances of columns.</summary>
    public sealed class NormalizingEstimator : IEstimator<NormalizingTransformer>
    {
        private readonly IHost _host;
        private readonly (string Output, string Input)[] _columns;
        private readonly long _maximumRows;
        private readonly NormalizerKind _kind;
        private readonly bool _fixZero;

        internal NormalizingEstimator(
            IHostEnvironment env, (string Output, string Input)[] columns, long maximumExampleCount, NormalizerKind kind, bool fixZero)
        {
            _host = env.Register(nameof(NormalizingEstimator));
            foreach (var (output, _) in columns)
            {
                _host.CheckNonEmpty(output, "name");
            }

            _host.CheckParam(maximumExampleCount > 1, nameof(maximumExampleCount), "Must be greater than 1");
            (_columns, _maximumRows, _kind, _fixZero) = (columns, maximumExampleCount, kind, fixZero);
        }

        public NormalizingTransformer Fit(IDataView input)
        {
            _host.CheckValue(input, nameof(input));
            var functions = _columns.Select(pair =>
            {
                var column = _host.FindColumn(input.Schema, pair.Input, parameter: "data");
                return NormalizerFunction.CanNormalize(column.Type)
                    ? NormalizerFunction.Train(input, column, _maximumRows, _kind, _fixZero)
                    : throw _host.ExceptParam(
                        "srcType",
                        "Wrong column type for input column. Expected: Single, Double, Vector of Single or Vector of Double. "
                        + $"Got: {column.Type}.");
            }).ToArray();
            return new NormalizingTransformer(_host, _columns, functions);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            _host.CheckValue(inputSchema, nameof(inputSchema));
            return inputSchema.With([.. _columns.Select(pair =>
            {
                var source = _host.FindColumn(inputSchema, pair.Input);
                if (source.Kind == SchemaShape.Column.VectorKind.VariableVector)
                {
                    throw _host.ExceptSchemaMismatch(
                        nameof(inputSchema), "input", pair.Input, "fixed-size vector or scalar", source.GetTypeString());
                }

                if (source.IsKey
                    || (!source.ItemType.Equals(NumberDataViewType.Single) && !source.ItemType.Equals(NumberDataViewType.Double)))
                {
                    throw _host.ExceptSchemaMismatch(
                        nameof(inputSchema), "input", pair.Input, "vector or scalar of Single or Double", source.GetTypeString());
                }

                var annotations = new List<SchemaShape.Column>
                {
                    new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false),
                };
                annotations.AddRange(source.Annotations.Where(annotation => annotation.Name == AnnotationKinds.SlotNames));
                return new SchemaShape.Column(pair.Output, source.Kind, source.ItemType, false, new SchemaShape(annotations));
            })]);
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Transforms;

    /// <summary>Normalisation of columns.</summary>
    public static class NormalizationCatalog
    {
        public static NormalizingEstimator NormalizeMinMax(
            this TransformsCatalog catalog, string outputColumnName, string inputColumnName = null, long maximumExampleCount = 1000000000,
                bool fixZero = true) =>
            new(catalog.Environment, [(outputColumnName, inputColumnName ?? outputColumnName)], maximumExampleCount, NormalizerKind.MinMax,
                fixZero);

        public static NormalizingEstimator NormalizeMinMax(
            this TransformsCatalog catalog, InputOutputColumnPair[] columns, long maximumExampleCount = 1000000000, bool fixZero = true) =>
            new(catalog.Environment, Pairs(catalog, columns), maximumExampleCount, NormalizerKind.MinMax, fixZero);

        public static NormalizingEstimator NormalizeMeanVariance(
            this TransformsCatalog catalog,
            string outputColumnName,
            string inputColumnName = null,
            long maximumExampleCount = 1000000000,
            bool fixZero = true,
            bool useCdf = false) =>
            new(catalog.Environment, [(outputColumnName, inputColumnName ?? outputColumnName)], maximumExampleCount, MeanVariance(useCdf),
                fixZero);

        public static NormalizingEstimator NormalizeMeanVariance(
            this TransformsCatalog catalog, InputOutputColumnPair[] columns, long maximumExampleCount = 1000000000, bool fixZero = true,
                bool useCdf = false) =>
            new(catalog.Environment, Pairs(catalog, columns), maximumExampleCount, MeanVariance(useCdf), fixZero);

        private static NormalizerKind MeanVariance(bool useCdf) => useCdf ? NormalizerKind.Distribution : NormalizerKind.MeanVariance;

        private static (string Output, string Input)[] Pairs(TransformsCatalog catalog, InputOutputColumnPair[] columns)
        {
            catalog.Environment.CheckValue(columns, nameof(columns));
            return OneToOneTransformerBase.Pairs(columns);
        }
    }
}
