using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Evaluation;

/// <summary>Measures embeddings.</summary>
internal static class RepresentationEvaluator
{
    private const int RowsAtOnce = 512;

    /// <summary>All figures of a view.</summary>
    public static RepresentationMetrics Evaluate(MLContext mlContext, IDataView data, RepresentationEvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        var random = new ShuffleRandom((ulong)(options.Seed ?? HostSeed.Register(mlContext, nameof(RepresentationEvaluator), out _)));

        (string, string)[] features = options.PairColumnName is { } pair
            ? [("feature", options.FeatureColumnName), ("pair", pair)] : [("feature", options.FeatureColumnName)];
        var rows = EmbeddingSet.Read(data, features, options.LabelColumnName, (row, column) => OpenClass(row, column), EvaluationLog.Of(mlContext),
            keepUnlabeled: true)
            .Sample(options.MaximumNumberOfRows, random);
        if (options.PairColumnName is { } name && rows.Dimension(0) != rows.Dimension(1))
        {
            throw Check.SchemaMismatch("pair", name, $"Vector<Single, {rows.Dimension(0)}>", data.Schema[name].Type.ToString()!,
                "Both must come from the same encoder.");
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var directions = rows.Directions(0);
        var labeled = options.LabelColumnName is null ? []
            : Enumerable.Range(0, rows.Count).Where(i => !double.IsNaN(rows.Labels[i])).ToArray();
        if (options.LabelColumnName is { } label && labeled.Select(i => rows.Labels[i]).Distinct().Take(2).Count() < 2)
        {
            throw new InvalidOperationException($"Column '{label}' has {(labeled.Length == 0 ? "no labels" : "one class only")}: there is "
                + "nothing to tell apart. Give rows of at least two classes, or no label column.");
        }

        return new RepresentationMetrics
        {
            NumberOfRows = rows.Count,
            Dimension = rows.Dimension(0),
            Spread = Spread(directions),
            EffectiveRank = EffectiveRank(rows.Vectors(0)),
            Uniformity = Uniformity(directions.to(ScalarType.Float32)),
            Alignment = options.PairColumnName is null ? null : Alignment(directions, rows.Directions(1)),
            NearestNeighborAccuracy = labeled.Length == 0 ? null
                : NearestNeighborAccuracy(rows, labeled, options.NumberOfNeighbors, options.Temperature),
            LinearProbeAccuracy = labeled.Length == 0 ? null : LinearProbe(mlContext, rows, labeled, options, random),
            LargestClassShare = labeled.Length == 0 ? null
                : labeled.GroupBy(i => rows.Labels[i]).Max(group => group.Count()) / (double)labeled.Length,
        };
    }

    /// <summary>Standard deviation of directions [N, D] x sqrt(D).</summary>
    public static double Spread(Tensor directions)
    {
        using var scope = NewDisposeScope();
        return directions.to(ScalarType.Float64).std(0, unbiased: true).mean().Value<double>() * Math.Sqrt(directions.shape[1]);
    }

    /// <summary>RankMe of vectors [N, D], from the eigenvalues of the smaller of their two Gram matrices.</summary>
    public static double EffectiveRank(Tensor vectors)
    {
        const double Epsilon = 1e-7;                                                // of the paper
        using var scope = NewDisposeScope();
        var x = vectors.to(ScalarType.Float64);
        x /= x.abs().max();
        var gram = x.shape[0] < x.shape[1] ? x.mm(x.t()) : x.t().mm(x);
        var singular = linalg.eigvalsh(gram).clamp_min(Number(0)).sqrt();
        var share = (singular / singular.sum()).add(Number(Epsilon), One);
        return Math.Exp(-(share * share.log()).sum().Value<double>());
    }

    /// <summary>log E exp(-2 |x - y|^2) over pairs of different rows of directions [N, D].</summary>
    public static double Uniformity(Tensor directions)
    {
        const double T = 2;
        var n = directions.shape[0];
        double sum = 0;
        for (long start = 0; start < n; start += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(RowsAtOnce, n - start);
            var cosine = directions.narrow(0, start, count).mm(directions.t());     // [count, N]; |x - y|^2 = 2 - 2 cosine
            var kernel = cosine.sub(Number(1)).mul(Number(2 * T)).exp();
            var own = kernel.narrow(1, start, count).diagonal(0, 0, 1);
            sum += kernel.to(ScalarType.Float64).sum().Value<double>() - own.to(ScalarType.Float64).sum().Value<double>();
        }

        return Math.Log(sum / (n * (double)(n - 1)));
    }

    /// <summary>Mean of |x - y|^2 over directions [N, D].</summary>
    public static double Alignment(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        return first.sub(second).to(ScalarType.Float64).pow(Number(2)).sum(1).mean().Value<double>();
    }

    private static double NearestNeighborAccuracy(EmbeddingSet rows, int[] labeled, int neighbors, double temperature)
    {
        using var builder = new VectorIndexBuilder(rows.Dimension(0));
        foreach (var row in labeled)
            builder.Add(rows.Vector(0, row));
        using var index = builder.Build(CPU);
        var k = Math.Min(neighbors + 1, index.Count);
        var right = 0;
        for (var start = 0; start < index.Count; start += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, index.Count - start);
            var (found, scores) = (new long[count * k], new float[count * k]);
            index.Search(index.Vectors([.. Enumerable.Range(start, count)]), count, k, found, scores);
            for (var i = 0; i < count; i++)
            {
                var votes = new Dictionary<double, double>();
                for (var (j, taken) = (i * k, 0); j < (i + 1) * k && taken < neighbors; j++)
                {
                    if (found[j] == start + i)
                        continue;                                                   // a row is not its own neighbor
                    var label = rows.Labels[labeled[found[j]]];
                    votes[label] = votes.GetValueOrDefault(label) + Math.Exp((scores[j] - 1) / temperature);
                    taken++;
                }

                // Rounded to single precision, so that equal votes are equal; of those the first class wins, as in the prediction by neighbors.
                var sum = votes.Values.Sum();
                if (votes.Count > 0 && votes.OrderBy(vote => vote.Key).MaxBy(vote => (float)(vote.Value / sum)).Key == rows.Labels[labeled[start + i]])
                    right++;
            }
        }

        return right / (double)index.Count;
    }

    private static double LinearProbe(MLContext mlContext, EmbeddingSet rows, int[] labeled, RepresentationEvaluationOptions options,
        Random random)
    {
        var test = new HashSet<int>();
        foreach (var group in labeled.GroupBy(row => rows.Labels[row]))
        {
            int[] members = [.. group];
            random.Shuffle(members);
            test.UnionWith(members.Take(Math.Min((int)Math.Round(options.TestFraction * members.Length), members.Length - 1)));
        }

        if (test.Count == 0)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"TestFraction {options.TestFraction} leaves no row of any class to test the linear probe on. Give more labeled rows or raise it."));
        }

        var definition = SchemaDefinition.Create(typeof(ProbeRow));
        definition[nameof(ProbeRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows.Dimension(0));
        var view = mlContext.Data.LoadFromEnumerable(labeled.Where(row => !test.Contains(row)).Concat(labeled.Where(test.Contains))
            .Select(row =>
            new ProbeRow { Class = (int)rows.Labels[row], Features = rows.Vector(0, row).ToArray() }).ToArray(), definition);
        var training = mlContext.Data.TakeRows(view, labeled.Length - test.Count);
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(ProbeRow.Class))
            .Append(mlContext.Transforms.NormalizeMeanVariance(nameof(ProbeRow.Features)))
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy()).Fit(training);
        var scored = model.Transform(mlContext.Data.SkipRows(view, labeled.Length - test.Count));
        return mlContext.MulticlassClassification.Evaluate(scored).MicroAccuracy;
    }

    private static Func<double> OpenClass(DataViewRow row, DataViewSchema.Column column)
    {
        var kind = column.Type is BooleanDataViewType ? PredictionKind.BinaryClassification : PredictionKind.MulticlassClassification;
        LabelValues.CheckColumn(kind, column.Name, ColumnShape.Find(row.Schema, column.Name, "label"));
        return LabelValues.Getter(kind, row, column);
    }

    private sealed class ProbeRow
    {
        public int Class { get; set; }

        public float[] Features { get; set; } = [];
    }
}
