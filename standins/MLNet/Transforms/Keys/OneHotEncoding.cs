using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Values to keys to indicator vectors.</summary>
public sealed class OneHotEncodingTransformer : ITransformer
{
    private readonly TransformerChain<ITransformer> _chain;

    internal OneHotEncodingTransformer(TransformerChain<ITransformer> chain) => _chain = chain;

    bool ITransformer.IsRowToRowMapper => ((ITransformer)_chain).IsRowToRowMapper;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _chain.GetOutputSchema(inputSchema);
    public IDataView Transform(IDataView input) => _chain.Transform(input);
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => ((ITransformer)_chain).GetRowToRowMapper(inputSchema);
    void ICanSaveModel.Save(ModelSaveContext ctx) => ((ICanSaveModel)_chain).Save(ctx);
}

/// <summary>Learns which values there are and gives each its slot.</summary>
public sealed class OneHotEncodingEstimator : IEstimator<OneHotEncodingTransformer>
{
    private readonly IHost _host;
    private readonly IEstimator<ITransformer> _chain;

    internal OneHotEncodingEstimator(
        IHostEnvironment env,
        (string Output, string Input)[] columns,
        OutputKind kind,
        int maximum,
        ValueToKeyMappingEstimator.KeyOrdinality ordinality,
        IDataView keyData)
    {
        _host = env.Register(nameof(OneHotEncodingEstimator));
        if (kind == OutputKind.Binary)
        {
            throw _host.ExceptNotSupported("OneHotEncoding to binary digits is not supported here");
        }

        var keys = new ValueToKeyMappingEstimator(env, columns, maximum, ordinality, asText: true, keyData);
        _chain = kind == OutputKind.Key
            ? new EstimatorChain<ITransformer>().Append(keys)
            : keys.Append(
                new KeyToVectorMappingEstimator(env, kind == OutputKind.Bag, [.. columns.Select(pair => (pair.Output, pair.Output))]));
    }

    /// <summary>What comes out.</summary>
    public enum OutputKind : byte
    {
        Bag = 1,
        Indicator = 2,
        Key = 3,
        Binary = 4,
    }

    public OneHotEncodingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new OneHotEncodingTransformer(new TransformerChain<ITransformer>(_chain.Fit(input)));
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _chain.GetOutputSchema(inputSchema);
}
