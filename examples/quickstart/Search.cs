using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Quickstart;

/// <summary>Semantic search: texts are found by the nearness of their embeddings to that of the query.</summary>
public sealed class Search : IDisposable
{
    private readonly MLContext _mlContext;
    private readonly ITransformer _embed;
    private readonly ITransformer _nearest;

    /// <summary>Embeds the catalog once.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="encoder">Embeds both the catalog's texts and the queries.</param>
    /// <param name="catalog">What is looked through.</param>
    /// <param name="numberOfNeighbors">Results a query.</param>
    public Search(MLContext mlContext, EncoderTransformer encoder, IEnumerable<Document> catalog, int numberOfNeighbors)
    {
        _mlContext = mlContext;
        _embed = encoder;
        var rows = mlContext.Data.LoadFromEnumerable(catalog.Select(TextRow.Of).ToArray());
        _nearest = mlContext.SelfSupervised()
            .NearestNeighbors(inputColumnName: encoder.OutputColumnName, idColumnName: nameof(TextRow.Name), numberOfNeighbors: numberOfNeighbors)
            .Fit(encoder.Transform(rows));
    }

    /// <summary>The nearest texts of each query, best first.</summary>
    public IEnumerable<Found> Ask(IEnumerable<string> queries)
    {
        var rows = _mlContext.Data.LoadFromEnumerable(queries.Select(query => new TextRow { Text = query }));
        return _mlContext.Data.CreateEnumerable<Found>(_nearest.Transform(_embed.Transform(rows)), reuseRowObject: false);
    }

    /// <summary>Share of documents whose own text is among the nearest <c>k</c> of what belongs to it.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="encoder">The encoder under test.</param>
    /// <param name="documents">Documents that no training saw.</param>
    /// <param name="cutOffs">Values of k, ascending.</param>
    public static double[] Recall(MLContext mlContext, EncoderTransformer encoder, IReadOnlyList<Document> documents, int[] cutOffs)
    {
        // Without an id column a neighbor is the number of its row.
        var rows = mlContext.Data.LoadFromEnumerable(documents.Select(TextRow.Of).ToArray());
        using var nearest = mlContext.SelfSupervised().NearestNeighbors(inputColumnName: encoder.OutputColumnName, numberOfNeighbors: cutOffs[^1]).Fit(encoder.Transform(rows));
        var questions = mlContext.Data.LoadFromEnumerable(documents.Select(document => new TextRow { Text = document.Pair }).ToArray());
        var ranks = mlContext.Data.CreateEnumerable<FoundRow>(nearest.Transform(encoder.Transform(questions)), reuseRowObject: false)
            .Select((found, row) => Array.IndexOf(found.Neighbors, (long)row)).ToArray();
        return cutOffs.Select(k => ranks.Count(rank => rank >= 0 && rank < k) / (double)ranks.Length).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => (_nearest as IDisposable)?.Dispose();

    /// <summary>One query's results.</summary>
    public sealed class Found
    {
        /// <summary>Names of the nearest documents, best first.</summary>
        public string[] Neighbors { get; set; } = [];

        /// <summary>Their cosine similarities.</summary>
        public float[] Scores { get; set; } = [];
    }

    private sealed class FoundRow
    {
        public long[] Neighbors { get; set; } = [];
    }
}
