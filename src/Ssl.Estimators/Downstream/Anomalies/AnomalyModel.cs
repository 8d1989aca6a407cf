using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>A fitted detector: everything that is saved, and how it reads rows. Any number of threads may score at once.</summary>
internal abstract class AnomalyModel : IDisposable
{
    protected AnomalyModel() => Lifetime = new Lifetime(nameof(AnomalyScoreTransformer), Free);

    /// <summary>Kind of the archive.</summary>
    public const string ArchiveKind = "anomaly-score";

    private const string MethodKey = "method", ThresholdKey = "threshold";

    /// <summary>What makes a row an anomaly.</summary>
    public abstract AnomalyMethod Method { get; }

    /// <summary>Rows with a larger score are anomalies.</summary>
    public float Threshold { get; set; } = float.PositiveInfinity;

    /// <summary>The columns that are read.</summary>
    public abstract IReadOnlyList<string> InputColumns { get; }

    /// <summary>Ends with <see cref="Dispose"/>: enter it to use what was learned.</summary>
    public Lifetime Lifetime { get; }

    /// <summary>Throws unless the input columns have the types that they must have.</summary>
    public abstract void CheckInput(DataViewSchema schema);

    /// <summary>The data with both output columns.</summary>
    public abstract IDataView CreateView(IDataView input, DataViewSchema schema, int batchSize, ScoringSettings settings);

    /// <summary>Row by row.</summary>
    public abstract IRowToRowMapper CreateMapper(DataViewSchema inputSchema, DataViewSchema outputSchema, ScoringSettings settings);

    /// <summary>Brings the model to a device.</summary>
    public abstract void MoveTo(Device device);

    /// <inheritdoc/>
    public void Dispose() => Lifetime.Close();

    /// <summary>Lets go what was learned; called once, when nobody uses it any more.</summary>
    protected abstract void Free();

    /// <summary>Writes everything; <see cref="Read"/> reads it back.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        // As bits: JSON has no infinity.
        var content = new JsonObject { [MethodKey] = Method.ToString(), [ThresholdKey] = BitConverter.SingleToInt32Bits(Threshold) };
        Describe(content, tensors);
        ModelArchive.Write(stream, ArchiveKind, content, tensors);
    }

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the model is on the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static AnomalyModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
        => VectorArchive.Read(manifest, tensors, ArchiveKind, (content, all) =>
    {
        AnomalyModel model = Enum.Parse<AnomalyMethod>(content.Text(MethodKey)) switch
        {
            AnomalyMethod.NeighborDistance => NeighborDistanceModel.Create(content, all),
            AnomalyMethod.Mahalanobis => MahalanobisModel.Create(content, all),
            _ => ReconstructionModel.Create(content, all),
        };
        model.Threshold = BitConverter.Int32BitsToSingle((int)content[ThresholdKey]!);
        return model;
    });

    /// <summary>Adds what is particular to the method.</summary>
    protected abstract void Describe(JsonObject content, Dictionary<string, Tensor> tensors);

    /// <summary>A getter of an output column over the score of a row.</summary>
    protected Delegate CreateGetter(int output, Func<float> score) => output == 0
        ? (ValueGetter<bool>)((ref bool value) => value = score() > Threshold)
        : (ValueGetter<float>)((ref float value) => value = score());
}

/// <summary>The output columns of ML.NET's detectors of anomalies.</summary>
internal static class AnomalyColumns
{
    public const string PredictedLabel = "PredictedLabel", Score = "Score";

    private const string ScoreColumnKind = "ScoreColumnKind", ScoreColumnSetId = "ScoreColumnSetId", ScoreValueKind = "ScoreValueKind";

    /// <summary>The input's columns and both.</summary>
    public static DataViewSchema Append(DataViewSchema input)
    {
        var setId = Transformers.PredictionColumns.NextSetId(input);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        schema.AddColumn(PredictedLabel, BooleanDataViewType.Instance, Annotations(PredictedLabel, setId));
        schema.AddColumn(Score, NumberDataViewType.Single, Annotations(Score, setId));
        return schema.ToSchema();
    }

    private static DataViewSchema.Annotations Annotations(string name, uint setId)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(ScoreColumnKind, TextDataViewType.Instance, "AnomalyDetection".AsMemory());
        annotations.AddPrimitiveValue(ScoreValueKind, TextDataViewType.Instance, name.AsMemory());
        annotations.AddPrimitiveValue(ScoreColumnSetId, new KeyDataViewType(typeof(uint), int.MaxValue), setId);
        return annotations.ToAnnotations();
    }
}
