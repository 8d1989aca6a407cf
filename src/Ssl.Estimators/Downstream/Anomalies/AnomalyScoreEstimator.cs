using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Learns what ordinary rows look like and scores how strange others are. No labels.</summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Features</term><description>a known-size vector of <see cref="float"/>, such as an embedding; for
/// <see cref="AnomalyMethod.ReconstructionError"/> the columns of the encoder that made it.</description></item>
/// <item><term>PredictedLabel</term><description><see cref="bool"/>: whether the score is above the threshold; false where there is no
/// score.</description></item>
/// <item><term>Score</term><description><see cref="float"/>: the larger, the stranger. NaN where the vector has NaN or infinite values or, by
/// cosine, is zero.</description></item>
/// </list>
/// <para>Characteristics: no labels, no training loop; GPU optional; saved by <c>mlContext.Model.Save</c>; the output is what
/// <c>mlContext.AnomalyDetection.Evaluate</c> takes. Fit it on rows that are mostly ordinary. The threshold is the score that
/// <see cref="Options.ContaminationFraction"/> of the rows exceed that it is fitted on; a row does not count as its own neighbor.</para>
/// </remarks>
public sealed class AnomalyScoreEstimator : IEstimator<AnomalyScoreTransformer>
{
    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly Options _options;
    private readonly int? _gpuDeviceId;
    private readonly bool _fallbackToCpu;

    internal AnomalyScoreEstimator(MLContext mlContext, Options options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        _mlContext = mlContext;
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        if (options.Encoder is { } encoder)
            encoder.Model.Lifetime.ThrowIfClosed();
        _mlContext = mlContext;
        _host = ((IHostEnvironment)mlContext).Register(nameof(AnomalyScoreEstimator));
        (_gpuDeviceId, _fallbackToCpu) = (mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        _options = options.Snapshot();
    }

    /// <summary>Settings of <see cref="AnomalyScoreEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>What makes a row an anomaly.</summary>
        /// <value>The default value is <see cref="AnomalyMethod.Mahalanobis"/>: on public tables it found most anomalies, with and without some among
        /// the rows that it was fitted on.</value>
        public AnomalyMethod Method { get; set; } = Defaults.Method;

        /// <summary>Name of the column of vectors. With <see cref="AnomalyMethod.ReconstructionError"/> it names the encoder, unless
        /// <see cref="Encoder"/> is given.</summary>
        /// <value>The default value is "Features".</value>
        [NotEmpty]
        public string FeatureColumnName { get; set; } = Defaults.FeatureColumnName;

        /// <summary>
        /// The encoder whose reconstruction error is the score; shared, not copied. Null finds the one that made
        /// <see cref="FeatureColumnName"/>. Not read by the other methods.
        /// </summary>
        /// <value>The default value is null.</value>
        public EncoderTransformer? Encoder { get; set; }

        /// <summary>Neighbors over which the distance is averaged. At least 1. Only <see cref="AnomalyMethod.NeighborDistance"/> has them: with another
        /// method it must be left as it is.</summary>
        /// <value>The default value is 5.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfNeighbors { get; set; } = Defaults.NumberOfNeighbors;

        /// <summary>Share of the rows given to Fit that counts as anomalies: where the threshold lies. From 0 to less than 0.5.</summary>
        /// <value>The default value is 0.05.</value>
        [OptionRange(Minimum = 0, Below = 0.5)]
        public double ContaminationFraction { get; set; } = Defaults.ContaminationFraction;

        internal void Validate(OptionFaults faults)
        {
            OptionRuleAttribute.Check(this, faults);
            faults.Defined(Method);
            faults.Require(Method == AnomalyMethod.NeighborDistance || NumberOfNeighbors is Defaults.NumberOfNeighbors or < 1, nameof(NumberOfNeighbors),
                $"must be left at {Defaults.NumberOfNeighbors} where Method is not NeighborDistance", NumberOfNeighbors);
        }

        internal Options Snapshot() => (Options)MemberwiseClone();
    }

    internal static class Defaults
    {
        public const AnomalyMethod Method = AnomalyMethod.Mahalanobis;
        public const string FeatureColumnName = "Features";
        public const int NumberOfNeighbors = 5;
        public const double ContaminationFraction = 0.05;
    }

    /// <summary>Learns from all rows.</summary>
    /// <param name="input">Rows that are mostly ordinary.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, has another type, or carries no encoder.</exception>
    /// <exception cref="InvalidOperationException">There are no usable rows, they are all the same, or the encoder rebuilds
    /// nothing.</exception>
    public AnomalyScoreTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var channel = _host.Start("Fit");
        var (model, scores) = _options.Method == AnomalyMethod.ReconstructionError ? FitReconstruction(input) : FitVectors(input, channel);
        Array.Sort(scores);
        var anomalies = (int)Math.Round(_options.ContaminationFraction * scores.Length);
        model.Threshold = scores[^(anomalies + 1)];
        channel.Info(MessageSensitivity.None, "Anomaly threshold {0} from {1} rows, {2} of them above it.", model.Threshold, scores.Length,
            scores.Count(score => score > model.Threshold));
        return new AnomalyScoreTransformer(_mlContext, model);
    }

    /// <summary>All input columns, the predicted label and the score.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, has another type, or carries no encoder.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (_options is { Method: AnomalyMethod.ReconstructionError, Encoder: { } encoder })
        {
            encoder.Model.Format.CheckColumns(inputSchema);
        }
        else
        {
            var shape = ColumnShape.Find(inputSchema, _options.FeatureColumnName, "feature");
            VectorRows.CheckColumn("feature", _options.FeatureColumnName, shape);
            if (_options.Method == AnomalyMethod.ReconstructionError
                && !EncoderAnnotation.IsAnnounced(inputSchema.First(c => c.Name == _options.FeatureColumnName)))
            {
                throw NoEncoder();
            }
        }

        return SchemaShapes.AppendAnomaly(inputSchema, AnomalyColumns.PredictedLabel, AnomalyColumns.Score);
    }

    private (AnomalyModel Model, float[] Scores) FitVectors(IDataView input, IChannel channel)
    {
        VectorRows.CheckColumn("feature", _options.FeatureColumnName,
            ColumnShape.Find(input.Schema, _options.FeatureColumnName, "feature"));
        var features = input.Schema[_options.FeatureColumnName];
        var dimension = ((VectorDataViewType)features.Type).Size;
        using var cursor = input.GetRowCursor([features]);
        using var builder = new VectorIndexBuilder(dimension);
        var values = new List<float>();
        var (rows, left) = (0L, new LeftOutVectors());
        var byDirection = _options.Method == AnomalyMethod.NeighborDistance;
        foreach (var vector in VectorRows.Of(cursor, features))
        {
            if (byDirection ? builder.Add(vector) : Array.TrueForAll(vector, float.IsFinite))
            {
                if (!byDirection)
                    values.AddRange(vector);
            }
            else
            {
                left.Add(features.Name, rows, vector);
            }
            rows++;
        }

        var what = byDirection ? "zero, NaN or infinite" : "NaN or infinite";
        if (rows - left.Count < 2)
        {
            throw new InvalidOperationException($"There are {rows - left.Count} usable rows, at least 2 are needed to say what is ordinary"
                + (left.Count > 0 ? $": {left.Count} of {rows} vectors in column '{features.Name}' are {what}.{left.First}" : "."));
        }

        if (left.Count > 0)
            channel.Warning(MessageSensitivity.None, "{0} of {1} rows are left out: their vectors are {2}.{3}", left.Count, rows, what, left.First);
        return byDirection ? FitNeighbors(builder, channel) : FitMahalanobis(values, dimension);
    }

    private (AnomalyModel, float[]) FitNeighbors(VectorIndexBuilder builder, IChannel channel)
    {
        var device = TorchDevice.Choose(_gpuDeviceId, _fallbackToCpu, text => channel.Warning(MessageSensitivity.None, "{0}", text));
        LibraryNotice.Tell(_mlContext);
        var index = builder.Build(device);
        if (index.Count - 1 < _options.NumberOfNeighbors)
        {
            channel.Warning(MessageSensitivity.None, "NumberOfNeighbors is {0}, but a row has only {1} others: the distance is over those.",
                _options.NumberOfNeighbors, index.Count - 1);
        }

        var k = Math.Min(_options.NumberOfNeighbors, index.Count - 1);
        var model = new NeighborDistanceModel(index, k, _options.FeatureColumnName);
        return (model, model.ReferenceScores(index));
    }

    private (AnomalyModel, float[]) FitMahalanobis(List<float> values, int dimension)
    {
        using var noGrad = no_grad();
        var vectors = CollectionsMarshal.AsSpan(values);
        var model = MahalanobisModel.Fit(vectors, dimension, _options.FeatureColumnName);
        var scores = new float[values.Count / dimension];
        for (var start = 0; start < scores.Length; start += NearestNeighborsTransformer.BatchSize)
        {
            var count = Math.Min(NearestNeighborsTransformer.BatchSize, scores.Length - start);
            model.Score(vectors.Slice(start * dimension, count * dimension), count, scores.AsSpan(start, count));
        }
        return (model, scores);
    }

    private (AnomalyModel, float[]) FitReconstruction(IDataView input)
    {
        var encoder = FindEncoder(input.Schema);
        encoder.Lifetime.ThrowIfClosed();
        if (!encoder.Reconstructs)
        {
            throw new InvalidOperationException($"The encoder of modality '{encoder.Modality}' does not rebuild its rows: it has no "
                + "reconstruction error. Use AnomalyMethod.NeighborDistance or Mahalanobis, or an encoder of a method that rebuilds rows.");
        }

        var model = new ReconstructionModel(encoder.WithColumns(encoder.InputColumns, encoder.OutputColumn));
        try
        {
            model.CheckInput(input.Schema);
            var scored = model.CreateView(input, AnomalyColumns.Append(input.Schema), EncoderTransformer.BatchSize,
                ScoringSettings.Of(_mlContext));
            float[] scores = [.. scored.GetColumn<float>(scored.Schema[AnomalyColumns.Score]).Where(float.IsFinite)];
            return scores.Length > 0 ? (model, scores) : throw new InvalidOperationException(
                "There are no rows with a reconstruction error. Give Fit a data view with at least one row.");
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private EncoderModel FindEncoder(DataViewSchema schema)
    {
        if (_options.Encoder is { } encoder)
            return encoder.Model;
        ColumnShape.Find(schema, _options.FeatureColumnName, "feature");
        return EncoderAnnotation.Find(schema[_options.FeatureColumnName]) ?? throw NoEncoder();
    }

    private ArgumentOutOfRangeException NoEncoder() => new(Check.InputSchema,
        $"Feature column '{_options.FeatureColumnName}' carries no encoder that could rebuild rows. It must come straight from a pretraining or "
        + "Embed stage earlier in the chain, or give the encoder itself.");
}
