using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>How an engine binds its classes.</summary>
public sealed class PredictionEngineOptions
{
    public bool IgnoreMissingColumns = true;
    public SchemaDefinition InputSchemaDefinition;
    public SchemaDefinition OutputSchemaDefinition;
    public bool OwnsTransformer = true;
}

/// <summary>Runs a transformer on one object at a time. Not for several threads at once.</summary>
public abstract class PredictionEngineBase<TSrc, TDst> : IDisposable
    where TSrc : class
    where TDst : class, new()
{
    private readonly ObjectRow<TSrc> _input;
    private readonly DataViewRow _output;
    private readonly Action<TDst> _fill;
    private readonly ITransformer _owned;
    private bool _disposed;

    private protected PredictionEngineBase(IHostEnvironment env, ITransformer transformer, PredictionEngineOptions options)
    {
        env.CheckValue(transformer, nameof(transformer));
        env.CheckParam(transformer.IsRowToRowMapper, nameof(transformer), "Must be a row to row mapper");
        _input = new ObjectRow<TSrc>(TypedMember.Create(typeof(TSrc), options.InputSchemaDefinition, SchemaDefinition.Direction.Read));
        var mapper = transformer.GetRowToRowMapper(_input.Schema);
        OutputSchema = mapper.OutputSchema;
        _output = mapper.GetRow(_input, mapper.OutputSchema);
        var members = TypedMember.Create(typeof(TDst), options.OutputSchemaDefinition, SchemaDefinition.Direction.Write);
        _fill = new ObjectFiller<TDst>(env, mapper.OutputSchema, options.IgnoreMissingColumns, members).Bind(_output);
        _owned = options.OwnsTransformer ? transformer : null;
    }

    public DataViewSchema OutputSchema { get; }

    public TDst Predict(TSrc example)
    {
        var result = new TDst();
        Predict(example, ref result);
        return result;
    }

    public abstract void Predict(TSrc example, ref TDst prediction);

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _output.Dispose();
            (_owned as IDisposable)?.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private protected void Run(TSrc example, ref TDst prediction)
    {
        Contracts.CheckValue(null, example, "row");
        _input.Show(example);
        prediction ??= new TDst();
        _fill(prediction);
    }
}

/// <summary>Runs a transformer on one object at a time. Not for several threads at once.</summary>
public sealed class PredictionEngine<TSrc, TDst> : PredictionEngineBase<TSrc, TDst>
    where TSrc : class
    where TDst : class, new()
{
    internal PredictionEngine(IHostEnvironment env, ITransformer transformer, PredictionEngineOptions options)
        : base(env, transformer, options)
    {
    }

    public override void Predict(TSrc example, ref TDst prediction) => Run(example, ref prediction);
}
