namespace Microsoft.ML.Data;

/// <summary>
/// What a row-to-row transformer adds to a schema, and how it computes it. How to write one:
/// <code>
/// [LoadableTransformer("MyTransform")]                                     // name in a model file
/// public sealed class MyTransformer : OneToOneTransformerBase             // or RowToRowTransformerBase for other than column pairs
/// {
///     internal MyTransformer(IHostEnvironment env, (string Output, string Input)[] columns)
///         : base(env.Register(nameof(MyTransformer)), columns) { }
///     internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) => new MyTransformer(env, ReadColumns(ctx));
///     private protected override void SaveModel(ModelSaveContext ctx) { ctx.SetSignature("MyTransform"); WriteColumns(ctx); }
///     private protected override void CheckInputColumn(DataViewSchema schema, int pair, DataViewSchema.Column source) { ... }
///     private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);
///     private sealed class Mapper(MyTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
///     {
///         protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source) => new(...);
///         public override Delegate MakeGetter(DataViewRow input, int pair, out Action disposer)
///         {
///             disposer = null;
///             var source = input.GetGetter&lt;float&gt;(Source(pair));
///             var value = 0f;
///             return (ValueGetter&lt;float&gt;)((ref float destination) => { source(ref value); destination = value * 2; });
///         }
///     }
/// }
/// </code>
/// The estimator of a transformer that needs no data derives from <see cref="TrivialEstimator{TTransformer}"/>.
/// Errors: see <see cref="Runtime.Contracts"/>. Getters of types known only at run time: see <see cref="Getters"/>.
/// </summary>
internal abstract class RowMapper(DataViewSchema inputSchema)
{
    private DataViewSchema.DetachedColumn[] _outputs;

    public DataViewSchema InputSchema { get; } = inputSchema;

    /// <summary>The columns that are added, in order.</summary>
    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs => _outputs ??= MakeOutputs();

    /// <summary>Indices of the input columns that output number <paramref name="output"/> reads.</summary>
    public abstract IEnumerable<int> Dependencies(int output);

    /// <summary>A <c>ValueGetter</c> for one output, over the given row. <paramref name="disposer"/> (or null) runs when the row is
    /// disposed.</summary>
    public abstract Delegate MakeGetter(DataViewRow input, int output, out Action disposer);

    /// <summary>Getters for all active outputs (null for the others): override where outputs share a computation.</summary>
    public virtual Delegate[] MakeGetters(DataViewRow input, Func<int, bool> active, out Action disposer)
    {
        var getters = new Delegate[Outputs.Count];
        Action all = null;
        for (var i = 0; i < getters.Length; i++)
        {
            if (active(i))
            {
                getters[i] = MakeGetter(input, i, out var one);
                all += one;
            }
        }

        disposer = all;
        return getters;
    }

    protected abstract DataViewSchema.DetachedColumn[] MakeOutputs();
}
