using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

/// <summary>
/// Remembers the rows it is fitted on and finds, for every row that it transforms, the most similar of them by the cosine of their vectors.
/// </summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Input</term><description>a known-size vector of <see cref="float"/>, such as an embedding.</description></item>
/// <item><term>Neighbors</term><description>a known-size vector of ids, best first: text, or <see cref="long"/> (see
/// <see cref="Options.IdColumnName"/>). Where there are fewer neighbors than asked for, the rest is the empty text or
/// -1.</description></item>
/// <item><term>Scores</term><description>a known-size vector of <see cref="float"/>: cosine similarities from 1 to -1, falling; NaN where
/// there is no neighbor.</description></item>
/// </list>
/// <para>Characteristics: no labels, no training loop; one pass over the data in Fit; GPU optional; saved by <c>mlContext.Model.Save</c>;
/// not exportable to ONNX.</para>
/// <para>The exact search is blocked matrix products against all reference rows, then the largest scores. The approximate one compares a
/// query with the rows of the nearest cells only; Fit writes to the log which share of the true neighbors it finds. Equal scores go by the
/// order of the reference rows. Rows without direction (all zero, NaN or infinite values) are left out in Fit and have no neighbors in
/// Transform.</para>
/// </remarks>
public sealed class NearestNeighborsEstimator : IEstimator<NearestNeighborsTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly Options _options;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    internal NearestNeighborsEstimator(MLContext mlContext, Options options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        _mlContext = mlContext;
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();

        // Drawn once: every Fit of this estimator makes the same cells.
        _seed = HostSeed.Register(mlContext, nameof(NearestNeighborsEstimator), out _host);
        (_gpuDeviceId, _fallbackToCpu) = (mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        _options = (Options)options.Snapshot();
    }

    /// <summary>The most neighbors that can be asked for.</summary>
    internal const int MaximumNeighbors = 1023;

    /// <summary>Settings of <see cref="NearestNeighborsEstimator"/>.</summary>
    public sealed class Options : NeighborSearchOptions
    {
        /// <summary>Name of the new column of neighbor ids.</summary>
        /// <value>The default value is "Neighbors".</value>
        [NotEmpty]
        public string NeighborsColumnName { get; set; } = Defaults.NeighborsColumnName;

        /// <summary>Name of the new column of similarities.</summary>
        /// <value>The default value is "Scores".</value>
        [NotEmpty]
        public string ScoresColumnName { get; set; } = Defaults.ScoresColumnName;

        /// <summary>Name of the column of vectors, in the reference rows and in the rows to transform.</summary>
        /// <value>The default value is "Features".</value>
        [NotEmpty]
        public string InputColumnName { get; set; } = Defaults.InputColumnName;

        /// <summary>
        /// Name of the reference rows' column of ids: text, a key (its value where that is text, else its number) or a whole number. Only
        /// read in Fit.
        /// </summary>
        /// <value>The default value is null: the number of the reference row, from 0.</value>
        [NotEmpty(AllowsNull = true)]
        public string? IdColumnName { get; set; }

        /// <summary>How many neighbors to find for a row. From 1 to 1023.</summary>
        /// <value>The default value is 10.</value>
        [OptionRange(Minimum = 1, Maximum = MaximumNeighbors)]
        public int NumberOfNeighbors { get; set; } = Defaults.NumberOfNeighbors;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Require(NeighborsColumnName != ScoresColumnName, nameof(ScoresColumnName),
                "must differ from NeighborsColumnName", $"\"{ScoresColumnName}\"");
        }
    }

    internal static class Defaults
    {
        public const string NeighborsColumnName = "Neighbors";
        public const string ScoresColumnName = "Scores";
        public const string InputColumnName = "Features";
        public const int NumberOfNeighbors = 10;
    }

    /// <summary>Remembers the vectors and ids of all rows.</summary>
    /// <param name="input">The reference rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, or none of them has a direction.</exception>
    public NearestNeighborsTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var schema = input.Schema;
        CheckInput(ColumnShape.Find(schema, _options.InputColumnName));
        var vectors = schema[_options.InputColumnName];
        var dimension = ((VectorDataViewType)vectors.Type).Size;
        DataViewSchema.Column? ids = _options.IdColumnName is { } name
            ? schema.GetColumnOrNull(name) ?? throw Check.MissingColumn("id", name, schema.Where(c => !c.IsHidden).Select(c => c.Name))
            : null;

        using var channel = _host.Start("Fit");
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => channel.Warning(MessageSensitivity.None, "{0}", text));
        LibraryNotice.Tell(_mlContext);
        using var builder = new VectorIndexBuilder(dimension);
        using var cursor = input.GetRowCursor(ids is { } column ? [vectors, column] : [vectors]);
        var idReader = NeighborIdReader.Create(cursor, ids);
        var (rows, left) = (0L, new LeftOutVectors());
        foreach (var vector in VectorRows.Of(cursor, vectors))
        {
            if (builder.Add(vector))
                idReader.Read();
            else
                left.Add(vectors.Name, rows, vector);
            rows++;
        }

        if (rows == left.Count)
        {
            throw new InvalidOperationException(rows == 0
                ? "There are no reference rows to find neighbors among. Give Fit a data view with at least one row."
                : $"None of the {rows} vectors in column '{_options.InputColumnName}' has a direction: all are zero, NaN or infinite.{left.First}");
        }

        if (left.Count > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1} reference rows are left out: their vectors are zero, NaN or infinite.{2}",
                left.Count, rows, left.First);
        }

        if (rows - left.Count < _options.NumberOfNeighbors)
        {
            channel.Warning(MessageSensitivity.None,
                "NumberOfNeighbors is {0}, but there are only {1} reference rows: the other neighbors will be missing.",
                _options.NumberOfNeighbors, rows - left.Count);
        }

        var settings = new NeighborSettings(_options.InputColumnName, _options.NeighborsColumnName, _options.ScoresColumnName,
            _options.NumberOfNeighbors);
        var index = _options.BuildIndex(builder, device, _options.NumberOfNeighbors, new ShuffleRandom((ulong)_seed),
            text => channel.Info(MessageSensitivity.None, "{0}", text));
        return new NearestNeighborsTransformer(new NearestNeighborIndex(index, idReader.ToIds(), settings));
    }

    /// <summary>All input columns, the neighbors and the scores.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckInput(ColumnShape.Find(inputSchema, _options.InputColumnName));
        PrimitiveDataViewType idType = NumberDataViewType.Int64;
        if (_options.IdColumnName is { } name)
        {
            var column = inputSchema.Any(c => c.Name == name) ? inputSchema.First(c => c.Name == name)
                : throw Check.MissingColumn("id", name, inputSchema.Select(c => c.Name));
            idType = NeighborIdReader.ItemType(column)
                ?? throw Check.SchemaMismatch("id", name, NeighborIdReader.Expected, ColumnShape.Find(inputSchema, name).ToString());
        }

        return SchemaShapes.Append(inputSchema,
            SchemaShapes.Vector(_options.NeighborsColumnName, idType, _options.NumberOfNeighbors),
            SchemaShapes.Vector(_options.ScoresColumnName, NumberDataViewType.Single, _options.NumberOfNeighbors));
    }

    private void CheckInput(ColumnShape shape) => VectorRows.CheckColumn("input", _options.InputColumnName, shape);
}
