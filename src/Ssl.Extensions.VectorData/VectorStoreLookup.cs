using System.Globalization;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Downstream;

namespace Ssl.Extensions.VectorData;

/// <summary>The search in a collection as a stage.</summary>
internal sealed class VectorStoreLookup<TKey, TRecord, TId> : NeighborLookup<TId> where TKey : notnull where TRecord : class where TId : notnull
{
    private readonly VectorStoreCollection<TKey, TRecord> _collection;
    private readonly VectorSearchOptions<TRecord> _search;
    private readonly Func<object, TId> _idOf;
    private readonly bool _areDistances;
    private readonly int _maximumConcurrency;

    public VectorStoreLookup(VectorStoreCollection<TKey, TRecord> collection, RecordModel model, NeighborSettings settings,
        VectorStoreSearchOptions<TRecord> options) : base(settings, model.RequireVector().Dimension)
    {
        var vector = model.RequireVector();
        _collection = collection;
        _search = new VectorSearchOptions<TRecord>
        {
            Filter = options.Filter,
            VectorProperty = options.VectorPropertyName is null ? null : vector.Selector<TRecord>(),
        };
        _maximumConcurrency = options.MaximumConcurrency;
        _areDistances = (options.DistanceFunction ?? vector.DistanceFunction ?? throw new ArgumentException("Nothing says what the scores of the store are, "
            + "which differs between stores: set DistanceFunction on the [VectorStoreVector] of the record, or in these options, to the one that the "
            + "collection was made with.", nameof(options))) == DistanceFunction.CosineDistance;
        var key = model.Key;
        _idOf = record => key.Get(record) switch
        {
            TId id => id,
            { } value when typeof(TId) == typeof(long) => (TId)(object)Convert.ToInt64(value, CultureInfo.InvariantCulture),
            { } value => (TId)(object)Convert.ToString(value, CultureInfo.InvariantCulture)!,
            null => throw new InvalidOperationException($"A record of '{collection.Name}' has no '{key.Name}'."),
        };
    }

    // ML.NET reads rows synchronously. The searches run on other threads, where no context of the caller's waits for this one.
    protected override IReadOnlyList<Neighbor<TId>>[] Search(Span<float> vectors, int count, int length)
    {
        float[]?[] queries = new float[]?[count];
        for (var i = 0; i < count; i++)
        {
            var vector = vectors.Slice(i * length, length);
            queries[i] = UnitVector.Normalize(vector) ? vector.ToArray() : null;
        }
        return Task.Run(() => SearchAsync(queries)).GetAwaiter().GetResult();
    }

    private async Task<IReadOnlyList<Neighbor<TId>>[]> SearchAsync(float[]?[] queries)
    {
        var found = new IReadOnlyList<Neighbor<TId>>[queries.Length];
        await Parallel.ForAsync(0, queries.Length, new ParallelOptions { MaxDegreeOfParallelism = _maximumConcurrency }, async (i, cancellationToken) =>
        {
            var neighbors = new List<Neighbor<TId>>();
            if (queries[i] is { } query)
            {
                await foreach (var result in _collection.SearchAsync((ReadOnlyMemory<float>)query, Settings.NumberOfNeighbors, _search, cancellationToken)
                    .ConfigureAwait(false))
                {
                    var score = result.Score is not { } stated ? float.NaN : (float)(_areDistances ? 1 - stated : stated);
                    neighbors.Add(new Neighbor<TId>(_idOf(result.Record), score));
                }
            }
            found[i] = neighbors;
        }).ConfigureAwait(false);
        return found;
    }

    public override void Save(ModelSaveContext context) => throw new NotSupportedException($"The search in the vector store '{_collection.Name}' is not saved with "
        + "a model: its connection is the application's. Save the chain before it, and append ssl.NearestNeighbors(collection) where it is loaded.");
}
