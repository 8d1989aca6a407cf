using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Linear models of a few rows: softmax regression of classes, ridge regression of a value.</summary>
/// <remarks>N rows, D slots, K outputs. Parameters are [D + 1, K], the biases last; they are not penalized.</remarks>
internal static class LinearModels
{
    /// <summary>Ridge regression: the parameters of least mean squared error.</summary>
    /// <param name="features">Single [N, D].</param>
    /// <param name="targets">Single [N, 1].</param>
    /// <param name="l2">Penalty of the squared weights.</param>
    public static Tensor Ridge(Tensor features, Tensor targets, double l2)
    {
        using var scope = NewDisposeScope();
        // Doubles: the matrix may be close to singular.
        var (x, y) = (features.to(ScalarType.Float64), targets.to(ScalarType.Float64));
        var (center, mean) = (x.mean([0]), y.mean([0]));
        var centered = x.sub(center);
        var rows = x.shape[0];
        // With fewer rows than slots the same solution comes from the smaller matrix of inner products of rows.
        var weights = rows < x.shape[1]
            ? centered.t().mm(linalg.solve(centered.mm(centered.t()).add(eye(rows, dtype: ScalarType.Float64), Number(l2 * rows)), y.sub(mean)))
            : linalg.solve(centered.t().mm(centered).add(eye(x.shape[1], dtype: ScalarType.Float64), Number(l2 * rows)),
                centered.t().mm(y.sub(mean)));
        return cat([weights, mean.unsqueeze(0).sub(center.unsqueeze(0).mm(weights))]).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Log-odds, or values: Single [N, K].</summary>
    /// <param name="features">Single [N, D].</param>
    /// <param name="parameters">[D + 1, K].</param>
    public static Tensor Outputs(Tensor features, Tensor parameters) => SoftmaxRegression.Logits(new DenseDesign(features), parameters);

    /// <summary>Some rows.</summary>
    public static Tensor Take(Tensor rows, int[] which) => rows.index_select(0, tensor(which.Select(i => (long)i).ToArray()));
}
