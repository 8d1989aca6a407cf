namespace Ssl.Estimators;

/// <summary>
/// What an embedding is like: whether it has collapsed, how it is spread, and how well simple methods predict labels from it.
/// </summary>
public sealed class RepresentationMetrics
{
    internal RepresentationMetrics()
    {
    }

    /// <summary>Rows that were measured: those with a direction (not zero, NaN or infinite), at most the number asked for.</summary>
    public int NumberOfRows { get; internal init; }

    /// <summary>Length of the embedding.</summary>
    public int Dimension { get; internal init; }

    /// <summary>
    /// Standard deviation of the L2-normalized embeddings, averaged over dimensions, times the square root of their number. Range [0, about
    /// 1]: 0 when all rows have the same direction (collapsed), about 1 when directions are spread evenly. Chen and He, 2021
    /// (arXiv:2011.10566).
    /// </summary>
    public double Spread { get; internal init; }

    /// <summary>
    /// The number of dimensions that the embeddings use: exp of the entropy of their singular values (RankMe). Range [1,
    /// min(<see cref="NumberOfRows"/>, <see cref="Dimension"/>)]; larger is usually better. Garrido et al., 2023 (arXiv:2210.02885).
    /// </summary>
    public double EffectiveRank { get; internal init; }

    /// <summary>
    /// log of the mean of exp(-2 |x - y|^2) over all pairs of normalized rows. Range [-8, 0]; 0 when all have the same direction, smaller
    /// is more even; about -4 for many dimensions. Wang and Isola, 2020 (arXiv:2005.10242).
    /// </summary>
    public double Uniformity { get; internal init; }

    /// <summary>
    /// Mean of |x - y|^2 over the normalized vectors of the rows' pairs. Range [0, 4]; 0 when the two of a pair always agree, 2 when they
    /// are unrelated. Null without a column of pairs. Wang and Isola, 2020 (arXiv:2005.10242).
    /// </summary>
    public double? Alignment { get; internal init; }

    /// <summary>
    /// Accuracy of a vote of the nearest other rows, weighted by exp(cosine / T), over all labeled rows. Of equally near rows the first vote, of equal
    /// votes the first class wins; where there are fewer rows than neighbors, all others vote. Range [0, 1]; null without labels. Wu et al., 2018
    /// (arXiv:1805.01978).
    /// </summary>
    public double? NearestNeighborAccuracy { get; internal init; }

    /// <summary>
    /// Accuracy on held-out rows of <c>LbfgsMaximumEntropy</c> on the standardized embedding, trained on the rest. Range [0, 1]; null
    /// without labels.
    /// </summary>
    public double? LinearProbeAccuracy { get; internal init; }

    /// <summary>Share of the largest class among the labeled rows: what always guessing it would score. Range (0, 1]; null without
    /// labels.</summary>
    public double? LargestClassShare { get; internal init; }

    /// <summary>All figures in one line.</summary>
    public override string ToString()
    {
        var text = FormattableString.Invariant(
            $"{NumberOfRows} rows of {Dimension}: spread {Spread:0.000}, effective rank {EffectiveRank:0.0}, uniformity {Uniformity:0.00}");
        if (Alignment is { } alignment)
            text += FormattableString.Invariant($", alignment {alignment:0.000}");
        if (NearestNeighborAccuracy is { } neighbors)
            text += FormattableString.Invariant($", nearest neighbors {neighbors:0.000}");
        if (LinearProbeAccuracy is { } probe)
            text += FormattableString.Invariant($", linear probe {probe:0.000}");
        return LargestClassShare is { } share ? text + FormattableString.Invariant($" (largest class {share:0.000})") : text;
    }
}

/// <summary>How well queries find their own targets among all targets.</summary>
public sealed class RetrievalMetrics
{
    internal RetrievalMetrics()
    {
    }

    /// <summary>Queries that were measured: rows of which both vectors have a direction.</summary>
    public int NumberOfQueries { get; internal init; }

    /// <summary>
    /// For each k asked for, the share of queries whose target is among the k most similar ones; of equally similar targets (as
    /// <see cref="float"/>), such as copies, the own one counts as the middle one. Range [0, 1]; chance is k / <see cref="NumberOfQueries"/>.
    /// </summary>
    public required IReadOnlyDictionary<int, double> RecallAtK { get; init; }

    /// <summary>Mean of 1 / rank of the target. Range (0, 1]; 1 when every query finds its own target first.</summary>
    public double MeanReciprocalRank { get; internal init; }

    /// <summary>Median rank of the target. Range [1, <see cref="NumberOfQueries"/>].</summary>
    public double MedianRank { get; internal init; }

    /// <summary>All figures in one line.</summary>
    public override string ToString()
        => string.Join(", ", RecallAtK.Select(recall => FormattableString.Invariant($"recall@{recall.Key} {recall.Value:0.000}")))
        + FormattableString.Invariant($", MRR {MeanReciprocalRank:0.000}, median rank {MedianRank:0.#} of {NumberOfQueries}");
}

/// <summary>How well the cosine of two embeddings follows a given similarity, as in semantic textual similarity (STS).</summary>
public sealed class SimilarityMetrics
{
    internal SimilarityMetrics()
    {
    }

    /// <summary>Pairs that were measured: rows with a label of which both vectors have a direction.</summary>
    public int NumberOfPairs { get; internal init; }

    /// <summary>Correlation of the ranks of cosine and label, equal values sharing their mean rank; cosines are equal that are as
    /// <see cref="float"/>. Range [-1, 1]; NaN where all cosines are equal, as in a collapsed embedding; the usual figure for STS.</summary>
    public double SpearmanCorrelation { get; internal init; }

    /// <summary>Correlation of cosine and label. Range [-1, 1]; NaN where all cosines are equal.</summary>
    public double PearsonCorrelation { get; internal init; }

    /// <summary>All figures in one line.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"Spearman {SpearmanCorrelation:0.000}, Pearson {PearsonCorrelation:0.000} over {NumberOfPairs} pairs");
}
