using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer that adds columns row by row. See <see cref="RowMapper"/> for how to write one.</summary>
public abstract class RowToRowTransformerBase : ITransformer
{
    private protected RowToRowTransformerBase(IHost host) => Host = host;

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
    private protected abstract RowMapper MakeRowMapper(DataViewSchema schema);
}

/// <summary>A transformer that makes each output column of one input column.</summary>
public abstract class OneToOneTransformerBase : RowToRowTransformerBase
{
    private protected OneToOneTransformerBase(IHost host, params (string Output, string Input)[] columns)
        : base(host)
    {
        Host.CheckParam(columns is { Length: > 0 }, nameof(columns), "Cannot be empty");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (output, input) in columns)
        {
            Host.CheckNonEmpty(output, "name");
            Host.CheckNonEmpty(input, "source");
            Host.CheckParam(seen.Add(output), nameof(columns), $"New column '{output}' specified multiple times");
        }

        Columns = columns;
    }

    internal (string Output, string Input)[] Columns { get; }

    internal static (string Output, string Input)[] ReadColumns(ModelLoadContext ctx) =>
        ctx.ReadArray(() => (ctx.Reader.ReadString(), ctx.Reader.ReadString()));

    internal static (string Output, string Input)[] Pairs(InputOutputColumnPair[] columns) =>
        [.. columns.Select(pair => (pair.OutputColumnName, pair.InputColumnName))];

    internal void WriteColumns(ModelSaveContext ctx) => ctx.WriteArray(Columns, column =>
    {
        ctx.Writer.Write(column.Output);
        ctx.Writer.Write(column.Input);
    });

    /// <summary>Throws if the input column cannot be mapped.</summary>
    private protected virtual void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
    }

    /// <summary>A mapper that knows its source columns.</summary>
    internal abstract class OneToOneMapper : RowMapper
    {
        private readonly OneToOneTransformerBase _parent;
        private readonly DataViewSchema.Column[] _sources;

        protected OneToOneMapper(OneToOneTransformerBase parent, DataViewSchema inputSchema)
            : base(inputSchema)
        {
            _parent = parent;
            _sources = new DataViewSchema.Column[parent.Columns.Length];
            for (var i = 0; i < _sources.Length; i++)
            {
                _sources[i] = parent.Host.FindColumn(inputSchema, parent.Columns[i].Input);
                parent.CheckInputColumn(inputSchema, i, _sources[i]);
            }
        }

        public override IEnumerable<int> Dependencies(int output) => [_sources[output].Index];

        protected DataViewSchema.Column Source(int pair) => _sources[pair];

        /// <summary>Name (<c>OutputName(pair)</c>), type and annotations of one output.</summary>
        protected abstract DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source);

        protected string OutputName(int pair) => _parent.Columns[pair].Output;

        protected override DataViewSchema.DetachedColumn[] MakeOutputs() =>
            [.. Enumerable.Range(0, _sources.Length).Select(pair => OutputColumn(pair, _sources[pair]))];
    }
}

/// <summary>An estimator whose transformer needs no data: fitting only checks the schema.</summary>
public abstract class TrivialEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : class, ITransformer
{
    private protected TrivialEstimator(IHost host, TTransformer transformer)
    {
        Host = host;
        Transformer = transformer;
    }

    private protected IHost Host { get; }
    private protected TTransformer Transformer { get; }

    public TTransformer Fit(IDataView input)
    {
        Host.CheckValue(input, nameof(input));
        Transformer.GetOutputSchema(input.Schema);
        return Transformer;
    }

    public abstract SchemaShape GetOutputSchema(SchemaShape inputSchema);
}
