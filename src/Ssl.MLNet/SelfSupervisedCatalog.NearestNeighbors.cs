using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Finds, for every row, the most similar rows of the data it was fitted on: exact search by the cosine of two vectors.
    /// </summary>
    /// <param name="neighborsColumnName">Name of the new column of neighbor ids, best first: a known-size vector of text or
    /// <see cref="long"/>.</param>
    /// <param name="scoresColumnName">Name of the new column of similarities, falling: a known-size vector of <see cref="float"/> from 1
    /// to -1.</param>
    /// <param name="inputColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="idColumnName">Name of the reference rows' column of ids: text, a key or a whole number. Null gives the row's number,
    /// from 0.</param>
    /// <param name="numberOfNeighbors">How many neighbors to find for a row. From 1 to 1023.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its stated range.</exception>
    public NearestNeighborsEstimator NearestNeighbors(
        string neighborsColumnName = NearestNeighborsEstimator.Defaults.NeighborsColumnName,
        string scoresColumnName = NearestNeighborsEstimator.Defaults.ScoresColumnName,
        string inputColumnName = NearestNeighborsEstimator.Defaults.InputColumnName,
        string? idColumnName = null,
        int numberOfNeighbors = NearestNeighborsEstimator.Defaults.NumberOfNeighbors)
        => NearestNeighbors(new NearestNeighborsEstimator.Options
        {
            NeighborsColumnName = neighborsColumnName,
            ScoresColumnName = scoresColumnName,
            InputColumnName = inputColumnName,
            IdColumnName = idColumnName,
            NumberOfNeighbors = numberOfNeighbors,
        });

    /// <summary>
    /// Finds, for every row, the most similar rows of the data it was fitted on by the cosine of two vectors, exactly or approximately.
    /// </summary>
    /// <param name="options">All settings.</param>
    /// <exception cref="ArgumentOutOfRangeException">Settings are outside their stated ranges; all of them are named.</exception>
    public NearestNeighborsEstimator NearestNeighbors(NearestNeighborsEstimator.Options options) => new(_mlContext, options);

    /// <summary>
    /// Embeds with an encoder, then finds the nearest rows of those it is fitted on: <see cref="Embed"/> and the search in one chain.
    /// </summary>
    /// <param name="encoder">A fitted encoder; shared, not copied.</param>
    /// <param name="idColumnName">Name of the column of ids; null takes row numbers from 0.</param>
    /// <param name="numberOfNeighbors">Neighbors a row. At least 1.</param>
    public EstimatorChain<NearestNeighborsTransformer> NearestNeighbors(
        EncoderTransformer encoder, string? idColumnName = null,
        int numberOfNeighbors = NearestNeighborsEstimator.Defaults.NumberOfNeighbors)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return Embed(encoder).Append(NearestNeighbors(
            inputColumnName: encoder.OutputColumnName, idColumnName: idColumnName, numberOfNeighbors: numberOfNeighbors));
    }
}
