using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>The features of N rows, D each, as a regression needs them: a matrix that is only multiplied.</summary>
internal abstract class DesignMatrix
{
    /// <summary>N.</summary>
    public abstract long Rows { get; }

    /// <summary>D.</summary>
    public abstract long Width { get; }

    /// <summary>The matrix times weights.</summary>
    /// <param name="weights">Single [D, K].</param>
    /// <returns>[N, K].</returns>
    public abstract Tensor Times(Tensor weights);

    /// <summary>The transposed matrix times values.</summary>
    /// <param name="values">Single [N, K].</param>
    /// <returns>[D, K].</returns>
    public abstract Tensor TransposedTimes(Tensor values);
}

/// <summary>Features that are all written out.</summary>
/// <param name="matrix">Single [N, D], the caller's.</param>
internal sealed class DenseDesign(Tensor matrix) : DesignMatrix
{
    public override long Rows => matrix.shape[0];

    public override long Width => matrix.shape[1];

    public override Tensor Times(Tensor weights) => matrix.mm(weights);

    public override Tensor TransposedTimes(Tensor values) => matrix.t().mm(values);
}

/// <summary>Features that a row has or has not: as many numbers of features a row, of which one that stands twice counts twice.</summary>
/// <param name="numbers">Int64 [N, F], from 0 to below <paramref name="width"/>, the caller's.</param>
/// <param name="width">D.</param>
internal sealed class IndicatorDesign(Tensor numbers, long width) : DesignMatrix
{
    public override long Rows => numbers.shape[0];

    public override long Width => width;

    public override Tensor Times(Tensor weights)
    {
        using var scope = NewDisposeScope();
        return weights.index_select(0, numbers.flatten()).view(Rows, numbers.shape[1], weights.shape[1]).sum(1L).MoveToOuterDisposeScope();
    }

    public override Tensor TransposedTimes(Tensor values)
    {
        using var scope = NewDisposeScope();
        var (features, classes) = (numbers.shape[1], values.shape[1]);
        var sums = zeros(width, classes, values.dtype);
        // A row of values a feature, as libtorch adds fast where the index is the same along a row.
        sums.scatter_add_(0, numbers.view(-1, 1).expand(-1, classes), values.unsqueeze(1).expand(-1, features, -1).reshape(-1, classes));
        return sums.MoveToOuterDisposeScope();
    }
}
