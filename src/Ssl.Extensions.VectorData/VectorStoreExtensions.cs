using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Rows;
using Ssl.Extensions.VectorData;

namespace Ssl.MLNet;

/// <summary>Rows with their embeddings into a vector store of Microsoft.Extensions.VectorData, out of it, and the search there as a stage.</summary>
/// <remarks>
/// <para>Any <see cref="VectorStoreCollection{TKey, TRecord}"/> will do: one of records with attributes, or a dynamic one of dictionaries, for which
/// <see cref="VectorStoreDefinition"/> makes the definition from the columns of a view.</para>
/// <para>A store is asked asynchronously, ML.NET reads rows synchronously. <c>ToVectorStore</c> waits for <c>ToVectorStoreAsync</c>: for programs and notebooks;
/// a service awaits the latter, which computes and reads the rows on a thread of the pool. Rows of <c>FromVectorStore</c> and of the search are asked for while they
/// are read: the reader waits, on its own thread, for tasks of the pool, so that no synchronization context can lock it.</para>
/// </remarks>
public static class VectorStoreExtensions
{
    /// <summary>
    /// Writes rows into a collection, which is made where there is none: a record a row, replaced where there is one of its key. Everything that the columns
    /// tell is checked before anything is written.
    /// </summary>
    /// <typeparam name="TKey">The collection's keys.</typeparam>
    /// <typeparam name="TRecord">The collection's records: a class with attributes, or a dictionary.</typeparam>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="data">The rows; read once. Every property of the record takes the column of its name.</param>
    /// <param name="collection">Any collection.</param>
    /// <param name="options">Names of key and vector column, batches, progress; null for the defaults.</param>
    /// <param name="cancellationToken">Ends it between two rows; batches before were written.</param>
    /// <returns>Rows that were written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Columns are missing or of other types, or settings out of range; all of them are named.</exception>
    /// <exception cref="ArgumentException">The record type does not say which property is the key, or which the vector.</exception>
    /// <exception cref="InvalidOperationException">A row's vector is zero, or has NaN or infinite values; the batches before it were written.</exception>
    /// <exception cref="VectorStoreException">The store refuses a batch; those before it were written.</exception>
    public static Task<long> ToVectorStoreAsync<TKey, TRecord>(this SelfSupervisedCatalog catalog, IDataView data,
        VectorStoreCollection<TKey, TRecord> collection, ToVectorStoreOptions? options = null, CancellationToken cancellationToken = default)
        where TKey : notnull where TRecord : class
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(collection);
        var writer = new VectorStoreWriter<TKey, TRecord>(data, collection, options ?? new ToVectorStoreOptions());
        return Task.Run(() => writer.WriteAsync(cancellationToken), cancellationToken);
    }

    /// <inheritdoc cref="ToVectorStoreAsync"/>
    public static long ToVectorStore<TKey, TRecord>(this SelfSupervisedCatalog catalog, IDataView data,
        VectorStoreCollection<TKey, TRecord> collection, ToVectorStoreOptions? options = null, CancellationToken cancellationToken = default)
        where TKey : notnull where TRecord : class
        => catalog.ToVectorStoreAsync(data, collection, options, cancellationToken).GetAwaiter().GetResult();

    /// <summary>
    /// The records of a collection as rows of ML.NET, a column for each property: asked for when they are read, a page at a time, in every pass anew.
    /// </summary>
    /// <remarks>
    /// Texts and Guids are text, vectors known-size vectors of <see cref="float"/>, lists of texts vectors of text; numbers, flags and dates keep their types. A number or
    /// flag that may be null is <see cref="float"/> or <see cref="double"/>, NaN where it is. Records that come or go while rows are read may be missed or met
    /// twice; <c>mlContext.Data.Cache</c> reads them once.
    /// </remarks>
    /// <typeparam name="TKey">The collection's keys.</typeparam>
    /// <typeparam name="TRecord">The collection's records: a class with attributes, or a dictionary.</typeparam>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="collection">Any collection.</param>
    /// <param name="options">A filter, the size of pages; null for the defaults.</param>
    /// <exception cref="ArgumentException">The record type does not say which property is the key, or has one for which there is no column.</exception>
    public static IDataView FromVectorStore<TKey, TRecord>(this SelfSupervisedCatalog catalog, VectorStoreCollection<TKey, TRecord> collection,
        FromVectorStoreOptions<TRecord>? options = null) where TKey : notnull where TRecord : class
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(collection);
        return new RecordView<TKey, TRecord>(collection, options ?? new FromVectorStoreOptions<TRecord>());
    }

    /// <summary>
    /// Finds, for every row, the most similar records of a collection. The columns are those of the search in memory, <c>ssl.NearestNeighbors()</c>: ids are the keys
    /// of the records, <see cref="long"/> where these are whole numbers, else text; scores are cosines where the store compares by them.
    /// </summary>
    /// <remarks>Searched when rows are read, so that a row finds what is there then. Not saved with a model: the connection is the application's.</remarks>
    /// <typeparam name="TKey">The collection's keys.</typeparam>
    /// <typeparam name="TRecord">The collection's records: a class with attributes, or a dictionary.</typeparam>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="collection">Any collection; stays the caller's.</param>
    /// <param name="options">Columns, number of neighbors, filter; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">Settings are outside their stated ranges; all of them are named.</exception>
    /// <exception cref="ArgumentException">The record type does not say which property is the key, which the vector, or how the store compares.</exception>
    public static NeighborLookupEstimator NearestNeighbors<TKey, TRecord>(this SelfSupervisedCatalog catalog, VectorStoreCollection<TKey, TRecord> collection,
        VectorStoreSearchOptions<TRecord>? options = null) where TKey : notnull where TRecord : class
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(collection);
        options ??= new VectorStoreSearchOptions<TRecord>();
        options.Check();
        var model = RecordModel.Of<TRecord>(options);
        var settings = new NeighborSettings(options.InputColumnName, options.NeighborsColumnName, options.ScoresColumnName, options.NumberOfNeighbors);
        return new NeighborLookupEstimator(Type.GetTypeCode(model.Key.Type) is >= TypeCode.SByte and <= TypeCode.UInt64
            ? new VectorStoreLookup<TKey, TRecord, long>(collection, model, settings, options)
            : new VectorStoreLookup<TKey, TRecord, string>(collection, model, settings, options));
    }

    /// <summary>The definition of a dynamic collection for the rows of a view: a key, a vector and a property for each further column.</summary>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="schema">The columns. Text, whole numbers, Single, Double, Boolean, dates and vectors of text have properties; of others only the vector.</param>
    /// <param name="keyColumnName">Name of the column of keys: text or a whole number.</param>
    /// <param name="vectorColumnName">Name of the column of vectors: known-size, of <see cref="float"/>.</param>
    /// <param name="distanceFunction">How the store compares, one of <see cref="DistanceFunction"/>.</param>
    /// <param name="indexedColumnNames">Names of columns by which the store shall filter fast.</param>
    /// <exception cref="ArgumentOutOfRangeException">Columns are missing, or of a type for which there is no property; all of them are named.</exception>
    public static VectorStoreCollectionDefinition VectorStoreDefinition(this SelfSupervisedCatalog catalog, DataViewSchema schema, string keyColumnName,
        string vectorColumnName = NearestNeighborsEstimator.Defaults.InputColumnName, string distanceFunction = DistanceFunction.CosineSimilarity,
        IReadOnlyCollection<string>? indexedColumnNames = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(schema);
        var columns = schema.Where(column => !column.IsHidden).ToArray();
        var faults = new List<ArgumentOutOfRangeException>();
        foreach (var (role, name) in new[] { ("key", keyColumnName), ("input", vectorColumnName) }.Concat((indexedColumnNames ?? []).Select(name => ("indexed", name))))
        {
            if (columns.All(column => column.Name != name))
                faults.Add(Check.MissingColumn(role, name, columns.Select(column => column.Name)));
        }
        var definition = new VectorStoreCollectionDefinition();
        foreach (var column in columns)
        {
            if (column.Name == vectorColumnName)
            {
                if (column.Type is VectorDataViewType { IsKnownSize: true } vector && vector.ItemType == NumberDataViewType.Single)
                    definition.Properties.Add(new VectorStoreVectorProperty(column.Name, typeof(ReadOnlyMemory<float>), vector.Size) { DistanceFunction = distanceFunction });
                else
                    faults.Add(Check.SchemaMismatch("input", column.Name, "Vector<Single>", ColumnShape.Find(schema, column.Name).ToString()));
                continue;
            }
            var type = TypeOf(column);
            if (column.Name == keyColumnName)
            {
                if (type == typeof(string) || type == typeof(int) || type == typeof(long))
                    definition.Properties.Add(new VectorStoreKeyProperty(column.Name, type));
                else
                    faults.Add(Check.SchemaMismatch("key", column.Name, "String or a whole number", column.Type.ToString()!));
            }
            else if (type is null)
            {
                faults.Add(Check.SchemaMismatch("data", column.Name, "text, a number, a flag, a date or texts", column.Type.ToString()!,
                    "Leave it out: mlContext.Transforms.DropColumns."));
            }
            else
            {
                definition.Properties.Add(new VectorStoreDataProperty(column.Name, type) { IsIndexed = indexedColumnNames?.Contains(column.Name) == true });
            }
        }
        return faults.Count == 0 ? definition : throw Check.SchemaFaults(faults);
    }

    // The types that nearly every store has.
    private static Type? TypeOf(DataViewSchema.Column column) => column.Type switch
    {
        TextDataViewType => typeof(string),
        KeyDataViewType when column.HasKeyValues(TextDataViewType.Instance) => typeof(string),
        BooleanDataViewType => typeof(bool),
        DateTimeDataViewType => typeof(DateTime),
        DateTimeOffsetDataViewType => typeof(DateTimeOffset),
        VectorDataViewType { ItemType: TextDataViewType } => typeof(List<string>),
        KeyDataViewType or NumberDataViewType => Type.GetTypeCode(column.Type.RawType) switch
        {
            TypeCode.SByte or TypeCode.Byte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Int32 => typeof(int),
            TypeCode.UInt32 or TypeCode.Int64 => typeof(long),
            // NaN, a missing value, is null there.
            TypeCode.Single => typeof(float?),
            TypeCode.Double => typeof(double?),
            _ => null,
        },
        _ => null,
    };
}
