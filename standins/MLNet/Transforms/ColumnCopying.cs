using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Shows columns under another name, annotations and all.</summary>
[LoadableTransformer(Signature)]
public sealed class ColumnCopyingTransformer : OneToOneTransformerBase
{
    private const string Signature = "CopyTransform";

    internal ColumnCopyingTransformer(IHostEnvironment env, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(ColumnCopyingTransformer)), columns)
    {
    }

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) => new ColumnCopyingTransformer(env, ReadColumns(ctx));

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        WriteColumns(ctx);
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ColumnCopyingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            return Getters.Get(input, Source(output));
        }

        protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source) =>
            new(OutputName(pair), source.Type, source.Annotations);
    }
}

/// <summary>The estimator of <see cref="ColumnCopyingTransformer"/>.</summary>
public sealed class ColumnCopyingEstimator : TrivialEstimator<ColumnCopyingTransformer>
{
    internal ColumnCopyingEstimator(IHostEnvironment env, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(ColumnCopyingEstimator)), new ColumnCopyingTransformer(env, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With([.. Transformer.Columns.Select(pair => Host.FindColumn(inputSchema, pair.Input).Rename(pair.Output))]);
    }
}
