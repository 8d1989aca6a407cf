using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Covariance of vectors that come one by one, in double precision, around a mean that is known.</summary>
internal sealed class Scatter : IDisposable
{
    private const int ChunkRows = 1024;

    private readonly double[] _mean;
    private readonly double[] _chunk;
    private readonly Tensor _products;      // [D, D]
    private int _waiting;
    private double _fourth;

    /// <param name="mean">D numbers.</param>
    public Scatter(double[] mean)
    {
        (_mean, _chunk) = (mean, new double[ChunkRows * mean.Length]);
        _products = zeros(mean.Length, mean.Length, dtype: ScalarType.Float64).DetachFromDisposeScope();
    }

    /// <summary>Vectors so far.</summary>
    public long Count { get; private set; }

    /// <summary>Takes a vector into account.</summary>
    /// <param name="vector">D finite numbers.</param>
    public void Add(ReadOnlySpan<float> vector)
    {
        var centered = _chunk.AsSpan(_waiting * _mean.Length, _mean.Length);
        double square = 0;
        for (var i = 0; i < vector.Length; i++)
        {
            centered[i] = vector[i] - _mean[i];
            square += centered[i] * centered[i];
        }
        _fourth += square * square;
        Count++;
        if (++_waiting == ChunkRows)
            Flush();
    }

    /// <summary>The covariance, divided by N, [D, D] and the caller's; and the mean fourth power of the distance from the mean.</summary>
    public (Tensor Covariance, double Fourth) ToCovariance()
    {
        Flush();
        return (_products.div(Number((double)Count)), _fourth / Count);
    }

    public void Dispose() => _products.Dispose();

    private void Flush()
    {
        if (_waiting == 0)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = empty([_waiting, _mean.Length], ScalarType.Float64);
        MemoryMarshal.AsBytes(_chunk.AsSpan(0, _waiting * _mean.Length)).CopyTo(rows.bytes);
        _products.add_(rows.t().mm(rows), One);
        _waiting = 0;
    }
}
