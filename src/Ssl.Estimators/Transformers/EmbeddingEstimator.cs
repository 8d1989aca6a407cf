using Microsoft.ML;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators;

/// <summary>Embeds with an encoder that exists already; learns nothing.</summary>
public sealed class EmbeddingEstimator : IEstimator<EncoderTransformer>
{
    private readonly EncoderTransformer _encoder;

    internal EmbeddingEstimator(MLContext mlContext, EncoderTransformer encoder, string? outputColumnName, string? inputColumnName)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        _encoder = encoder.Share(outputColumnName, inputColumnName, mlContext);
    }

    /// <summary>The same encoder as a stage of its own; nothing is learned.</summary>
    /// <param name="input">Its schema is checked.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public EncoderTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _encoder.GetOutputSchema(input.Schema);
        return _encoder.Share(null, null);
    }

    /// <summary>All input columns and the embedding.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _encoder.Model.Format.CheckColumns(inputSchema);
        return SchemaShapes.Append(inputSchema, SchemaShapes.Embedding(_encoder.OutputColumnName, _encoder.EmbeddingDimension));
    }
}
