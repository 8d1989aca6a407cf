using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;

namespace Ssl.Extensions.VectorData;

/// <summary>Writes rows into a collection.</summary>
internal sealed class VectorStoreWriter<TKey, TRecord> where TKey : notnull where TRecord : class
{
    private readonly IDataView _data;
    private readonly VectorStoreCollection<TKey, TRecord> _collection;
    private readonly ToVectorStoreOptions _options;
    private readonly Func<TRecord> _create;
    private readonly List<(RecordProperty Property, DataViewSchema.Column Column)> _columns = [];

    /// <summary>Checks everything that can be checked before a row is read.</summary>
    /// <exception cref="ArgumentException">The record type does not say what is needed of it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Columns are missing or of other types; all of them are named.</exception>
    public VectorStoreWriter(IDataView data, VectorStoreCollection<TKey, TRecord> collection, ToVectorStoreOptions options)
    {
        options.Check();
        (_data, _collection, _options) = (data, collection, options);
        var model = RecordModel.Of<TRecord>(options);
        _create = Creator();
        var unknown = options.OmittedPropertyNames.Except(model.Properties.Select(property => property.Name)).ToArray();
        if (unknown.Length > 0)
            throw new ArgumentException($"The records have no property '{unknown[0]}' that could be omitted.", nameof(options));
        if (options.OmittedPropertyNames.Contains(model.Key.Name))
            throw new ArgumentException($"'{model.Key.Name}' is the key, which cannot be omitted.", nameof(options));

        var schema = data.Schema;
        var faults = new List<ArgumentOutOfRangeException>();
        foreach (var property in model.Properties.Where(property => !options.OmittedPropertyNames.Contains(property.Name)))
        {
            var (role, name) = property == model.Key ? ("key", options.KeyColumnName ?? property.Name)
                : property == model.Vector ? ("input", options.InputColumnName ?? (schema.GetColumnOrNull(property.Name) is null
                    && property.HoldsNumbers ? NearestNeighborsEstimator.Defaults.InputColumnName : property.Name))
                : ("data", property.Name);
            if (schema.GetColumnOrNull(name) is not { } column)
                faults.Add(Check.MissingColumn(role, name, schema.Where(c => !c.IsHidden).Select(c => c.Name)));
            else if (!ColumnValues.Fits(column, property))
                faults.Add(Check.SchemaMismatch(role, name, ColumnValues.Expected(property), column.Type.ToString()!));
            else
                _columns.Add((property, column));
        }
        if (faults.Count > 0)
            throw Check.SchemaFaults(faults);
    }

    /// <summary>Writes all rows.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="InvalidOperationException">A row's vector has no direction; the batches before it were written.</exception>
    public async Task<long> WriteAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _collection.EnsureCollectionExistsAsync(cancellationToken).ConfigureAwait(false);
        using var cursor = _data.GetRowCursor(_columns.Select(pair => pair.Column).DistinctBy(column => column.Index));
        var readers = _columns.Select(pair => (pair.Property, pair.Column, Read: ColumnValues.Open(cursor, pair.Column, pair.Property))).ToArray();
        var (batch, rows) = (new List<TRecord>(), 0L);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = _create();
            foreach (var (property, column, read) in readers)
            {
                var value = read();
                if (property.HoldsNumbers)
                    CheckDirection(VectorTypes.Unbox(value)!.Value.Span, column.Name, rows + batch.Count);
                property.Set(record, value);
            }
            batch.Add(record);
            if (batch.Count == _options.BatchSize)
                await FlushAsync().ConfigureAwait(false);
        }
        if (batch.Count > 0)
            await FlushAsync().ConfigureAwait(false);
        return rows;

        async Task FlushAsync()
        {
            await _collection.UpsertAsync(batch, cancellationToken).ConfigureAwait(false);
            rows += batch.Count;
            batch = [];
            _options.Progress?.Report(rows);
        }
    }

    private static void CheckDirection(ReadOnlySpan<float> vector, string column, long row)
    {
        if (vector.IndexOfAnyExcept(0f) >= 0 && !vector.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            return;
        var left = new LeftOutVectors();
        left.Add(column, row, vector);
        throw new InvalidOperationException($"A vector has no direction.{left.First} Leave such rows out, such as with mlContext.Data.FilterByCustomPredicate.");
    }

    private static Func<TRecord> Creator()
    {
        if (typeof(TRecord).GetConstructor(Type.EmptyTypes) is null)
            throw new ArgumentException($"{typeof(TRecord).Name} has no public constructor without parameters, by which records are made.");
        return Activator.CreateInstance<TRecord>;
    }
}
