using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Keeps some columns, in the order asked for, or drops some.</summary>
[LoadableTransformer(Signature)]
public sealed class ColumnSelectingTransformer : ITransformer
{
    private const string Signature = "SelectColumnsTransform";
    private readonly IHost _host;
    private readonly bool _keepHidden;

    internal ColumnSelectingTransformer(IHostEnvironment env, string[] keep, string[] drop, bool keepHidden)
    {
        _host = env.Register(nameof(ColumnSelectingTransformer));
        _host.Check(
            keep is { Length: > 0 } || drop is { Length: > 0 },
            "Neither keepColumns or dropColumns is set, one must be specified.");
        Keeps = keep is { Length: > 0 };
        Names = Keeps ? keep : drop;
        _keepHidden = keepHidden;
    }

    bool ITransformer.IsRowToRowMapper => true;

    internal string[] Names { get; }
    internal bool Keeps { get; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return Map(inputSchema, nameof(inputSchema)).OutputSchema;
    }

    public IDataView Transform(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new View(input, Map(input.Schema, nameof(input)));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return Map(inputSchema, nameof(inputSchema));
    }

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx)
    {
        var keeps = ctx.Reader.ReadBoolean();
        var keepHidden = ctx.Reader.ReadBoolean();
        var names = ctx.ReadArray(ctx.Reader.ReadString);
        return new ColumnSelectingTransformer(env, keeps ? names : null, keeps ? null : names, keepHidden);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.Write(Keeps);
        ctx.Writer.Write(_keepHidden);
        ctx.WriteArray(Names, ctx.Writer.Write);
    }

    private Mapper Map(DataViewSchema schema, string parameter)
    {
        var missing = Names.Where(name => schema.GetColumnOrNull(name) == null).ToArray();
        if (missing.Length > 0)
        {
            throw _host.ExceptSchemaMismatch(parameter, "input", string.Join(",", missing));
        }

        // Dropping keeps hidden columns whatever was asked; selecting follows the order of the names.
        var kept = Keeps
            ? Names.SelectMany(name => schema.Where(column => column.Name == name && (_keepHidden || !column.IsHidden)))
            : schema.Where(column => !Names.Contains(column.Name));
        return new Mapper(schema, [.. kept.Select(column => column.Index)]);
    }

    private sealed class Mapper : IRowToRowMapper
    {
        private readonly int[] _map;

        public Mapper(DataViewSchema input, int[] map)
        {
            InputSchema = input;
            _map = map;
            var builder = new DataViewSchema.Builder();
            builder.AddColumns(map.Select(index => input[index]));
            OutputSchema = builder.ToSchema();
        }

        public DataViewSchema InputSchema { get; }
        public DataViewSchema OutputSchema { get; }

        public DataViewSchema.Column Source(int output) => InputSchema[_map[output]];

        public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
            [.. dependingColumns.Select(column => Source(column.Index))];

        public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) =>
            new Row(this, input, Getters.Active(activeColumns, OutputSchema));
    }

    private sealed class Row(Mapper mapper, DataViewRow input, bool[] active) : DataViewRow
    {
        public override DataViewSchema Schema => mapper.OutputSchema;
        public override long Position => input.Position;
        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];
        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Getters.CheckActive(column.Index < active.Length && active[column.Index]);
            return input.GetGetter<TValue>(mapper.Source(column.Index));
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Dispose();
            }
        }
    }

    private sealed class View(IDataView input, Mapper mapper) : IDirectDataView
    {
        public bool CanShuffle => input.CanShuffle;
        public DataViewSchema Schema => mapper.OutputSchema;

        public long? GetRowCount() => input.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
            WorkerCursor.Over(this, columnsNeeded, rand);

        public (DataViewRowCursor Cursor, bool Computes) GetDirectCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
        {
            var needed = columnsNeeded.ToArray();
            var (cursor, computes) = WorkerCursor.Direct(input, mapper.GetDependencies(needed), rand);
            return (Wrap(cursor, needed), computes);
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
        {
            var needed = columnsNeeded.ToArray();
            return [.. input.GetRowCursorSet(mapper.GetDependencies(needed), n, rand).Select(cursor => Wrap(cursor, needed))];
        }

        private RowCursor Wrap(DataViewRowCursor cursor, DataViewSchema.Column[] needed) => new(cursor, mapper.GetRow(cursor, needed));
    }
}

/// <summary>The estimator of <see cref="ColumnSelectingTransformer"/>.</summary>
public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    internal ColumnSelectingEstimator(IHostEnvironment env, string[] keep, string[] drop, bool keepHidden)
        : base(env.Register(nameof(ColumnSelectingEstimator)), new ColumnSelectingTransformer(env, keep, drop, keepHidden))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        var missing = Transformer.Names.Where(name => !inputSchema.TryFindColumn(name, out _)).ToArray();
        if (missing.Length > 0)
        {
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", string.Join(",", missing));
        }

        return new SchemaShape(inputSchema.Where(column => Transformer.Names.Contains(column.Name) == Transformer.Keeps));
    }
}
