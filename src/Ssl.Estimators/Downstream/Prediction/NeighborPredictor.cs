using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Predicts from the labels of the nearest reference rows, weighted by exp(similarity / temperature).</summary>
internal sealed class NeighborPredictor : VectorComputation, IDisposable
{
    /// <summary>The kind of archive.</summary>
    public const string ArchiveKind = "neighbor-prediction";

    private const string InputKey = "input_column", NeighborsKey = "number_of_neighbors", TemperatureKey = "temperature";
    private const string TaskKey = "task", LabelsName = "labels";

    private readonly VectorIndex _vectors;
    private readonly float[] _labels;
    private readonly int _k;
    private readonly double _temperature;

    /// <param name="vectors">The reference vectors; the predictor's from now on.</param>
    /// <param name="labels">Their labels: the class from 0, 0 or 1, or the value.</param>
    /// <param name="task">What is predicted.</param>
    /// <param name="inputColumn">The column of query vectors.</param>
    /// <param name="k">Neighbors that vote.</param>
    /// <param name="temperature">Greater than 0.</param>
    public NeighborPredictor(VectorIndex vectors, float[] labels, PredictionTask task, string inputColumn, int k, double temperature)
    {
        (_vectors, _labels, Task, InputColumn, _k, _temperature) = (vectors, labels, task, inputColumn, k, temperature);
        Lifetime = new Lifetime(nameof(NearestNeighborsPredictionTransformer), vectors.Dispose);
    }

    /// <summary>What it predicts.</summary>
    public PredictionTask Task { get; }

    /// <summary>Number of reference rows.</summary>
    public int ReferenceCount => _labels.Length;

    /// <summary>Neighbors that vote on a row.</summary>
    public int NumberOfNeighbors => _k;

    /// <summary>Ends with <see cref="Dispose"/>: enter it to use the vectors.</summary>
    public override Lifetime Lifetime { get; }

    public override string InputColumn { get; }

    public override int Dimension => _vectors.Dimension;

    public override int Width => Task.Width;

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
        => PredictionColumns.CreateGetter(Task, output, row, static numbers => VectorGetter(numbers));

    // NaN where a row has no neighbors.
    protected override void Compute(Span<float> queries, int count, Span<float> results)
    {
        using var use = Lifetime.Enter();
        var (rows, scores) = (new long[count * _k], new float[count * _k]);
        _vectors.Search(queries, count, _k, rows, scores);
        for (var i = 0; i < count; i++)
            Vote(rows.AsSpan(i * _k, _k), scores.AsSpan(i * _k, _k), results.Slice(i * Task.Width, Task.Width));
    }

    /// <summary>Writes vectors, labels and settings.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { [LabelsName] = tensor(_labels) };
        var content = new JsonObject
        {
            [TaskKey] = Task.ToJson(),
            [InputKey] = InputColumn,
            [NeighborsKey] = _k,
            [TemperatureKey] = _temperature,
        };
        _vectors.AddTo(tensors, content);
        ModelArchive.Write(stream, ArchiveKind, content, tensors);
    }

    /// <summary>Reads what <see cref="WriteArchive"/> wrote.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static NeighborPredictor Read(ArchiveManifest manifest, SafeTensorsReader tensors, Device device)
        => VectorArchive.Read(manifest, tensors, ArchiveKind, (content, all) =>
    {
        var vectors = VectorIndex.Read(content, all, device);
        if (all[LabelsName].dtype != ScalarType.Float32)
            throw new FormatException($"The saved neighbors are damaged: their labels are {all[LabelsName].dtype}, expected Float32.");
        var labels = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(all[LabelsName].bytes).ToArray();
        if (labels.Length != vectors.Count)
            throw new FormatException($"The saved neighbors are damaged: {labels.Length} labels for {vectors.Count} rows.");
        var task = PredictionTask.FromJson(content[TaskKey]!.AsObject());
        if (task.Kind == PredictionKind.MulticlassClassification && labels.Any(label => !(label >= 0 && label < task.Width)))
            throw new FormatException($"The saved neighbors are damaged: a label is none of the {task.Width} classes.");
        var k = (int)content[NeighborsKey]!;
        if (k < 1 || k > labels.Length)
            throw new FormatException($"The saved neighbors are damaged: {k} of {labels.Length} vote.");
        return new NeighborPredictor(vectors, labels, task, content.Name(InputKey), k, (double)content[TemperatureKey]!);
    });

    /// <inheritdoc/>
    public void Dispose() => Lifetime.Close();

    private void Vote(ReadOnlySpan<long> rows, ReadOnlySpan<float> scores, Span<float> result)
    {
        if (rows[0] < 0)
        {
            result.Fill(float.NaN);
            return;
        }

        // In double and rounded once: votes that are equal stay equal, in whatever order they are counted.
        Span<double> votes = result.Length <= 256 ? stackalloc double[result.Length] : new double[result.Length];
        var (sum, mean) = (0.0, 0.0);
        for (var i = 0; i < rows.Length && rows[i] >= 0; i++)
        {
            // Against the best one, so that no weight overflows.
            var weight = Math.Exp((scores[i] - scores[0]) / _temperature);
            sum += weight;
            var label = _labels[rows[i]];
            if (Task.Kind == PredictionKind.MulticlassClassification)
                votes[(int)label] += weight;
            else
                mean += weight * label;
        }

        switch (Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                for (var i = 0; i < result.Length; i++)
                    result[i] = (float)(votes[i] / sum);
                break;
            case PredictionKind.BinaryClassification:
                (result[0], result[1]) = ((float)(2 * mean / sum - 1), (float)(mean / sum));
                break;
            default:
                result[0] = (float)(mean / sum);
                break;
        }
    }
}
