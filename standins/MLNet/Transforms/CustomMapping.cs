using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms
{
    /// <summary>Finds a mapping by its contract name when a model is loaded.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CustomMappingFactoryAttributeAttribute : ExtensionBaseAttribute
    {
        public CustomMappingFactoryAttributeAttribute(string contractName)
            : base(contractName)
        {
        }
    }

    /// <summary>What a factory gives when a model is loaded (closed to outsiders, who derive from the generic one).</summary>
    internal interface ICustomMappingFactory
    {
        ITransformer CreateTransformer(IHostEnvironment env, string contractName);
    }

    /// <summary>Gives the mapping of a contract.</summary>
    public abstract class CustomMappingFactory<TSrc, TDst> : ICustomMappingFactory
        where TSrc : class, new()
        where TDst : class, new()
    {
        protected CustomMappingFactory()
        {
        }

        public abstract Action<TSrc, TDst> GetMapping();

        // No schema definitions here: names, sizes and types must follow from the classes.
        ITransformer ICustomMappingFactory.CreateTransformer(IHostEnvironment env, string contractName) =>
            new CustomMappingTransformer<TSrc, TDst>(env, GetMapping(), contractName, null, null);
    }

    /// <summary>Computes columns by a caller's function.</summary>
    public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
        where TSrc : class, new()
        where TDst : class, new()
    {
        private readonly IHost _host;
        private readonly Action<TSrc, TDst> _mapAction;
        private readonly string _contractName;

        internal CustomMappingTransformer(
            IHostEnvironment env,
            Action<TSrc,
            TDst> mapAction,
            string contractName,
            SchemaDefinition input,
            SchemaDefinition output)
        {
            _host = env.Register("CustomMappingTransformer");
            _host.CheckValue(mapAction, nameof(mapAction));
            _mapAction = mapAction;
            _contractName = contractName;
            Input = TypedMember.Create(typeof(TSrc), input, SchemaDefinition.Direction.Write);
            Output = TypedMember.Create(typeof(TDst), output, SchemaDefinition.Direction.Write);
        }

        bool ITransformer.IsRowToRowMapper => true;

        internal TypedMember[] Input { get; }
        internal TypedMember[] Output { get; }

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
        {
            _host.CheckValue(inputSchema, nameof(inputSchema));
            return new ColumnBindings(inputSchema, new Mapper(this, inputSchema).Outputs).Schema;
        }

        public IDataView Transform(IDataView input)
        {
            _host.CheckValue(input, nameof(input));
            return new MappedDataView(input, new Mapper(this, input.Schema));
        }

        IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
        {
            _host.CheckValue(inputSchema, nameof(inputSchema));
            return new RowToRowMapper(new Mapper(this, inputSchema));
        }

        void ICanSaveModel.Save(ModelSaveContext ctx)
        {
            _host.Check(_contractName != null, "Empty contract name for a transform: the transform cannot be saved");
            ctx.SetSignature(CustomMappingLoader.Signature);
            ctx.Writer.Write(_contractName);

            // Loading finds the contract in this assembly without being told.
            ctx.Writer.Write(_mapAction.Method.DeclaringType.Assembly.FullName);
        }

        private sealed class Mapper : RowMapper
        {
            private readonly CustomMappingTransformer<TSrc, TDst> _parent;
            private readonly ObjectFiller<TSrc> _filler;

            public Mapper(CustomMappingTransformer<TSrc, TDst> parent, DataViewSchema schema)
                : base(schema)
            {
                _parent = parent;
                _filler = new ObjectFiller<TSrc>(parent._host, schema, false, parent.Input);
            }

            public override IEnumerable<int> Dependencies(int output) => _filler.Columns.Select(column => column.Index);

            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer) =>
                MakeGetters(input, index => index == output, out disposer)[output];

            public override Delegate[] MakeGetters(DataViewRow input, Func<int, bool> active, out Action disposer)
            {
                disposer = null;
                var getters = new Delegate[Outputs.Count];
                if (!Enumerable.Range(0, getters.Length).Any(active))
                {
                    return getters;
                }

                // One pair of objects a cursor: the function runs once a row, when the first of its columns is read.
                var (source, destination) = (new TSrc(), new TDst());
                var fill = _filler.Bind(input);
                var row = new ObjectRow<TDst>(_parent.Output);
                long served = -1;
                void Refresh()
                {
                    if (served != input.Position)
                    {
                        fill(source);
                        _parent._mapAction(source, destination);
                        row.Show(destination);
                        served = input.Position;
                    }
                }

                for (var i = 0; i < getters.Length; i++)
                {
                    if (active(i))
                    {
                        getters[i] = Getters.Call<Delegate>(
                            (Func<DataViewRow, int, Action, Delegate>)Refreshing<int>,
                            row.Schema[i].Type.RawType,
                            row,
                            i,
                            (Action)Refresh);
                    }
                }

                return getters;
            }

            protected override DataViewSchema.DetachedColumn[] MakeOutputs() =>
                [
                    .. _parent.Output.Select(member =>
                        new DataViewSchema.DetachedColumn(member.ColumnName, member.ColumnType, member.Annotations)),
                ];

            private static Delegate Refreshing<T>(DataViewRow row, int index, Action refresh)
            {
                var get = row.GetGetter<T>(row.Schema[index]);
                return (ValueGetter<T>)((ref T value) =>
                {
                    refresh();
                    get(ref value);
                });
            }
        }
    }

    /// <summary>The estimator of <see cref="CustomMappingTransformer{TSrc, TDst}"/>.</summary>
    public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
        where TSrc : class, new()
        where TDst : class, new()
    {
        internal CustomMappingEstimator(
            IHostEnvironment env,
            Action<TSrc,
            TDst> mapAction,
            string contractName,
            SchemaDefinition input,
            SchemaDefinition output)
            : base(
                env.Register("CustomMappingEstimator"),
                new CustomMappingTransformer<TSrc,
                TDst>(env, mapAction, contractName, input, output))
        {
        }

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            foreach (var member in Transformer.Input)
            {
                var column = Host.FindColumn(inputSchema, member.ColumnName);
                var wanted = SchemaShape.Column.Create(member.ColumnName, member.ColumnType, null);

                // Where any length is taken, a known one is as well.
                var fits = wanted.Kind == SchemaShape.Column.VectorKind.VariableVector
                    ? column.Kind != SchemaShape.Column.VectorKind.Scalar
                    : column.Kind == wanted.Kind;
                if (!fits || !wanted.ItemType.Equals(column.ItemType) || wanted.IsKey != column.IsKey)
                {
                    throw Host.ExceptSchemaMismatch(
                        nameof(inputSchema),
                        "input",
                        member.ColumnName,
                        member.ColumnType.ToString(),
                        column.GetTypeString());
                }
            }

            var added = Transformer.Output.Select(member => SchemaShape.Column.Create(member.ColumnName, member.ColumnType, member.Annotations));
            return inputSchema.With([.. added]);
        }
    }

    [LoadableTransformer(Signature)]
    internal static class CustomMappingLoader
    {
        public const string Signature = "CustomTransformer";

        public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx)
        {
            var contract = ctx.Reader.ReadString();
            env.ComponentCatalog.RegisterAssembly(Assembly.Load(ctx.Reader.ReadString()));
            var factory = env.ComponentCatalog.GetExtension(
                env,
                typeof(CustomMappingFactoryAttributeAttribute),
                contract) as ICustomMappingFactory
                ?? throw env.Except(
                    $"The class with contract '{contract}' must derive from 'CustomMappingFactory' or from 'StatefulCustomMappingFactory'.");
            return factory.CreateTransformer(env, contract);
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Transforms;

    /// <summary>Mappings and filters by a caller's function.</summary>
    public static class CustomMappingCatalog
    {
        public static CustomMappingEstimator<TSrc, TDst> CustomMapping<TSrc, TDst>(
            this TransformsCatalog catalog,
            Action<TSrc, TDst> mapAction,
            string contractName,
            SchemaDefinition inputSchemaDefinition = null,
            SchemaDefinition outputSchemaDefinition = null)
            where TSrc : class, new()
            where TDst : class, new() => new(catalog.Environment, mapAction, contractName, inputSchemaDefinition, outputSchemaDefinition);

        public static IDataView FilterByCustomPredicate<TSrc>(
            this DataOperationsCatalog catalog,
            IDataView input,
            Func<TSrc,
            bool> filterPredicate)
            where TSrc : class, new()
        {
            catalog.Environment.CheckValue(input, nameof(input));
            catalog.Environment.CheckValue(filterPredicate, nameof(filterPredicate));
            var filler = new ObjectFiller<TSrc>(
                catalog.Environment,
                input.Schema,
                false,
                TypedMember.Create(typeof(TSrc), null, SchemaDefinition.Direction.Write));
            return new FilteredDataView(input, [.. filler.Columns], row =>
            {
                var source = new TSrc();
                var fill = filler.Bind(row);
                return () =>
                {
                    fill(source);

                    // The predicate says what to take away.
                    return !filterPredicate(source);
                };
            });
        }
    }
}
