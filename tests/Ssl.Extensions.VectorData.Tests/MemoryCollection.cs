using System.Linq.Expressions;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>A collection in memory that takes any record and tells what it was asked.</summary>
internal sealed class MemoryCollection<TKey, TRecord>(Func<TRecord, TKey> keyOf, Func<TRecord, ReadOnlyMemory<float>>? vectorOf = null) : VectorStoreCollection<TKey, TRecord> where TKey : notnull where TRecord : class
{
    public Dictionary<TKey, TRecord> Records { get; } = [];

    public List<int> Batches { get; } = [];

    public List<(int Top, int Skip)> Pages { get; } = [];

    public bool Exists { get; private set; }

    public Exception? Fault { get; set; }

    public override string Name => "memory";

    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => Task.FromResult(Exists);

    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default)
    {
        Exists = true;
        return Task.CompletedTask;
    }

    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<TRecord?> GetAsync(TKey key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default)
        => Task.FromResult(Records.GetValueOrDefault(key));

    public override async IAsyncEnumerable<TRecord> GetAsync(Expression<Func<TRecord, bool>> filter, int top,
        FilteredRecordRetrievalOptions<TRecord>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Pages.Add((top, options!.Skip));
        var order = options.OrderBy!(new()).Values.Single();
        var keys = order.PropertySelector.Compile();
        foreach (var record in Records.Values.Where(filter.Compile()).OrderBy(record => keys(record)).Skip(options.Skip).Take(top).ToArray())
        {
            await Task.Yield();
            yield return record;
        }
    }

    public override Task DeleteAsync(TKey key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default) => UpsertAsync([record], cancellationToken);

    public override async Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        if (Fault is not null && Batches.Count == 1)
            throw Fault;
        TRecord[] all = [.. records];
        Batches.Add(all.Length);
        foreach (var record in all)
            Records[keyOf(record)] = record;
    }

    public override async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        var query = (ReadOnlyMemory<float>)(object)searchValue!;
        foreach (var (record, score) in Records.Values.Where(options?.Filter?.Compile() ?? (_ => true))
            .Select(record => (record, Score: (double)TensorPrimitives.CosineSimilarity(query.Span, vectorOf!(record).Span))).OrderByDescending(found => found.Score).Take(top))
            yield return new VectorSearchResult<TRecord>(record, score);
    }

    public override object? GetService(Type serviceType, object? serviceKey = null) => null;
}
