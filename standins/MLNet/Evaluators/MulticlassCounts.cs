namespace Microsoft.ML.Data;

/// <summary>What the metrics of several classes are made of.</summary>
internal sealed class MulticlassCounts(int classes, int topK)
{
    private const float Epsilon = 1e-15f;

    private readonly double[][] _confusion = [.. Enumerable.Range(0, classes).Select(_ => new double[classes])];
    private readonly double[] _classLogLoss = new double[classes];
    private readonly double[] _ranks = new double[classes];
    private double _count;
    private double _logLoss;

    public void Add(int label, float[] scores)
    {
        var assigned = 0;
        for (var i = 1; i < classes; i++)
        {
            assigned = scores[i] > scores[assigned] ? i : assigned;
        }

        _count++;

        // A class that was not there in training costs as much as a hopeless score.
        var known = label < classes;
        var loss = -Math.Log(known ? Math.Min(1, Math.Max(Epsilon, scores[label])) : Epsilon);
        _logLoss += loss;
        if (known)
        {
            _classLogLoss[label] += loss;
            _confusion[label][assigned]++;

            // Among equal scores the first class comes first.
            var rank = 0;
            for (var i = 0; i < classes; i++)
            {
                rank += scores[i] > scores[label] || (scores[i] == scores[label] && i < label) ? 1 : 0;
            }

            _ranks[rank]++;
        }
    }

    public MulticlassClassificationMetrics ToMetrics(IEnumerable<string> names)
    {
        double[] sizes = [.. _confusion.Select(row => row.Sum())];
        int[] present = [.. Enumerable.Range(0, classes).Where(i => sizes[i] > 0)];
        var entropy = -present.Sum(i => sizes[i] * Math.Log(sizes[i] / _count)) / _count;
        var logLoss = _count > 0 ? _logLoss / _count : 0;
        var found = 0d;
        double[] top = [.. _ranks.Take(topK).Select(count => (found += count) / Math.Max(_count, 1))];
        return new MulticlassClassificationMetrics
        {
            MicroAccuracy = _count > 0 ? present.Sum(i => _confusion[i][i]) / _count : 0,
            MacroAccuracy = present.Length > 0 ? present.Sum(i => _confusion[i][i] / sizes[i]) / present.Length : 0,
            LogLoss = logLoss,
            LogLossReduction = (entropy - logLoss) / entropy,
            PerClassLogLoss = [.. Enumerable.Range(0, classes).Select(i => ConfusionMatrix.Share(_classLogLoss[i], sizes[i]))],
            TopKPredictionCount = topK,
            TopKAccuracyForAllK = topK > 0 ? top : null,
            ConfusionMatrix = new ConfusionMatrix(_confusion, names, binary: false),
        };
    }
}

/// <summary>What the metrics of clusters are made of.</summary>
internal sealed class ClusterCounts(int clusters)
{
    private readonly Dictionary<(int Class, int Cluster), double> _table = [];
    private readonly List<(int Cluster, float[] Features)> _rows = [];
    private double _count;
    private double _distances;

    public void Add(int label, float[] scores, float[] features)
    {
        var nearest = Enumerable.Range(0, clusters).MinBy(i => scores[i]);
        _count++;
        _distances += scores[nearest];
        _table[(label, nearest)] = _table.GetValueOrDefault((label, nearest)) + 1;
        if (features != null)
        {
            _rows.Add((nearest, features));
        }
    }

    public ClusteringMetrics ToMetrics(bool daviesBouldin) => new()
    {
        AverageDistance = _distances / _count,
        NormalizedMutualInformation = MutualInformation(),
        DaviesBouldinIndex = daviesBouldin ? DaviesBouldin() : 0,
    };

    private double MutualInformation()
    {
        var classes = _table.GroupBy(cell => cell.Key.Class)
            .ToDictionary(group => group.Key, group => group.Sum(cell => cell.Value) / _count);
        var sizes = _table.GroupBy(cell => cell.Key.Cluster)
            .ToDictionary(group => group.Key, group => group.Sum(cell => cell.Value) / _count);
        if (classes.Count == 0 || classes.Keys.Max() == 0)
        {
            return double.NaN;
        }

        var information = _table.Sum(
            cell => cell.Value / _count * Math.Log(cell.Value / _count / (classes[cell.Key.Class] * sizes[cell.Key.Cluster])));
        return information / -classes.Values.Sum(share => share * Math.Log(share));
    }

    // For each cluster the worst ratio of spread to separation (Davies and Bouldin, 1979).
    private double DaviesBouldin()
    {
        var groups = _rows.GroupBy(row => row.Cluster).Select(group =>
        {
            var centroid = new double[group.First().Features.Length];
            foreach (var (_, features) in group)
            {
                for (var i = 0; i < centroid.Length; i++)
                {
                    centroid[i] += features[i] / (double)group.Count();
                }
            }

            return (Centroid: centroid, Spread: group.Average(row => Distance(centroid, [.. row.Features])));
        }).ToArray();
        return groups.Sum(one => groups.Where(other => other.Centroid != one.Centroid)
            .Select(other => (one.Spread + other.Spread) / Distance(one.Centroid, other.Centroid))
            .DefaultIfEmpty(0).Max()) / clusters;
    }

    private static double Distance(double[] first, double[] second) => Math.Sqrt(first.Zip(second, (a, b) => (a - b) * (a - b)).Sum());
}
