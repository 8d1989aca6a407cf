using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Ssl.Estimators.Tasks;

/// <summary>A linear model of slots behind each other, how sharp its probabilities are, and how much it counts.</summary>
/// <param name="Weights">Row after row for each slot, then the biases: (slots + 1) x outputs.</param>
/// <param name="FirstSlot">The first of them.</param>
/// <param name="Temperature">Divides its log-odds; 1 for values.</param>
/// <param name="Share">Of the prediction, from 0 to 1.</param>
internal sealed record LinearPart(float[] Weights, int FirstSlot, double Temperature, double Share);

/// <summary>Trees over slots of the column, how sharp their probabilities are, and how much they count.</summary>
/// <param name="Trees">The trees.</param>
/// <param name="FirstSlot">The first slot that they read.</param>
/// <param name="Temperature">Divides their log-odds; 1 for values.</param>
/// <param name="Share">Of the prediction, from 0 to 1.</param>
internal sealed record TreePart(TreeEnsemble Trees, int FirstSlot, double Temperature, double Share);

/// <summary>
/// The weighted mean of linear models, trees and the share of each class among the labeled rows, computed from one column of vectors. Plain
/// numbers: any number of threads may predict at once, and there is nothing to dispose of.
/// </summary>
internal sealed class FewLabelsModel : VectorComputation
{
    /// <summary>The kind of archive.</summary>
    public const string ArchiveKind = "few-labels";

    private const string InputKey = "input_column", DimensionKey = "dimension", TaskKey = "task", PartsKey = "parts", FirstKey = "first_slot", TreesKey = "trees";
    private const string TemperatureKey = "temperature", ShareKey = "share", BaseShareKey = "base_share", CandidatesKey = "candidates";
    private const string BaseName = "base", LinearName = "linear.";

    private readonly LinearPart[] _linear;
    private readonly TreePart? _trees;
    private readonly float[] _base;
    private readonly double _baseShare;

    /// <param name="task">What is predicted.</param>
    /// <param name="inputColumn">The column of vectors.</param>
    /// <param name="dimension">Their length.</param>
    /// <param name="linear">Linear models.</param>
    /// <param name="trees">Trees, or null.</param>
    /// <param name="baseline">What holds for every row: the probabilities of the classes, or the mean.</param>
    /// <param name="baseShare">How much that counts.</param>
    /// <param name="candidates">What was tried.</param>
    public FewLabelsModel(PredictionTask task, string inputColumn, int dimension, IEnumerable<LinearPart> linear, TreePart? trees,
        float[] baseline, double baseShare, IReadOnlyList<FewLabelsCandidate> candidates)
    {
        (Task, InputColumn, Dimension, _trees, _base, _baseShare) = (task, inputColumn, dimension, trees, baseline, baseShare);
        _linear = [.. linear];
        Candidates = candidates;
        if (_linear.Any(part => part.Weights.Length % Outputs != 0 || part.Weights.Length <= Outputs || part.FirstSlot < 0
                || part.FirstSlot > dimension - SlotsOf(part)) || baseline.Length != Outputs
            || trees is not null && (trees.Trees.Outputs != Outputs || trees.FirstSlot < 0 || trees.FirstSlot > dimension - trees.Trees.Slots))
        {
            throw new FormatException($"The parts of the model do not fit {dimension} slots and {Outputs} outputs.");
        }
    }

    /// <summary>What it predicts.</summary>
    public PredictionTask Task { get; }

    /// <summary>What was tried when it was fitted.</summary>
    public IReadOnlyList<FewLabelsCandidate> Candidates { get; }

    public override string InputColumn { get; }

    public override int Dimension { get; }

    /// <summary>Numbers that each part gives: both answers of a yes-or-no question are a class of their own here.</summary>
    public int Outputs => OutputsOf(Task);

    /// <summary>Linear models.</summary>
    public IReadOnlyList<LinearPart> Linear => _linear;

    /// <summary>Trees, or null.</summary>
    public TreePart? Trees => _trees;

    /// <summary>What holds for every row.</summary>
    public IReadOnlyList<float> Baseline => _base;

    /// <summary>How much that counts.</summary>
    public double BaselineShare => _baseShare;

    /// <summary>How many slots a linear model reads.</summary>
    public int SlotsOf(LinearPart part) => part.Weights.Length / Outputs - 1;

    /// <summary>Numbers that each part gives for a row.</summary>
    public static int OutputsOf(PredictionTask task) => task.Kind == PredictionKind.BinaryClassification ? 2 : task.HeadOutputs;

    public override int Width => Task.Width;

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
        => PredictionColumns.CreateGetter(Task, output, row, static numbers => VectorGetter(numbers));

    protected override void Compute(Span<float> vectors, int count, Span<float> results)
    {
        for (var i = 0; i < count; i++)
            Predict(vectors.Slice(i * Dimension, Dimension), results.Slice(i * Width, Width));
    }

    /// <summary>Predicts a row.</summary>
    /// <param name="row">Its vector.</param>
    /// <param name="result">Takes the task's width of numbers; NaN where a slot of the vector is not finite.</param>
    public void Predict(ReadOnlySpan<float> row, Span<float> result)
    {
        foreach (var value in row)
        {
            if (!float.IsFinite(value))
            {
                result.Fill(float.NaN);
                return;
            }
        }
        Span<double> mean = Outputs <= 256 ? stackalloc double[Outputs] : new double[Outputs];
        Span<double> part = Outputs <= 256 ? stackalloc double[Outputs] : new double[Outputs];
        Span<float> sums = Outputs <= 256 ? stackalloc float[Outputs] : new float[Outputs];
        for (var i = 0; i < Outputs; i++)
            mean[i] = _baseShare * _base[i];
        foreach (var linear in _linear)
        {
            var slots = row.Slice(linear.FirstSlot, SlotsOf(linear));
            linear.Weights.AsSpan(slots.Length * Outputs).CopyTo(sums);
            for (var slot = 0; slot < slots.Length; slot++)
            {
                if (slots[slot] != 0)
                    TensorPrimitives.MultiplyAdd(linear.Weights.AsSpan(slot * Outputs, Outputs), slots[slot], sums, sums);
            }
            for (var i = 0; i < Outputs; i++)
                part[i] = sums[i];
            Add(part, linear.Temperature, linear.Share, mean);
        }
        if (_trees is not null)
        {
            _trees.Trees.Score(row[_trees.FirstSlot..], part);
            Add(part, _trees.Temperature, _trees.Share, mean);
        }
        switch (Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                for (var i = 0; i < Outputs; i++)
                    result[i] = (float)mean[i];
                break;
            case PredictionKind.BinaryClassification:
                (result[0], result[1]) = ((float)Math.Log(mean[1] / mean[0]), (float)mean[1]);
                break;
            default:
                result[0] = (float)(mean[0] * Task.Deviation + Task.Mean);
                break;
        }
    }

    /// <summary>Log-odds of the classes as probabilities; values as they are.</summary>
    /// <param name="outputs">Changed to the probabilities.</param>
    /// <param name="temperature">Divides them.</param>
    public static void Normalize(Span<double> outputs, double temperature)
    {
        if (outputs.Length == 1)
            return;
        var (largest, sum) = (double.NegativeInfinity, 0.0);
        foreach (var value in outputs)
            largest = Math.Max(largest, value);
        foreach (ref var value in outputs)
            sum += value = Math.Exp((value - largest) / temperature);
        foreach (ref var value in outputs)
            value /= sum;
    }

    /// <summary>Writes weights and settings.</summary>
    public void WriteArchive(Stream stream) => WriteArchive(stream, [], []);

    /// <summary>The same with more beside it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="further">Settings.</param>
    /// <param name="furtherTensors">Weights by their names.</param>
    public void WriteArchive(Stream stream, JsonObject further, IEnumerable<KeyValuePair<string, Tensor>> furtherTensors)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(furtherTensors) { [BaseName] = tensor(_base) };
        var parts = new JsonArray();
        foreach (var (i, part) in _linear.Index())
        {
            tensors[$"{LinearName}{i}"] = tensor(part.Weights);
            parts.Add(new JsonObject { [FirstKey] = part.FirstSlot, [TemperatureKey] = part.Temperature, [ShareKey] = part.Share });
        }
        _trees?.Trees.AddTo(tensors);
        var content = new JsonObject
        {
            [TaskKey] = Task.ToJson(),
            [InputKey] = InputColumn,
            [DimensionKey] = Dimension,
            [BaseShareKey] = _baseShare,
            [PartsKey] = parts,
            [TreesKey] = _trees is null ? null : new JsonObject { [FirstKey] = _trees.FirstSlot, [TemperatureKey] = _trees.Temperature, [ShareKey] = _trees.Share },
            [CandidatesKey] = new JsonArray([.. Candidates.Select(candidate => (JsonNode)candidate.ToJson())]),
        };
        foreach (var (name, value) in further)
            content[name] = value?.DeepClone();
        ModelArchive.Write(stream, ArchiveKind, content, tensors);
    }

    /// <summary>Reads what was written, with the encoders beside it where there are some.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static (FewLabelsModel Model, FewLabelsEncoders Encoders) Read(ArchiveManifest manifest, SafeTensorsReader tensors)
        => VectorArchive.Read(manifest, tensors, ArchiveKind, (content, all) =>
    {
        var linear = content[PartsKey]!.AsArray().Select((part, i) => new LinearPart(Floats(all[$"{LinearName}{i}"]), (int)part![FirstKey]!,
            Factor(part!, TemperatureKey, mayBeZero: false), Factor(part!, ShareKey)));
        var trees = TreeEnsemble.Read(all) is { } ensemble
            ? new TreePart(ensemble, (int?)content[TreesKey]![FirstKey] ?? 0, Factor(content[TreesKey]!, TemperatureKey, mayBeZero: false), Factor(content[TreesKey]!, ShareKey)) : null;
        var model = new FewLabelsModel(PredictionTask.FromJson(content[TaskKey]!.AsObject()), content.Name(InputKey), (int)content[DimensionKey]!,
            linear, trees, Floats(all[BaseName]), Factor(content, BaseShareKey),
            [.. content[CandidatesKey]!.AsArray().Select(node => FewLabelsCandidate.FromJson(node!.AsObject()))]);
        return (model, FewLabelsEncoders.Read(content, all));

        static float[] Floats(Tensor tensor) => tensor.dtype == ScalarType.Float32 ? MemoryMarshal.Cast<byte, float>(tensor.bytes).ToArray()
            : throw new FormatException($"Weights are {tensor.dtype}, expected Float32.");

        static double Factor(JsonNode node, string key, bool mayBeZero = true)
        {
            var value = (double)node[key]!;
            return double.IsFinite(value) && (mayBeZero ? value >= 0 : value > 0) ? value : throw new FormatException($"\"{key}\" is {value}.");
        }
    });

    private static void Add(Span<double> part, double temperature, double share, Span<double> mean)
    {
        Normalize(part, temperature);
        for (var i = 0; i < part.Length; i++)
            mean[i] += share * part[i];
    }
}
