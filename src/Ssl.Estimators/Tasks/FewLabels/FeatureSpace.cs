using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Vectors of labeled and unlabeled rows, centered and brought to one total variance, so that a penalty means the same on every column. One
/// factor for all slots of a column: how its blocks weigh against each other is the column's affair; two columns beside each other weigh alike.
/// Lives in the dispose scope in which it is made.
/// </summary>
internal sealed class FeatureSpace
{
    private readonly double[] _means;
    private readonly double[] _factors;

    /// <param name="labeled">Single [N, D].</param>
    /// <param name="unlabeled">Single [U, D].</param>
    public FeatureSpace(Tensor labeled, Tensor unlabeled)
    {
        using var scope = NewDisposeScope();
        // In Double: the squares of a Single overflow or vanish, and large values that differ little have no variance.
        var all = cat([labeled, unlabeled]).to(ScalarType.Float64);
        var mean = all.mean([0]);
        var centered = all.sub(mean);
        var total = centered.pow(Number(2)).mean([0]).sum().Value<double>();
        var factor = total > 0 ? Math.Sqrt(LabeledRowSearch.TotalVariance / total) : 1;
        var scaled = centered.mul(Number(factor)).to(ScalarType.Float32);
        Labeled = scaled.narrow(0, 0, labeled.shape[0]).clone().MoveToOuterDisposeScope();
        Unlabeled = scaled.narrow(0, labeled.shape[0], unlabeled.shape[0]).clone().MoveToOuterDisposeScope();
        IsSparse = labeled.eq(Number(0.0)).to(ScalarType.Float32).mean().Value<float>() > 0.2;
        _means = MemoryMarshal.Cast<byte, double>(mean.contiguous().bytes).ToArray();
        _factors = [.. Enumerable.Repeat(factor, _means.Length)];
    }

    private FeatureSpace(FeatureSpace first, FeatureSpace second)
    {
        using var scope = NewDisposeScope();
        var half = Number(Math.Sqrt(0.5));
        var (labeled, unlabeled) = (cat([first.Labeled, second.Labeled], 1), cat([first.Unlabeled, second.Unlabeled], 1));
        Labeled = labeled.mul(half).MoveToOuterDisposeScope();
        Unlabeled = unlabeled.mul(half).MoveToOuterDisposeScope();
        IsSparse = first.IsSparse || second.IsSparse;
        _means = [.. first._means, .. second._means];
        _factors = [.. first._factors.Concat(second._factors).Select(factor => factor * Math.Sqrt(0.5))];
    }

    /// <summary>Single [N, D].</summary>
    public Tensor Labeled { get; }

    /// <summary>Single [U, D].</summary>
    public Tensor Unlabeled { get; }

    /// <summary>Length of a vector.</summary>
    public int Slots => _means.Length;

    /// <summary>Whether many values are zeros: then some slots may be worth nothing at all.</summary>
    public bool IsSparse { get; }

    /// <summary>The vectors of both, those of the other space behind these, in the same total variance.</summary>
    public FeatureSpace Beside(FeatureSpace other) => new(this, other);

    /// <summary>A linear model of the vectors as they were, of one of the scaled ones.</summary>
    /// <param name="scaled">Row after row for each of the first slots, then the biases: (slots + 1) x outputs.</param>
    /// <param name="outputs">Numbers a row.</param>
    public float[] Unscaled(float[] scaled, int outputs)
    {
        var slots = scaled.Length / outputs - 1;
        var weights = new float[scaled.Length];
        for (var k = 0; k < outputs; k++)
        {
            double bias = scaled[slots * outputs + k];
            for (var slot = 0; slot < slots; slot++)
            {
                var weight = scaled[slot * outputs + k] * _factors[slot];
                weights[slot * outputs + k] = (float)weight;
                // Of the weight as it is used: what it loses as a Single is not multiplied by a large mean.
                bias -= (double)(float)weight * _means[slot];
            }
            weights[slots * outputs + k] = (float)bias;
        }
        return weights;
    }
}
