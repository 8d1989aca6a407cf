namespace Ssl.Estimators.Tasks;

/// <summary>
/// How sure a model may be: the one temperature by which its log-odds are divided so that labels it has not seen are most likely (Guo et al.,
/// "On Calibration of Modern Neural Networks", 2017), and how likely they are then.
/// </summary>
/// <param name="Temperature">Below 1 where the model is too cautious, as under a strong penalty, above 1 where it is too sure.</param>
/// <param name="Likelihoods">Of every held-out row, of its own class.</param>
internal sealed record Calibration(double Temperature, double[] Likelihoods)
{
    private static readonly double[] s_temperatures = [.. Enumerable.Range(-20, 33).Select(i => Math.Pow(2, i / 4.0))];

    /// <summary>The mean log-loss of the held-out rows, once calibrated.</summary>
    public double Loss { get; } = LogLoss(Likelihoods);

    /// <summary>Finds the temperature.</summary>
    /// <param name="logOdds">Row after row the log-odds of every class.</param>
    /// <param name="classes">Of each row its class, from 0.</param>
    /// <param name="labels">Number of different rows among them: of few, 1 is likely before any is seen.</param>
    public static Calibration Of(float[] logOdds, int[] classes, int labels) => s_temperatures.Select(temperature => At(temperature, logOdds, classes))
        .MinBy(calibration => calibration.Loss + Math.Pow(Math.Log(calibration.Temperature), 2) / (2.0 * labels))!;

    /// <summary>The likelihoods at a given temperature.</summary>
    /// <param name="temperature">Divides the log-odds.</param>
    /// <param name="logOdds">Row after row the log-odds of every class.</param>
    /// <param name="classes">Of each row its class, from 0.</param>
    public static Calibration At(double temperature, float[] logOdds, int[] classes)
    {
        var probabilities = new double[logOdds.Length / classes.Length];
        return new Calibration(temperature, [.. classes.Select((label, row) =>
        {
            for (var k = 0; k < probabilities.Length; k++)
                probabilities[k] = logOdds[row * probabilities.Length + k];
            FewLabelsModel.Normalize(probabilities, temperature);
            return probabilities[label];
        })]);
    }

    private static double LogLoss(double[] likelihoods) => -likelihoods.Average(p => Math.Log(Math.Max(p, 1e-12)));
}
