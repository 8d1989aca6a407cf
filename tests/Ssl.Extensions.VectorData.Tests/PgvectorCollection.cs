using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;
using Npgsql;
using Pgvector;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>The rows of these tests in a table of PostgreSQL with a column of pgvector: what is asked of a store here, no more.</summary>
internal sealed class PgvectorCollection(NpgsqlDataSource source, string name) : VectorStoreCollection<long, RowRecord>
{
    private const string Columns = "number, name, team, is_open, price";

    public override string Name => name;

    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => RunAsync($"CREATE TABLE IF NOT EXISTS {name} "
        + $"(number bigint PRIMARY KEY, name text NOT NULL, team text NOT NULL, is_open boolean NOT NULL, price real, features vector({Row.Dimension}) NOT NULL)", cancellationToken);

    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) => RunAsync($"DROP TABLE IF EXISTS {name}", cancellationToken);

    public override Task<RowRecord?> GetAsync(long key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override async IAsyncEnumerable<RowRecord> GetAsync(Expression<Func<RowRecord, bool>> filter, int top, FilteredRecordRetrievalOptions<RowRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Assert.AreEqual("number", ((MemberExpression)((UnaryExpression)options!.OrderBy!(new()).Values.Single().PropertySelector.Body).Operand).Member.Name.ToLowerInvariant());
        await using var command = source.CreateCommand($"SELECT {Columns}, features, 0::float8 FROM {name} WHERE {Condition(filter)} ORDER BY number LIMIT {top} OFFSET {options.Skip}");
        await foreach (var (record, _) in ReadAsync(command, cancellationToken))
            yield return record;
    }

    public override Task DeleteAsync(long key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task UpsertAsync(RowRecord record, CancellationToken cancellationToken = default) => UpsertAsync([record], cancellationToken);

    public override async Task UpsertAsync(IEnumerable<RowRecord> records, CancellationToken cancellationToken = default)
    {
        RowRecord[] all = [.. records];
        await using var command = source.CreateCommand($"INSERT INTO {name} ({Columns}, features) SELECT * FROM unnest($1, $2, $3, $4, $5, $6) "
            + "ON CONFLICT (number) DO UPDATE SET name = excluded.name, team = excluded.team, is_open = excluded.is_open, price = excluded.price, features = excluded.features");
        foreach (var column in (object[])[all.Select(record => record.Number).ToArray(), all.Select(record => record.Name).ToArray(), all.Select(record => record.Team).ToArray(),
            all.Select(record => record.IsOpen).ToArray(), all.Select(record => record.Price).ToArray(), all.Select(record => new Vector(record.Features)).ToArray()])
            command.Parameters.Add(new NpgsqlParameter { Value = column });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public override async IAsyncEnumerable<VectorSearchResult<RowRecord>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<RowRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var command = source.CreateCommand($"SELECT {Columns}, features, features <=> $1 FROM {name} WHERE {Condition(options!.Filter!)} ORDER BY features <=> $1 LIMIT {top}");
        command.Parameters.Add(new NpgsqlParameter { Value = new Vector((ReadOnlyMemory<float>)(object)searchValue!) });
        await foreach (var (record, distance) in ReadAsync(command, cancellationToken))
            yield return new VectorSearchResult<RowRecord>(record, distance);
    }

    public override object? GetService(Type serviceType, object? serviceKey = null) => null;

    private static async IAsyncEnumerable<(RowRecord, double)> ReadAsync(NpgsqlCommand command, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return (new RowRecord
            {
                Number = reader.GetInt64(0), Name = reader.GetString(1), Team = reader.GetString(2), IsOpen = reader.GetBoolean(3),
                Price = await reader.IsDBNullAsync(4, cancellationToken) ? null : reader.GetFloat(4), Features = reader.GetFieldValue<Vector>(5).Memory,
            }, reader.GetDouble(6));
        }
    }

    private async Task RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // All rows, or those of a team.
    private static string Condition(Expression<Func<RowRecord, bool>> filter) => filter.Body switch
    {
        ConstantExpression { Value: true } => "true",
        BinaryExpression { NodeType: ExpressionType.Equal, Left: MemberExpression { Member.Name: "Team" }, Right: ConstantExpression { Value: string team } } => $"team = '{team}'",
        _ => throw new NotSupportedException($"{filter}"),
    };
}
