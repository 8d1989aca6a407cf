using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace VectorStoreExample.SqliteVec;

/// <summary>
/// A collection of Microsoft.Extensions.VectorData in an SQLite file with the extension sqlite-vec: records in a table, their vectors in a vec0 table of the same row
/// numbers, searched exactly by cosine. Any number of threads may use it, each call with a connection of its own.
/// </summary>
public sealed class SqliteVecCollection<TKey, TRecord> : VectorStoreCollection<TKey, TRecord> where TKey : notnull where TRecord : class
{
    private readonly string _path;
    private readonly string _extension;
    private readonly CollectionModel _model;
    private readonly VectorPropertyModel _vector;
    private readonly PropertyModel[] _columns;
    private readonly string _records, _vectors, _columnList;

    /// <param name="path">The SQLite file; made where there is none.</param>
    /// <param name="name">The collection's name.</param>
    /// <param name="definition">Of dynamic collections, and of records without attributes.</param>
    /// <param name="embeddingGenerator">Embeds what records hold in place of a vector, and texts that are searched for.</param>
    public SqliteVecCollection(string path, string name, VectorStoreCollectionDefinition? definition = null, IEmbeddingGenerator? embeddingGenerator = null)
    {
        _extension = SqliteVecLibrary.Find() ?? throw new FileNotFoundException(SqliteVecLibrary.Missing);
        (_path, Name) = (path, name);
        _model = typeof(TRecord) == typeof(Dictionary<string, object?>)
            ? new SqliteVecModelBuilder().BuildDynamic(definition ?? throw new ArgumentNullException(nameof(definition)), embeddingGenerator)
            : new SqliteVecModelBuilder().Build(typeof(TRecord), typeof(TKey), definition, embeddingGenerator);
        _vector = _model.VectorProperty;
        if (_vector.DistanceFunction is not (null or DistanceFunction.CosineDistance or DistanceFunction.CosineSimilarity))
            throw new NotSupportedException($"'{_vector.ModelName}' is compared by cosine here, not by {_vector.DistanceFunction}.");
        _columns = [_model.KeyProperty, .. _model.DataProperties];
        (_records, _vectors) = (SqliteValues.Quoted(name), SqliteValues.Quoted($"{name}_vectors"));
        _columnList = string.Join(", ", _columns.Select(column => SqliteValues.Quoted(column.StorageName)));
    }

    public override string Name { get; }

    public override async Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default)
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        using var command = Command(connection, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $name", ("$name", Name));
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! > 0;
    }

    public override async Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default)
    {
        var columns = string.Join(", ", _columns.Select(column => $"{SqliteValues.Quoted(column.StorageName)} {SqliteValues.TypeOf(column.Type)}"
            + (column == _model.KeyProperty ? " NOT NULL UNIQUE" : "")));
        var indexes = _model.DataProperties.Where(column => column.IsIndexed).Select(column =>
            $"CREATE INDEX IF NOT EXISTS {SqliteValues.Quoted($"{Name}_{column.StorageName}")} ON {_records} ({SqliteValues.Quoted(column.StorageName)});");
        await RunAsync($"PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS {_records} ({columns}); {string.Concat(indexes)} "
            + $"CREATE VIRTUAL TABLE IF NOT EXISTS {_vectors} USING vec0(vector float[{_vector.Dimensions}] distance_metric=cosine);", cancellationToken).ConfigureAwait(false);
    }

    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default)
        => RunAsync($"DROP TABLE IF EXISTS {_records}; DROP TABLE IF EXISTS {_vectors};", cancellationToken);

    public override Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default) => UpsertAsync([record], cancellationToken);

    public override async Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default)
    {
        TRecord[] all = [.. records];
        var vectors = await VectorsAsync(all, cancellationToken).ConfigureAwait(false);
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = connection.BeginTransaction();
        var key = SqliteValues.Quoted(_model.KeyProperty.StorageName);
        // Something is set where there is nothing but the key, too: a conflict that does nothing returns no row.
        var sets = string.Join(", ", _columns.Select(column => SqliteValues.Quoted(column.StorageName)).Select(column => $"{column} = excluded.{column}"));
        using var put = Command(connection, $"INSERT INTO {_records} ({_columnList}) VALUES ({string.Join(", ", _columns.Select((_, i) => $"$c{i}"))}) "
            + $"ON CONFLICT ({key}) DO UPDATE SET {sets} RETURNING rowid", [.. _columns.Select((_, i) => ($"$c{i}", (object)DBNull.Value))]);
        using var remove = Command(connection, $"DELETE FROM {_vectors} WHERE rowid = $row", ("$row", 0L));
        using var add = Command(connection, $"INSERT INTO {_vectors} (rowid, vector) VALUES ($row, $vector)", ("$row", 0L), ("$vector", Array.Empty<byte>()));
        for (var i = 0; i < all.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var column = 0; column < _columns.Length; column++)
                put.Parameters[column].Value = SqliteValues.ToSqlite(_columns[column].GetValueAsObject(all[i]));
            var row = put.ExecuteScalar();
            remove.Parameters[0].Value = row;
            remove.ExecuteNonQuery();
            (add.Parameters[0].Value, add.Parameters[1].Value) = (row, MemoryMarshal.AsBytes(vectors[i].Span).ToArray());
            add.ExecuteNonQuery();
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(TKey key, CancellationToken cancellationToken = default)
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = connection.BeginTransaction();
        var isKey = $"{SqliteValues.Quoted(_model.KeyProperty.StorageName)} = $key";
        foreach (var sql in (string[])[$"DELETE FROM {_vectors} WHERE rowid IN (SELECT rowid FROM {_records} WHERE {isKey})", $"DELETE FROM {_records} WHERE {isKey}"])
        {
            using var command = Command(connection, sql, ("$key", key));
            command.ExecuteNonQuery();
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task<TRecord?> GetAsync(TKey key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default)
    {
        var condition = $"{SqliteValues.Quoted(_model.KeyProperty.StorageName)} = $key";
        await foreach (var (record, _) in ReadAsync($"FROM {_records} r WHERE {condition}", options?.IncludeVectors == true, [("$key", key)], cancellationToken).ConfigureAwait(false))
            return record;
        return null;
    }

    public override async IAsyncEnumerable<TRecord> GetAsync(Expression<Func<TRecord, bool>> filter, int top,
        FilteredRecordRetrievalOptions<TRecord>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        options ??= new FilteredRecordRetrievalOptions<TRecord>();
        var (condition, values) = SqliteVecFilter.Translate(filter, _model);
        var orders = options.OrderBy?.Invoke(new()).Values.Select(order =>
            $"{SqliteValues.Quoted(_model.GetDataOrKeyProperty(order.PropertySelector).StorageName)} {(order.Ascending ? "ASC" : "DESC")}").ToArray() ?? [];
        var order = orders.Length > 0 ? $"ORDER BY {string.Join(", ", orders)} " : "";
        await foreach (var (record, _) in ReadAsync($"FROM {_records} r WHERE {condition} {order}LIMIT {top} OFFSET {options.Skip}", options.IncludeVectors, Numbered(values),
            cancellationToken).ConfigureAwait(false))
        {
            yield return record;
        }
    }

    public override async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        options ??= new VectorSearchOptions<TRecord>();
        var vector = SqliteValues.VectorOf(searchValue)
            ?? ((Embedding<float>)await _vector.GenerateEmbeddingAsync(searchValue, cancellationToken).ConfigureAwait(false)).Vector;
        var (condition, values) = options.Filter is null ? (null, []) : SqliteVecFilter.Translate(options.Filter, _model);
        var among = condition is null ? "" : $" AND rowid IN (SELECT rowid FROM {_records} WHERE {condition})";
        (string, object)[] parameters = [.. Numbered(values), ("$vector", MemoryMarshal.AsBytes(vector.Span).ToArray()), ("$k", top + options.Skip)];
        var from = $", n.distance FROM (SELECT rowid, distance FROM {_vectors} WHERE vector MATCH $vector AND k = $k{among}) n JOIN {_records} r ON r.rowid = n.rowid "
            + $"ORDER BY n.distance LIMIT -1 OFFSET {options.Skip}";
        await foreach (var (record, distance) in ReadAsync(from, options.IncludeVectors, parameters, cancellationToken).ConfigureAwait(false))
        {
            var score = _vector.DistanceFunction == DistanceFunction.CosineSimilarity ? 1 - distance : distance;
            if (options.ScoreThreshold is { } threshold && (_vector.DistanceFunction == DistanceFunction.CosineSimilarity ? score < threshold : score > threshold))
                continue;
            yield return new VectorSearchResult<TRecord>(record, score);
        }
    }

    public override object? GetService(Type serviceType, object? serviceKey = null)
        => serviceKey is not null ? null
            : serviceType == typeof(VectorStoreCollectionMetadata) ? new VectorStoreCollectionMetadata { VectorStoreSystemName = "sqlite", CollectionName = Name }
            : serviceType.IsInstanceOfType(this) ? this : null;

    // SELECT of the columns, then the vector where it is wanted, then what `from` adds before its FROM.
    private async IAsyncEnumerable<(TRecord Record, double Distance)> ReadAsync(string from, bool withVectors, (string, object)[] parameters,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var columns = string.Join(", ", _columns.Select(column => $"r.{SqliteValues.Quoted(column.StorageName)}"));
        var vector = withVectors ? $"(SELECT vector FROM {_vectors} WHERE rowid = r.rowid)" : "NULL";
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        using var command = Command(connection, $"SELECT {columns}, {vector}{(from.StartsWith(',') ? "" : " ")}{from}", parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var record = _model.CreateRecord<TRecord>()!;
            for (var i = 0; i < _columns.Length; i++)
                _columns[i].SetValueAsObject(record, SqliteValues.FromSqlite(reader.GetValue(i), _columns[i].Type));
            if (withVectors && reader.GetValue(_columns.Length) is byte[] bytes)
                _vector.SetValueAsObject(record, SqliteValues.VectorAs(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), _vector.Type));
            yield return (record, reader.FieldCount > _columns.Length + 1 ? reader.GetDouble(_columns.Length + 1) : 0);
        }
    }

    private async Task<ReadOnlyMemory<float>[]> VectorsAsync(TRecord[] records, CancellationToken cancellationToken)
    {
        object?[] values = [.. records.Select(record => _vector.GetValueAsObject(record))];
        if (values.All(value => SqliteValues.VectorOf(value) is not null))
            return [.. values.Select(value => SqliteValues.VectorOf(value)!.Value)];
        var embeddings = await _vector.GenerateEmbeddingsAsync(values, cancellationToken).ConfigureAwait(false);
        return [.. embeddings.Select(embedding => ((Embedding<float>)embedding).Vector)];
    }

    private async Task RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        using var command = Command(connection, sql);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<SqliteConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path }.ToString());
        connection.EnableExtensions();
        connection.LoadExtension(_extension);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        return connection;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static (string, object)[] Numbered(IReadOnlyList<object> values) => [.. values.Select((value, i) => ($"$p{i}", value))];
}
