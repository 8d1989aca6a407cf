namespace Ssl.Estimators.Tasks;

/// <summary>How much each of several models counts, from what they said of rows that they had not seen.</summary>
/// <remarks>
/// Smyth and Wolpert, "Linearly Combining Density Estimators via Stacking", Machine Learning 1999: the mixture under which the held-out
/// labels are most likely, found by EM. A few imagined rows stand against what chance makes of few real
/// ones: one that all models explain alike, and some that only the simplest explains.
/// </remarks>
internal static class Stacking
{
    private const int Rounds = 500;
    private const double RowsForAll = 1;

    /// <summary>Weights of the models: not negative, summing to 1.</summary>
    /// <param name="likelihoods">For each model, how likely it held each row's label: of equal length, at least 0. The last model is the
    /// simplest.</param>
    /// <param name="repeats">How often each row stands among them.</param>
    /// <param name="rowsForSimplest">Imagined rows that only the simplest model explains.</param>
    public static double[] Weights(IReadOnlyList<double[]> likelihoods, int repeats, double rowsForSimplest)
    {
        var models = likelihoods.Count;
        var weights = new double[models];
        Array.Fill(weights, 1.0 / models);
        var rows = likelihoods[0].Length;
        for (var round = 0; round < Rounds; round++)
        {
            var next = new double[models];
            Array.Fill(next, RowsForAll / models);
            next[^1] += rowsForSimplest;
            for (var row = 0; row < rows; row++)
            {
                var mixture = 0.0;
                for (var model = 0; model < models; model++)
                    mixture += weights[model] * likelihoods[model][row];
                for (var model = 0; model < models; model++)
                    next[model] += (mixture > 0 ? weights[model] * likelihoods[model][row] / mixture : weights[model]) / repeats;
            }
            for (var model = 0; model < models; model++)
                weights[model] = next[model] / ((double)rows / repeats + RowsForAll + rowsForSimplest);
        }
        return weights;
    }
}
