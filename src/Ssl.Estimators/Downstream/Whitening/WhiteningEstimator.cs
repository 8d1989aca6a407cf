using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

/// <summary>
/// Whitens vectors: of mean 0, and no number of them tells of another. Cosines of embeddings that crowd around one direction, as those of
/// masked language models do, then compare what they differ in (Su et al., "Whitening Sentence Representations", 2021, arXiv:2103.15316).
/// </summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Input</term><description>a known-size vector of <see cref="float"/>, such as an embedding.</description></item>
/// <item><term>Output</term><description>a known-size vector of <see cref="float"/>: (x - mean) W.</description></item>
/// </list>
/// <para>Characteristics: no labels, no training loop; two passes over the data in Fit; on the CPU, in double precision; saved by
/// <c>mlContext.Model.Save</c>; not exportable to ONNX. Memory is that of a matrix, however many rows there are.</para>
/// <para>W is a square root of the inverse of the covariance (divided by N), which is first drawn towards a sphere by
/// <see cref="Options.Shrinkage"/>: few rows say little of a direction, and of directions without any row in them nothing. Where there is
/// no shrinkage, directions without scatter (an eigenvalue of at most 1e-12 of the largest) become 0. Rows with NaN or infinite numbers
/// are left out in Fit, and stay NaN in Transform.</para>
/// </remarks>
public sealed class WhiteningEstimator : IEstimator<WhiteningTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly Options _options;

    internal WhiteningEstimator(MLContext mlContext, Options options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        (_mlContext, _options) = (mlContext, options.Snapshot());
        _host = ((IHostEnvironment)mlContext).Register(nameof(WhiteningEstimator));
    }

    /// <summary>Settings of <see cref="WhiteningEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>Name of the new column.</summary>
        /// <value>The default value is "Features".</value>
        [NotEmpty]
        public string OutputColumnName { get; set; } = ColumnNames.Features;

        /// <summary>Name of the column of vectors; null takes <see cref="OutputColumnName"/>, which is then replaced.</summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? InputColumnName { get; set; }

        /// <summary>Which of the whitening matrices.</summary>
        /// <value>The default value is <see cref="WhiteningKind.ZeroPhaseComponentAnalysis"/>.</value>
        public WhiteningKind Kind { get; set; }

        /// <summary>
        /// Numbers of a whitened vector: those of the largest variance. At least 1 and at most the length of a vector; null keeps all. Only
        /// for <see cref="WhiteningKind.PrincipalComponentAnalysis"/>.
        /// </summary>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 1)]
        public int? NumberOfComponents { get; set; }

        /// <summary>
        /// How far the covariance is drawn towards a sphere of the same total variance, from 0 to 1; null takes as much as its own error
        /// asks for (Ledoit and Wolf, 2004).
        /// </summary>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 0, Maximum = 1)]
        public double? Shrinkage { get; set; }

        internal void Validate(OptionFaults faults)
        {
            OptionRuleAttribute.Check(this, faults);
            faults.Require(NumberOfComponents is null || Kind == WhiteningKind.PrincipalComponentAnalysis, nameof(NumberOfComponents),
                "must be null unless Kind is PrincipalComponentAnalysis: zero-phase components are as many as the vector has numbers",
                NumberOfComponents);
        }

        internal Options Snapshot() => (Options)MemberwiseClone();

        internal string Input => InputColumnName ?? OutputColumnName;
    }

    /// <summary>Learns mean and covariance of all rows.</summary>
    /// <param name="input">The rows; read twice.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The column is missing or has another type, or its vectors are shorter than <see cref="Options.NumberOfComponents"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or they are all the same.</exception>
    public WhiteningTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        VectorRows.CheckColumn("input", _options.Input, ColumnShape.Find(input.Schema, _options.Input));
        var column = input.Schema[_options.Input];
        var dimension = ((VectorDataViewType)column.Type).Size;
        RequireComponents(dimension);
        using var channel = _host.Start("Fit");
        LibraryNotice.Tell(_mlContext);

        var (rows, usable, left) = (0L, 0L, new LeftOutVectors());
        var mean = new double[dimension];
        foreach (var vector in Vectors())
        {
            rows++;
            if (!Array.TrueForAll(vector, float.IsFinite))
            {
                left.Add(column.Name, rows - 1, vector);
                continue;
            }
            usable++;
            for (var i = 0; i < dimension; i++)
                mean[i] += (vector[i] - mean[i]) / usable;
        }
        if (usable < 2)
        {
            throw new InvalidOperationException($"There are {usable} usable rows, at least 2 are needed to whiten"
                + (rows > usable ? $": {rows - usable} of {rows} vectors in column '{column.Name}' are NaN or infinite.{left.First}" : "."));
        }
        if (rows > usable)
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1} rows are left out: their vectors are NaN or infinite.{2}", rows - usable,
                rows, left.First);
        }

        using var scatter = new Scatter(mean);
        foreach (var vector in Vectors())
        {
            if (Array.TrueForAll(vector, float.IsFinite))
                scatter.Add(vector);
        }
        var (sample, fourth) = scatter.ToCovariance();
        using (sample)
        {
            if (fourth == 0)
            {
                throw new InvalidOperationException($"All {usable} vectors in column '{column.Name}' are the same: there is no scatter to "
                    + "whiten. Give Fit more rows.");
            }
            var shrinkage = _options.Shrinkage ?? ShrunkCovariance.Share(sample, fourth, usable);
            using var covariance = ShrunkCovariance.Mix(sample, shrinkage);
            channel.Info(MessageSensitivity.None, "Whitening from {0} rows, shrinkage {1:0.0000}.", usable, shrinkage);
            return new WhiteningTransformer(WhiteningModel.Fit(mean, covariance, shrinkage, _options.Kind,
                _options.NumberOfComponents ?? dimension, (_options.Input, _options.OutputColumnName)));
        }

        IEnumerable<float[]> Vectors()
        {
            using var cursor = input.GetRowCursor([column]);
            foreach (var vector in VectorRows.Of(cursor, column))
                yield return vector;
        }
    }

    /// <summary>All input columns and the whitened vectors.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        VectorRows.CheckColumn("input", _options.Input, ColumnShape.Find(inputSchema, _options.Input));
        // A shape knows no lengths.
        return SchemaShapes.Append(inputSchema, SchemaShapes.Vector(_options.OutputColumnName, NumberDataViewType.Single, 1));
    }

    private void RequireComponents(int dimension)
    {
        if (_options.NumberOfComponents > dimension)
        {
            throw new ArgumentOutOfRangeException(nameof(Options.NumberOfComponents),
                $"NumberOfComponents must be at most {dimension}, the length of the vectors in column '{_options.Input}', "
                + $"got {_options.NumberOfComponents}.");
        }
    }
}
