using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Remembers labeled rows and predicts the label of others by a vote of the nearest of them: each neighbor counts exp(cosine / T).
/// </summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Features</term><description>a known-size vector of <see cref="float"/>, such as an embedding.</description></item>
/// <item><term>Label</term><description>a key of <see cref="uint"/> (several classes), <see cref="bool"/> (two), or <see cref="float"/> (a
/// number); read in Fit only. Rows without one are left out.</description></item>
/// <item><term>Output</term><description>as <see cref="NearestNeighborsPredictionTransformer"/> says: the columns of ML.NET's own
/// trainers.</description></item>
/// </list>
/// <para>Characteristics: needs labels; no training loop; one pass over the data in Fit; GPU optional; saved by
/// <c>mlContext.Model.Save</c>.</para>
/// <para>Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", 2018 (arXiv:1805.01978): weights
/// exp(cosine / T) over the k nearest rows, as the common way to judge an embedding without training anything on it.</para>
/// </remarks>
public sealed class NearestNeighborsPredictionEstimator : IEstimator<NearestNeighborsPredictionTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly PredictionKind _kind;
    private readonly Options _options;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    internal NearestNeighborsPredictionEstimator(MLContext mlContext, PredictionKind kind, Options options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        _mlContext = mlContext;
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        // Drawn once: every Fit of this estimator makes the same cells.
        _seed = HostSeed.Register(mlContext, nameof(NearestNeighborsPredictionEstimator), out _host);
        (_gpuDeviceId, _fallbackToCpu) = (mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        (_kind, _options) = (kind, (Options)options.Snapshot());
    }

    /// <summary>Settings of <see cref="NearestNeighborsPredictionEstimator"/>.</summary>
    public sealed class Options : NeighborSearchOptions
    {
        /// <summary>Name of the column to predict.</summary>
        /// <value>The default value is "Label".</value>
        [NotEmpty]
        public string LabelColumnName { get; set; } = Defaults.LabelColumnName;

        /// <summary>Name of the column of vectors, in the reference rows and in the rows to predict.</summary>
        /// <value>The default value is "Features".</value>
        [NotEmpty]
        public string FeatureColumnName { get; set; } = Defaults.FeatureColumnName;

        /// <summary>How many neighbors vote on a row. At least 1.</summary>
        /// <value>The default value is 20.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfNeighbors { get; set; } = Defaults.NumberOfNeighbors;

        /// <summary>
        /// Divides the cosine similarities: the smaller, the more the nearest ones count; with a large one all neighbors count the same.
        /// Greater than 0.
        /// </summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public double Temperature { get; set; } = Defaults.Temperature;
    }

    internal static class Defaults
    {
        public const string LabelColumnName = "Label";
        public const string FeatureColumnName = "Features";
        public const int NumberOfNeighbors = 20;
        public const double Temperature = 0.1;
    }

    /// <summary>Remembers the vectors and labels of all rows that have both.</summary>
    /// <param name="input">The reference rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">No row has a vector and a label, or all labels are the same.</exception>
    public NearestNeighborsPredictionTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckColumns(ColumnShape.Find(input.Schema, _options.LabelColumnName, "label"),
            ColumnShape.Find(input.Schema, _options.FeatureColumnName, "feature"));
        var (label, features) = (input.Schema[_options.LabelColumnName], input.Schema[_options.FeatureColumnName]);

        using var channel = _host.Start("Fit");
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => channel.Warning(MessageSensitivity.None, "{0}", text));
        LibraryNotice.Tell(_mlContext);
        using var builder = new VectorIndexBuilder(((VectorDataViewType)features.Type).Size);
        var labels = new List<double>();
        var (rows, vectors) = (0, new LeftOutVectors());
        using (var cursor = input.GetRowCursor([label, features]))
        {
            var getLabel = LabelValues.Getter(_kind, cursor, label);
            foreach (var vector in VectorRows.Of(cursor, features))
            {
                var value = getLabel();
                if (!double.IsNaN(value))
                {
                    if (builder.Add(vector))
                        labels.Add(value);
                    else
                        vectors.Add(features.Name, rows, vector);
                }
                rows++;
            }
        }

        if (labels.Count == 0)
        {
            throw new InvalidOperationException("Training set has 0 instances, aborting training. " + (rows == 0 ? "There are no rows."
                : $"All {rows} rows lack a label (a key without value, or NaN) or a vector with a direction.{vectors.First}"));
        }

        if (rows > labels.Count)
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1} rows are left out: they lack a label (a key without value, or NaN) or a "
                + "vector with a direction (not zero, NaN or infinite).{2}", rows - labels.Count, rows, vectors.First);
        }

        if (labels.Count < _options.NumberOfNeighbors)
        {
            channel.Warning(MessageSensitivity.None, "NumberOfNeighbors is {0}, but there are only {1} reference rows: all of them vote.",
                _options.NumberOfNeighbors, labels.Count);
        }

        var task = LabelValues.CreateTask(_kind, label, labels);
        if (_kind == PredictionKind.Regression)
            PredictionTask.OfValues(labels, label.Name);            // refuses what a prediction cannot hold
        var k = Math.Min(_options.NumberOfNeighbors, labels.Count);
        var index = _options.BuildIndex(builder, device, k, new ShuffleRandom((ulong)_seed),
            text => channel.Info(MessageSensitivity.None, "{0}", text));
        return new NearestNeighborsPredictionTransformer(
            new NeighborPredictor(index, [.. labels.Select(label => (float)label)], task, _options.FeatureColumnName, k, _options.Temperature));
    }

    /// <summary>All input columns and those of the prediction.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckColumns(ColumnShape.Find(inputSchema, _options.LabelColumnName, "label"),
            ColumnShape.Find(inputSchema, _options.FeatureColumnName, "feature"));
        return PredictionColumns.Append(inputSchema, _kind, _options.LabelColumnName);
    }

    private void CheckColumns(ColumnShape label, ColumnShape features)
    {
        LabelValues.CheckColumn(_kind, _options.LabelColumnName, label);
        VectorRows.CheckColumn("feature", _options.FeatureColumnName, features);
    }
}
