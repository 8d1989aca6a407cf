namespace Microsoft.ML.Data;

/// <summary>How well classes were told apart.</summary>
public sealed class MulticlassClassificationMetrics
{
    internal MulticlassClassificationMetrics()
    {
    }

    public double LogLoss { get; internal init; }
    public double LogLossReduction { get; internal init; }
    public double MacroAccuracy { get; internal init; }
    public double MicroAccuracy { get; internal init; }
    public double TopKAccuracy => TopKAccuracyForAllK?[^1] ?? 0;
    public int TopKPredictionCount { get; internal init; }
    public IReadOnlyList<double> TopKAccuracyForAllK { get; internal init; }
    public IReadOnlyList<double> PerClassLogLoss { get; internal init; }
    public ConfusionMatrix ConfusionMatrix { get; internal init; }
}

/// <summary>How well positives were told from negatives.</summary>
public class BinaryClassificationMetrics
{
    private protected BinaryClassificationMetrics(BinaryCounts counts)
    {
        AreaUnderRocCurve = counts.AreaUnderRocCurve;
        AreaUnderPrecisionRecallCurve = counts.AreaUnderPrecisionRecallCurve;
        ConfusionMatrix = new ConfusionMatrix(
            [[counts.TruePositives, counts.FalseNegatives], [counts.FalsePositives, counts.TrueNegatives]], ["positive", "negative"],
                binary: true);
        Accuracy = (counts.TruePositives + counts.TrueNegatives) / (counts.Positives + counts.Negatives);
    }

    public double AreaUnderRocCurve { get; }
    public double Accuracy { get; }
    public double PositivePrecision => ConfusionMatrix.PerClassPrecision[0];
    public double PositiveRecall => ConfusionMatrix.PerClassRecall[0];
    public double NegativePrecision => ConfusionMatrix.PerClassPrecision[1];
    public double NegativeRecall => ConfusionMatrix.PerClassRecall[1];
    public double F1Score => 2 * PositivePrecision * PositiveRecall / (PositivePrecision + PositiveRecall);
    public double AreaUnderPrecisionRecallCurve { get; }
    public ConfusionMatrix ConfusionMatrix { get; }

    internal static BinaryClassificationMetrics Create(BinaryCounts counts) => new(counts);
}

/// <summary>The same for models with probabilities. Logarithms are to base 2.</summary>
public sealed class CalibratedBinaryClassificationMetrics : BinaryClassificationMetrics
{
    internal CalibratedBinaryClassificationMetrics(BinaryCounts counts)
        : base(counts)
    {
        Entropy = BinaryCounts.EntropyOf(counts.Positives / (counts.Positives + counts.Negatives));
        LogLoss = counts.LogLoss;
        LogLossReduction = counts.LogLossReduction;
    }

    public double LogLoss { get; }
    public double LogLossReduction { get; }
    public double Entropy { get; }
}

/// <summary>How far predicted numbers are from the true ones.</summary>
public sealed class RegressionMetrics
{
    internal RegressionMetrics()
    {
    }

    public double MeanAbsoluteError { get; internal init; }
    public double MeanSquaredError { get; internal init; }
    public double RootMeanSquaredError => Math.Sqrt(MeanSquaredError);
    public double LossFunction { get; internal init; }
    public double RSquared { get; internal init; }
}

/// <summary>How tight clusters are, and how well they agree with known classes.</summary>
public sealed class ClusteringMetrics
{
    internal ClusteringMetrics()
    {
    }

    public double NormalizedMutualInformation { get; internal init; }
    public double AverageDistance { get; internal init; }
    public double DaviesBouldinIndex { get; internal init; }
}

/// <summary>How well anomalies were ranked before the rest.</summary>
public sealed class AnomalyDetectionMetrics
{
    internal AnomalyDetectionMetrics()
    {
    }

    public double AreaUnderRocCurve { get; internal init; }
    public double DetectionRateAtFalsePositiveCount { get; internal init; }
}
