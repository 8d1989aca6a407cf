namespace Ssl.Estimators.Tasks;

/// <summary>How much each of several models counts, from what they said of rows that they had not seen.</summary>
/// <remarks>
/// Smyth and Wolpert, "Linearly Combining Density Estimators via Stacking", Machine Learning 1999: the mixture under which the held-out
/// labels are most likely, found by EM. A few imagined rows that all models explain alike keep the weights of few rows together.
/// </remarks>
internal static class Stacking
{
    private const int Rounds = 500;
    private const double ImaginedRows = 1;

    /// <summary>Weights of the models: not negative, summing to 1.</summary>
    /// <param name="likelihoods">For each model, how likely it held each row's label: of equal length, at least 0.</param>
    public static double[] Weights(IReadOnlyList<double[]> likelihoods)
    {
        var models = likelihoods.Count;
        var weights = new double[models];
        Array.Fill(weights, 1.0 / models);
        var rows = likelihoods[0].Length;
        for (var round = 0; round < Rounds; round++)
        {
            var next = new double[models];
            Array.Fill(next, ImaginedRows / models);
            for (var row = 0; row < rows; row++)
            {
                var mixture = 0.0;
                for (var model = 0; model < models; model++)
                    mixture += weights[model] * likelihoods[model][row];
                for (var model = 0; model < models; model++)
                    next[model] += mixture > 0 ? weights[model] * likelihoods[model][row] / mixture : weights[model];
            }
            for (var model = 0; model < models; model++)
                weights[model] = next[model] / (rows + ImaginedRows);
        }
        return weights;
    }
}
