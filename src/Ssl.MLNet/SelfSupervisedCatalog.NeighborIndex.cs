using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Downstream;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Makes an index file of rows: their vectors stay on the disk, and rows are added and removed without a rebuild. Rows are read once, and in memory
    /// 16 MB of their vectors at a time.
    /// </summary>
    /// <typeparam name="TId">What rows are called: <see cref="string"/> or <see cref="long"/>.</typeparam>
    /// <param name="path">The file to make; there must be none.</param>
    /// <param name="data">The rows. Of rows with the same id the last one counts.</param>
    /// <param name="idColumnName">Name of the column of ids: text or a key with text values for <see cref="string"/>, a whole number or a key for
    /// <see cref="long"/>.</param>
    /// <param name="inputColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="search">How it is searched where a search does not say. <see cref="NeighborSearch.Approximate"/> learns cells (at 4,096 rows or
    /// more) before this returns.</param>
    /// <param name="numberOfCells">Cells of an approximate search, at least 1; null takes four times the square root of the number of rows, 8,192 at
    /// most.</param>
    /// <param name="cancellationToken">Ends it; no file is left.</param>
    /// <returns>The index, open; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">A vector has no direction: it is zero, or has NaN or infinite values.</exception>
    /// <exception cref="IOException">There is a file already, or it cannot be written.</exception>
    /// <exception cref="NotSupportedException">Ids are of another type.</exception>
    public NeighborIndex<TId> CreateNeighborIndex<TId>(string path, IDataView data, string idColumnName,
        string inputColumnName = NearestNeighborsEstimator.Defaults.InputColumnName, NeighborSearch search = NeighborSearch.Exact,
        int? numberOfCells = null, CancellationToken cancellationToken = default) where TId : notnull
        => NeighborIndex<TId>.Create(_mlContext, path, data, idColumnName, inputColumnName, search, numberOfCells, cancellationToken);

    /// <summary>Makes an index file without rows.</summary>
    /// <typeparam name="TId">What rows are called: <see cref="string"/> or <see cref="long"/>.</typeparam>
    /// <param name="path">The file to make; there must be none.</param>
    /// <param name="dimension">Length of the vectors. From 1 to 65,536.</param>
    /// <param name="search">How it is searched where a search does not say. The cells of <see cref="NeighborSearch.Approximate"/> are learned by the
    /// first <see cref="NeighborIndex{TId}.Compact"/> with 4,096 rows or more; before, all rows are compared.</param>
    /// <param name="numberOfCells">Cells of an approximate search, at least 1; null takes four times the square root of the number of rows, 8,192 at
    /// most.</param>
    /// <returns>The index, open; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of range.</exception>
    /// <exception cref="IOException">There is a file already, or it cannot be written.</exception>
    /// <exception cref="NotSupportedException">Ids are of another type.</exception>
    public NeighborIndex<TId> CreateNeighborIndex<TId>(string path, int dimension, NeighborSearch search = NeighborSearch.Exact,
        int? numberOfCells = null) where TId : notnull
        => NeighborIndex<TId>.Create(_mlContext, path, dimension, search, numberOfCells);

    /// <summary>Opens an index file. Vectors are not read; they come into memory as searches need them.</summary>
    /// <typeparam name="TId">What its rows are called: <see cref="string"/> or <see cref="long"/>, as it was made.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="readOnly">Whether it is opened to be searched only: then several processes may have it open.</param>
    /// <returns>The index; dispose of it when it is no longer needed.</returns>
    /// <exception cref="FormatException">It is no index file, damaged, or of other ids; the message names it.</exception>
    /// <exception cref="IOException">It is not there, or open elsewhere.</exception>
    public NeighborIndex<TId> OpenNeighborIndex<TId>(string path, bool readOnly = false) where TId : notnull
        => NeighborIndex<TId>.Open(_mlContext, path, readOnly);

    /// <summary>
    /// Finds, for every row, the most similar rows of an index file by the cosine of two vectors. The columns are those of the search in memory,
    /// <see cref="NearestNeighbors(string, string, string, string, int)"/>.
    /// </summary>
    /// <remarks>A saved model names the index file, with its full path, and does not hold it; loaded, it opens the file to be read only.</remarks>
    /// <typeparam name="TId">What rows of the index are called.</typeparam>
    /// <param name="index">An open index; stays the caller's, and is searched as it is when rows are read.</param>
    /// <param name="neighborsColumnName">Name of the new column of neighbor ids, best first: a known-size vector of text or
    /// <see cref="long"/>.</param>
    /// <param name="scoresColumnName">Name of the new column of similarities, falling: a known-size vector of <see cref="float"/> from 1
    /// to -1.</param>
    /// <param name="inputColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, of the index's length.</param>
    /// <param name="numberOfNeighbors">How many neighbors to find for a row. From 1 to 1023.</param>
    /// <param name="search">Whether all rows are compared or those of the nearest cells only; null for the index's own.</param>
    /// <param name="numberOfProbes">Cells that an approximate search looks into. At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Settings are outside their stated ranges; all of them are named.</exception>
    public NeighborLookupEstimator NearestNeighbors<TId>(NeighborIndex<TId> index,
        string neighborsColumnName = NearestNeighborsEstimator.Defaults.NeighborsColumnName,
        string scoresColumnName = NearestNeighborsEstimator.Defaults.ScoresColumnName,
        string inputColumnName = NearestNeighborsEstimator.Defaults.InputColumnName,
        int numberOfNeighbors = NearestNeighborsEstimator.Defaults.NumberOfNeighbors,
        NeighborSearch? search = null,
        int numberOfProbes = NeighborSearchOptions.SearchDefaults.NumberOfProbes) where TId : notnull
    {
        ArgumentNullException.ThrowIfNull(index);
        var settings = NeighborSettings.Checked(inputColumnName, neighborsColumnName, scoresColumnName, numberOfNeighbors, faults =>
        {
            if (search is { } mode)
                faults.Defined(mode, nameof(search));
            faults.AtLeast(numberOfProbes, 1);
        });
        return new NeighborLookupEstimator(new IndexLookup<TId>(index, settings, search, numberOfProbes, ownsIndex: false));
    }
}
