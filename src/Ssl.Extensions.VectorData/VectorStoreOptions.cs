using System.Linq.Expressions;
using Microsoft.Extensions.VectorData;
using Ssl.Estimators;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Extensions.VectorData;

/// <summary>How the records of a collection are described, where they do not say it themselves.</summary>
public abstract class VectorStoreOptions
{
    /// <summary>
    /// The definition that the collection was made with: for dynamic collections, whose records are dictionaries, and for records without attributes.
    /// </summary>
    /// <value>The default value is null: the attributes of the record type.</value>
    public VectorStoreCollectionDefinition? Definition { get; set; }

    /// <summary>Name of the record's property that holds the vector.</summary>
    /// <value>The default value is null: the only one there is.</value>
    [NotEmpty(AllowsNull = true)]
    public string? VectorPropertyName { get; set; }

    internal void Check()
    {
        var faults = new OptionFaults();
        Validate(faults);
        faults.ThrowIfAny();
    }

    private protected virtual void Validate(OptionFaults faults) => OptionRuleAttribute.Check(this, faults);
}

/// <summary>Settings of <c>ToVectorStore</c>. A property of the record takes the column of its name; key and vector may have others.</summary>
public sealed class ToVectorStoreOptions : VectorStoreOptions
{
    /// <summary>Name of the column of keys.</summary>
    /// <value>The default value is null: the name of the record's key.</value>
    [NotEmpty(AllowsNull = true)]
    public string? KeyColumnName { get; set; }

    /// <summary>Name of the column of vectors. A collection that embeds takes a column of texts.</summary>
    /// <value>The default value is null: the name of the record's vector where there is such a column, else "Features".</value>
    [NotEmpty(AllowsNull = true)]
    public string? InputColumnName { get; set; }

    /// <summary>Properties of the record that keep the value of a new record, and need no column.</summary>
    /// <value>The default value is empty.</value>
    public IReadOnlyList<string> OmittedPropertyNames { get; set; } = [];

    /// <summary>Records that are sent together. At least 1.</summary>
    /// <value>The default value is 500.</value>
    [OptionRange(Minimum = 1)]
    public int BatchSize { get; set; } = 500;

    /// <summary>Told after every batch how many rows were written so far; by the thread that writes.</summary>
    /// <value>The default value is null.</value>
    public IProgress<long>? Progress { get; set; }

    private protected override void Validate(OptionFaults faults)
    {
        base.Validate(faults);
        faults.NotNull(OmittedPropertyNames);
    }
}

/// <summary>Settings of <c>FromVectorStore</c>.</summary>
/// <typeparam name="TRecord">The collection's records.</typeparam>
public sealed class FromVectorStoreOptions<TRecord> : VectorStoreOptions where TRecord : class
{
    /// <summary>Which records are read, in the terms that the store translates.</summary>
    /// <value>The default value is null: all.</value>
    public Expression<Func<TRecord, bool>>? Filter { get; set; }

    /// <summary>Whether the vectors are read, too.</summary>
    /// <value>The default value is true.</value>
    public bool IncludeVectors { get; set; } = true;

    /// <summary>Records that are asked for at once, in the order of their keys. At least 1; stores may have limits of their own.</summary>
    /// <value>The default value is 1000.</value>
    [OptionRange(Minimum = 1)]
    public int PageSize { get; set; } = 1000;
}

/// <summary>Settings of the search in a vector store.</summary>
/// <typeparam name="TRecord">The collection's records.</typeparam>
public sealed class VectorStoreSearchOptions<TRecord> : VectorStoreOptions where TRecord : class
{
    /// <summary>Name of the new column of neighbor ids.</summary>
    /// <value>The default value is "Neighbors".</value>
    [NotEmpty]
    public string NeighborsColumnName { get; set; } = NearestNeighborsEstimator.Defaults.NeighborsColumnName;

    /// <summary>Name of the new column of similarities.</summary>
    /// <value>The default value is "Scores".</value>
    [NotEmpty]
    public string ScoresColumnName { get; set; } = NearestNeighborsEstimator.Defaults.ScoresColumnName;

    /// <summary>Name of the column of vectors in the rows to transform.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string InputColumnName { get; set; } = NearestNeighborsEstimator.Defaults.InputColumnName;

    /// <summary>How many neighbors to find for a row. From 1 to 1023.</summary>
    /// <value>The default value is 10.</value>
    [OptionRange(Minimum = 1, Maximum = NearestNeighborsEstimator.MaximumNeighbors)]
    public int NumberOfNeighbors { get; set; } = NearestNeighborsEstimator.Defaults.NumberOfNeighbors;

    /// <summary>Which records are searched, in the terms that the store translates.</summary>
    /// <value>The default value is null: all.</value>
    public Expression<Func<TRecord, bool>>? Filter { get; set; }

    /// <summary>
    /// What the scores of the store are, one of <see cref="Microsoft.Extensions.VectorData.DistanceFunction"/>: cosine distances become cosines, others
    /// are given as they are.
    /// </summary>
    /// <value>The default value is null: what the record's vector says. One of both must say it.</value>
    [NotEmpty(AllowsNull = true)]
    public string? DistanceFunction { get; set; }

    /// <summary>Searches that are under way at once. At least 1.</summary>
    /// <value>The default value is 4.</value>
    [OptionRange(Minimum = 1)]
    public int MaximumConcurrency { get; set; } = 4;

    private protected override void Validate(OptionFaults faults)
    {
        base.Validate(faults);
        faults.Require(NeighborsColumnName != ScoresColumnName, nameof(ScoresColumnName), "must differ from NeighborsColumnName", $"\"{ScoresColumnName}\"");
    }
}
