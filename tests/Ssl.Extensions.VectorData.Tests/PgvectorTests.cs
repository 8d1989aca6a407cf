using Microsoft.ML;
using Microsoft.ML.Data;
using Npgsql;
using Ssl.MLNet;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>
/// The same against PostgreSQL with pgvector, where the environment variable SSL_POSTGRES names a server (an Npgsql connection string) that has the extension; skipped,
/// with the reason, where not.
/// </summary>
[TestClass]
public sealed class PgvectorTests
{
    private const string Variable = "SSL_POSTGRES";

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public async Task Rows_go_in_are_found_and_come_back()
    {
        await using var source = await OpenAsync();
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(500, 1));
        var (view, queries) = (Row.View(_mlContext, rows), Row.View(_mlContext, Row.MakeUp(100, 2)));
        using var collection = new PgvectorCollection(source, $"ssl_rows_{Guid.NewGuid():N}");
        try
        {
            Assert.AreEqual(500, await ssl.ToVectorStoreAsync(view, collection, new ToVectorStoreOptions { BatchSize = 128 }));
            Assert.AreEqual(100, await ssl.ToVectorStoreAsync(Row.View(_mlContext, rows[..100]), collection));
            var back = _mlContext.Data.CreateEnumerable<Row>(ssl.FromVectorStore(collection, new() { PageSize = 200 }), reuseRowObject: false).ToArray();
            Assert.HasCount(500, back);
            foreach (var (expected, actual) in rows.Zip(back))
            {
                Assert.AreEqual((expected.Number, expected.Name, expected.Team, expected.IsOpen, expected.Price), (actual.Number, actual.Name, actual.Team, actual.IsOpen, actual.Price));
                CollectionAssert.AreEqual(expected.Features, actual.Features);
            }

            using var memory = ssl.NearestNeighbors(idColumnName: "Number", numberOfNeighbors: 5).Fit(Row.View(_mlContext, rows.Where(row => row.Team == "post")));
            using var stage = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<RowRecord> { NumberOfNeighbors = 5, Filter = record => record.Team == "post" }).Fit(queries);
            CollectionAssert.AreEqual(memory.Transform(queries).GetColumn<long[]>("Neighbors").SelectMany(ids => ids).ToArray(),
                stage.Transform(queries).GetColumn<long[]>("Neighbors").SelectMany(ids => ids).ToArray());
            foreach (var (a, b) in memory.Transform(queries).GetColumn<float[]>("Scores").SelectMany(score => score)
                .Zip(stage.Transform(queries).GetColumn<float[]>("Scores").SelectMany(score => score)))
                Assert.AreEqual(a, b, 1e-5f);
        }
        finally
        {
            await collection.EnsureCollectionDeletedAsync();
        }
    }

    private static async Task<NpgsqlDataSource> OpenAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } connection)
        {
            Assert.Inconclusive($"{Variable} names no PostgreSQL server: set it to an Npgsql connection string, such as Host=127.0.0.1;Username=postgres.");
            throw new InvalidOperationException();
        }
        // One connection: small servers take no more.
        await using (var plain = new NpgsqlConnection(connection))
        {
            await plain.OpenAsync();
            await using var known = new NpgsqlCommand("SELECT COUNT(*) FROM pg_available_extensions WHERE name = 'vector'", plain);
            if ((long)(await known.ExecuteScalarAsync())! == 0)
                Assert.Inconclusive($"The server of {Variable} does not have the extension pgvector.");
            await using var create = new NpgsqlCommand("CREATE EXTENSION IF NOT EXISTS vector", plain);
            await create.ExecuteNonQueryAsync();
        }
        var builder = new NpgsqlDataSourceBuilder(connection);
        builder.UseVector();
        return builder.Build();
    }
}
