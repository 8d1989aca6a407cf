using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Distance from the mean in units of the scatter of the reference rows. In double precision: covariances lose digits.</summary>
internal sealed class MahalanobisModel : VectorAnomalyModel
{
    private const string MeanName = "mean", WhiteningName = "whitening", ShrinkageKey = "shrinkage";

    private readonly Tensor _mean;          // [1, D]
    private readonly Tensor _whitening;     // [D, D], transposed inverse of the Cholesky factor of the covariance

    private MahalanobisModel(Tensor mean, Tensor whitening, double shrinkage, string inputColumn) : base(inputColumn)
    {
        (_mean, _whitening, Shrinkage) = (mean.DetachFromDisposeScope(), whitening.DetachFromDisposeScope(), shrinkage);
        Dimension = (int)mean.shape[1];
    }

    public override AnomalyMethod Method => AnomalyMethod.Mahalanobis;

    public override int Dimension { get; }

    /// <summary>How much of the covariance is that of a sphere, from 0 to 1.</summary>
    public double Shrinkage { get; }

    /// <summary>Mean and shrunk covariance of vectors.</summary>
    /// <param name="vectors">Row after row, all finite.</param>
    /// <param name="dimension">Length of a vector.</param>
    /// <param name="inputColumn">The column of vectors.</param>
    /// <exception cref="InvalidOperationException">All vectors are the same.</exception>
    public static MahalanobisModel Fit(ReadOnlySpan<float> vectors, int dimension, string inputColumn)
    {
        using var scope = NewDisposeScope();
        var count = vectors.Length / dimension;
        var mean = new double[dimension];
        for (var row = 0; row < count; row++)
        {
            for (var i = 0; i < dimension; i++)
                mean[i] += (vectors[row * dimension + i] - mean[i]) / (row + 1);
        }
        using var scatter = new Scatter(mean);
        for (var row = 0; row < count; row++)
            scatter.Add(vectors.Slice(row * dimension, dimension));
        var (sample, fourth) = scatter.ToCovariance();
        if (fourth == 0)
        {
            throw new InvalidOperationException($"All {count} vectors in column '{inputColumn}' are the same: there is no scatter to measure a "
                + "distance by. Give Fit more rows, or use AnomalyMethod.NeighborDistance.");
        }

        var shrinkage = ShrunkCovariance.Share(sample, fourth, count);
        // |x W| with W = inverse(L) transposed and L L' the covariance is the square root of x' inverse(covariance) x.
        var whitening = linalg.inv(linalg.cholesky(ShrunkCovariance.Mix(sample, shrinkage))).t().contiguous();
        return new MahalanobisModel(tensor(mean).unsqueeze(0), whitening.alias(), shrinkage, inputColumn);
    }

    public override void Score(Span<float> vectors, int count, Span<float> scores)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(vectors[..(count * Dimension)]).CopyTo(host.bytes);
        var centered = host.to(_mean.device).to(ScalarType.Float64) - _mean;        // [N, D]
        var distance = centered.mm(_whitening).pow(Number(2)).sum(1).sqrt().to(ScalarType.Float32).cpu();
        MemoryMarshal.Cast<byte, float>(distance.bytes).CopyTo(scores);
        for (var i = 0; i < count; i++)
        {
            if (!float.IsFinite(scores[i]))
                scores[i] = float.NaN;
        }
    }

    public static MahalanobisModel Create(JsonObject content, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var (mean, whitening) = (tensors[MeanName], tensors[WhiteningName]);
        if (mean.dtype != ScalarType.Float64 || whitening.dtype != ScalarType.Float64 || mean.ndim != 2 || mean.shape[0] != 1
            || !whitening.shape.SequenceEqual([mean.shape[1], mean.shape[1]]))
            throw new FormatException("The saved detector is damaged: its mean does not fit its covariance.");
        return new MahalanobisModel(mean.alias(), whitening.alias(), (double)content[ShrinkageKey]!, InputColumnOf(content));
    }

    public override void MoveTo(Device device)
    {
        // Stays on the host: one small product a batch, in double precision, which GPUs of most users are slow at.
    }

    protected override void Free()
    {
        _mean.Dispose();
        _whitening.Dispose();
    }

    protected override void Describe(JsonObject content, Dictionary<string, Tensor> tensors)
    {
        base.Describe(content, tensors);
        content[ShrinkageKey] = Shrinkage;
        tensors.Add(MeanName, _mean);
        tensors.Add(WhiteningName, _whitening);
    }
}
