using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>Watches whether all inputs end up at the same embedding: the way in which self-supervised training fails silently.</summary>
/// <remarks>
/// The measure is that of SimSiam (Chen and He 2021, arXiv:2011.10566, section 4.1): the standard deviation of the L2-normalized
/// embeddings over the batch, averaged over dimensions, against 1 / sqrt(D), the value for directions spread evenly.
/// </remarks>
/// <param name="threshold">Spread under which the watch warns; 0 for never.</param>
/// <param name="patience">Share of the run before which it does not warn: an untrained encoder may well start narrow.</param>
internal sealed class CollapseWatch(double threshold, double patience)
{
    /// <summary>Steps from one measurement to the next.</summary>
    public const int Interval = 10;

    // Measurements of single batches are noisy: warn on a moving average of about five.
    private const double Smoothing = 0.2;

    private const int LeastRows = 4;

    private double? _average;
    private bool _warned;

    /// <summary>The last measured spread, or <see langword="null"/>.</summary>
    public double? Spread { get; private set; }

    /// <summary>Spread of a batch of embeddings: 0 when all have the same direction, about 1 when directions are even.</summary>
    /// <param name="embeddings">Shape [N, D].</param>
    /// <returns>A scalar on the same device, or <see langword="null"/> for fewer than four rows, which say nothing.</returns>
    public static Tensor? Measure(Tensor? embeddings)
    {
        if (embeddings is null || embeddings.ndim != 2 || embeddings.shape[0] < LeastRows)
            return null;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor values = embeddings.detach().to(ScalarType.Float32);
        Tensor directions = values / values.norm(1, keepdim: true).clamp_min_(Number(1e-12));       // [N, D]
        Tensor spread = directions.std(0, unbiased: true).mean() * Number(Math.Sqrt(embeddings.shape[1]));
        return spread.MoveToOuterDisposeScope();
    }

    /// <summary>Takes a measurement.</summary>
    /// <param name="spread">What <see cref="Measure"/> gave.</param>
    /// <param name="progress">Share of the run that is done.</param>
    /// <returns>Whether to warn now; true at most once.</returns>
    public bool Add(double spread, double progress)
    {
        Spread = spread;
        _average = _average is { } average ? average + Smoothing * (spread - average) : spread;
        if (_warned || progress < patience || !(_average < threshold))
            return false;
        return _warned = true;
    }
}
