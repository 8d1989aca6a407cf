using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Evaluation;

/// <summary>Measures pairs of embeddings: retrieval and similarity.</summary>
internal static class PairEvaluator
{
    private const int RowsAtOnce = 512;

    private static readonly int[] s_defaultNumbers = [1, 5, 10];

    /// <summary>How well the vectors of one column find those of the other in the same row.</summary>
    public static RetrievalMetrics Retrieval(MLContext mlContext, IDataView data, string queryColumn, string targetColumn, IReadOnlyList<int>? numbers)
    {
        ArgumentNullException.ThrowIfNull(data);
        var faults = new OptionFaults().NotEmpty(queryColumn, "queryColumnName").NotEmpty(targetColumn, "targetColumnName");
        foreach (var k in numbers ?? [])
            faults.AtLeast(k, 1, "numberOfResults");
        faults.ThrowIfAny();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = Read(mlContext, data, queryColumn, targetColumn, null);
        var ks = numbers ?? [.. s_defaultNumbers.Where(k => k <= rows.Count)];
        if (ks.FirstOrDefault(k => k > rows.Count) is > 0 and var large)
        {
            throw new ArgumentOutOfRangeException("numberOfResults",
                $"numberOfResults must be at most the number of queries, {rows.Count}, got {large}: every target would count as found.");
        }

        var ranks = Ranks(rows.Directions(0), rows.Directions(1));
        return new RetrievalMetrics
        {
            NumberOfQueries = rows.Count,
            RecallAtK = ks.Distinct().ToDictionary(k => k, k => ranks.Count(rank => rank <= k) / (double)ranks.Length),
            MeanReciprocalRank = ranks.Average(rank => 1 / rank),
            MedianRank = Median(ranks),
        };
    }

    /// <summary>How well cosines follow labels.</summary>
    public static SimilarityMetrics Similarity(MLContext mlContext, IDataView data, string firstColumn, string secondColumn, string labelColumn)
    {
        ArgumentNullException.ThrowIfNull(data);
        new OptionFaults().NotEmpty(firstColumn, "firstColumnName").NotEmpty(secondColumn, "secondColumnName")
            .NotEmpty(labelColumn, "labelColumnName").ThrowIfAny();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = Read(mlContext, data, firstColumn, secondColumn, labelColumn);
        var cosines = rows.Directions(0).mul(rows.Directions(1)).sum(1).to(ScalarType.Float32);
        double[] similarity = [.. MemoryMarshal.Cast<byte, float>(cosines.bytes).ToArray().Select(cosine => (double)cosine)];
        double[] labels = rows.Labels;
        if (labels.Distinct().Take(2).Count() < 2)
            throw new InvalidOperationException($"All {labels.Length} pairs have the same label in column '{labelColumn}': nothing can correlate with it.");
        return new SimilarityMetrics
        {
            NumberOfPairs = rows.Count,
            PearsonCorrelation = Correlation.Pearson(similarity, labels),
            SpearmanCorrelation = Correlation.Spearman(similarity, labels),
        };
    }

    private static EmbeddingSet Read(MLContext mlContext, IDataView data, string first, string second, string? label)
    {
        var rows = EmbeddingSet.Read(data, [("input", first), ("input", second)], label, (row, column) =>
        {
            LabelValues.CheckColumn(PredictionKind.Regression, column.Name, ColumnShape.Find(row.Schema, column.Name, "label"));
            return LabelValues.Getter(PredictionKind.Regression, row, column);
        }, EvaluationLog.Of(mlContext));
        if (rows.Dimension(0) != rows.Dimension(1))
        {
            throw Check.SchemaMismatch("input", second, $"Vector<Single, {rows.Dimension(0)}>", data.Schema[second].Type.ToString()!,
                "Both columns must come from the same encoder.");
        }

        return rows;
    }

    // Of equally similar targets the own one counts as the middle: a collapsed encoder is not rewarded.
    private static double[] Ranks(Tensor queries, Tensor targets)
    {
        var ranks = new double[queries.shape[0]];
        for (long start = 0; start < ranks.Length; start += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(RowsAtOnce, ranks.Length - start);
            var similarity = queries.narrow(0, start, count).mm(targets.t()).to(ScalarType.Float32);       // [count, N]
            var own = similarity.narrow(1, start, count).diagonal(0, 0, 1).unsqueeze(1);
            var better = similarity.gt(own).sum(1);
            var equal = similarity.eq(own).sum(1);                                  // the own one among them
            var middle = better.to(ScalarType.Float64).add(equal.to(ScalarType.Float64).add(Number(1), One).div(Number(2)), One);
            MemoryMarshal.Cast<byte, double>(middle.contiguous().bytes).CopyTo(ranks.AsSpan((int)start));
        }

        return ranks;
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>Correlations.</summary>
internal static class Correlation
{
    /// <summary>Pearson's: of the values. NaN where one side does not vary.</summary>
    public static double Pearson(double[] first, double[] second)
    {
        var (a, b) = (first.Average(), second.Average());
        double product = 0, firstSquares = 0, secondSquares = 0;
        for (var i = 0; i < first.Length; i++)
        {
            product += (first[i] - a) * (second[i] - b);
            firstSquares += (first[i] - a) * (first[i] - a);
            secondSquares += (second[i] - b) * (second[i] - b);
        }

        return product / Math.Sqrt(firstSquares * secondSquares);
    }

    /// <summary>Spearman's: of the ranks.</summary>
    public static double Spearman(double[] first, double[] second) => Pearson(Ranks(first), Ranks(second));

    // Equal values share the mean of their ranks.
    private static double[] Ranks(double[] values)
    {
        var order = Enumerable.Range(0, values.Length).ToArray();
        Array.Sort([.. values], order);
        var ranks = new double[values.Length];
        for (var start = 0; start < order.Length;)
        {
            var end = start + 1;
            while (end < order.Length && values[order[end]] == values[order[start]])
                end++;
            for (var i = start; i < end; i++)
                ranks[order[i]] = (start + end + 1) / 2.0;
            start = end;
        }

        return ranks;
    }
}
