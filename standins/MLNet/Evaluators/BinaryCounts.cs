using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>What the metrics of two classes are made of.</summary>
internal sealed class BinaryCounts
{
    private readonly List<(float Score, bool Positive)> _examples = [];
    private double _logLoss;
    private double _calibratedPositives;
    private double _calibrated;

    public double TruePositives { get; private set; }
    public double TrueNegatives { get; private set; }
    public double FalsePositives { get; private set; }
    public double FalseNegatives { get; private set; }
    public double Positives => TruePositives + FalseNegatives;
    public double Negatives => TrueNegatives + FalsePositives;

    public double LogLoss => _calibrated > 0 ? _logLoss / _calibrated : 0;

    public double LogLossReduction
    {
        get
        {
            var prior = EntropyOf(_calibratedPositives / _calibrated);
            return _calibrated > 0 ? (prior - LogLoss) / prior : 0;
        }
    }

    public double AreaUnderRocCurve => RocArea(_examples);

    /// <summary>Lower trapezoids between the points of the curve (Boyd, Eng and Page, ECML 2013).</summary>
    public double AreaUnderPrecisionRecallCurve
    {
        get
        {
            var (truePositives, seen, area, lastRecall, lastPrecision) = (0, 0, 0d, 0d, 1d);
            foreach (var (_, positive) in _examples.OrderByDescending(example => example.Score))
            {
                seen++;
                if (positive)
                {
                    truePositives++;
                    var recall = truePositives / Positives;
                    var precision = truePositives / (double)seen;
                    area += (recall - lastRecall) * (lastPrecision + precision) / 2;
                    lastRecall = recall;
                }

                lastPrecision = truePositives / (double)seen;
            }

            return area;
        }
    }

    public static double EntropyOf(double probability) => probability is <= 0 or >= 1
        ? 0
        : -((probability * Math.Log2(probability)) + ((1 - probability) * Math.Log2(1 - probability)));

    /// <summary>The chance that a positive is scored above a negative; ties count one half.</summary>
    public static double RocArea(IEnumerable<(float Score, bool Positive)> examples)
    {
        var (positives, negatives, area) = (0d, 0d, 0d);
        foreach (var group in examples.OrderByDescending(example => example.Score).GroupBy(example => example.Score))
        {
            var here = group.Count(example => example.Positive);
            var others = group.Count() - here;
            area += (positives + (0.5 * here)) * others;
            positives += here;
            negatives += others;
        }

        Contracts.CheckParam(null, positives > 0, "PosSample", "AUC is not defined when there is no positive class in the data");
        Contracts.CheckParam(null, negatives > 0, "NegSample", "AUC is not defined when there is no negative class in the data");
        return area / (positives * negatives);
    }

    public void Add(float label, float score, float probability)
    {
        if (!float.IsFinite(score) || float.IsNaN(label))
        {
            return;
        }

        var positive = label > 0;
        _examples.Add((score, positive));
        if (score > 0)
        {
            (TruePositives, FalsePositives) = positive ? (TruePositives + 1, FalsePositives) : (TruePositives, FalsePositives + 1);
        }
        else
        {
            (FalseNegatives, TrueNegatives) = positive ? (FalseNegatives + 1, TrueNegatives) : (FalseNegatives, TrueNegatives + 1);
        }

        if (!float.IsNaN(probability))
        {
            _calibrated++;
            _calibratedPositives += positive ? 1 : 0;
            _logLoss -= Math.Log2(positive ? probability : 1.0 - probability);
        }
    }
}
