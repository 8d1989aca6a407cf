using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>What a fine-tuned model predicts; named as ML.NET names the kinds of score columns.</summary>
internal enum PredictionKind
{
    MulticlassClassification,
    BinaryClassification,
    Regression,
}

/// <summary>What the outputs of a head mean, and the numbers that a row's output columns are made of.</summary>
/// <param name="Kind">What is predicted.</param>
/// <param name="Classes">The classes of a multiclass task; null for the others.</param>
/// <param name="Mean">What 0 stands for in a regression.</param>
/// <param name="Deviation">What a step of 1 stands for in a regression.</param>
internal sealed record PredictionTask(PredictionKind Kind, ClassValues? Classes = null, double Mean = 0, double Deviation = 1)
{
    private const string KindKey = "task", ClassesKey = "classes", MeanKey = "mean", DeviationKey = "deviation",
        PrecisionKey = "precision", DoublePrecision = "double";

    /// <summary>A regression, on the scale on which its labels have mean 0 and deviation 1; the deviation is 0 where all are the same.</summary>
    /// <param name="labels">Finite ones.</param>
    /// <param name="column">Their column, to be named.</param>
    /// <exception cref="InvalidOperationException">A prediction, which is a Single, could not hold such labels.</exception>
    public static PredictionTask OfValues(IEnumerable<double> labels, string column)
    {
        var moments = new NumberMoments();
        foreach (var label in labels)
            moments.Add(label);
        var (largest, deviation) = (Math.Max(Math.Abs(moments.Minimum), Math.Abs(moments.Maximum)), moments.IsConstant ? 0 : moments.Deviation);
        if (moments.Count > 0 && (largest > float.MaxValue || deviation > 0 && deviation < LeastDeviation))
        {
            throw new InvalidOperationException($"Labels in column '{column}' go from {NumberText.Of(moments.Minimum)} to "
                + $"{NumberText.Of(moments.Maximum)}, which predictions, Single as everywhere in ML.NET, cannot hold. Give the label in another unit.");
        }
        return new PredictionTask(PredictionKind.Regression, Mean: moments.Mean, Deviation: deviation);
    }

    // Below it Singles lose digits.
    private const double LeastDeviation = 1e-37;

    /// <summary>Outputs of the head: one for each class, or one.</summary>
    public int HeadOutputs => Classes?.Count ?? 1;

    /// <summary>Numbers a row: a probability for each class; or score and probability; or the value.</summary>
    public int Width => Kind == PredictionKind.BinaryClassification ? 2 : HeadOutputs;

    /// <summary>The numbers of all rows, in the caller's dispose scope.</summary>
    /// <param name="logits">The head's outputs [N, <see cref="HeadOutputs"/>].</param>
    /// <returns>[N, <see cref="Width"/>].</returns>
    public Tensor Interpret(Tensor logits) => Kind switch
    {
        PredictionKind.MulticlassClassification => logits.softmax(1),
        PredictionKind.BinaryClassification => cat([logits, logits.sigmoid()], 1),
        _ => logits.mul(Number(Deviation)).add(Number(Mean), One),
    };

    /// <summary>The class with the largest probability, from 0; -1 where a probability is not a number.</summary>
    public static int Best(ReadOnlySpan<float> probabilities)
    {
        var best = 0;
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (float.IsNaN(probabilities[i]))
                return -1;
            if (probabilities[i] > probabilities[best])
                best = i;
        }
        return best;
    }

    public JsonObject ToJson() => new()
    {
        [KindKey] = Kind.ToString(),
        [ClassesKey] = Classes?.ToJson(),
        [MeanKey] = Mean,
        [DeviationKey] = Deviation,
        [PrecisionKey] = DoublePrecision,
    };

    /// <summary>Reads what <see cref="ToJson"/> wrote. Without a word on precision, mean and deviation are Singles.</summary>
    public static PredictionTask FromJson(JsonObject json)
    {
        if (!Enum.TryParse(json.Text(KindKey), out PredictionKind kind) || !Enum.IsDefined(kind))
            throw new FormatException($"\"{json.Text(KindKey)}\" is no task.");
        var classes = json[ClassesKey] is { } values ? ClassValues.FromJson(values.AsObject()) : null;
        if (kind == PredictionKind.MulticlassClassification != classes is { Count: > 0 })
            throw new FormatException($"{kind} has {classes?.Count ?? 0} classes.");
        return new(kind, classes, Number(MeanKey), Number(DeviationKey));

        double Number(string key) => json[PrecisionKey] is null ? (float)json[key]! : (double)json[key]!;
    }
}
