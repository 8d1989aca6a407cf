namespace Ssl.Estimators.Training;

/// <summary>Decides which epoch's weights are kept, and ends a run that no longer gets better.</summary>
/// <param name="Measure">Loss on rows that training does not see. Called after every epoch, with the method in evaluation mode.</param>
/// <param name="Patience">Epochs without a lower loss after which the run ends. At least 1.</param>
internal sealed record EpochValidation(Func<double> Measure, int Patience)
{
    /// <summary>The lowest loss so far; infinite before the first.</summary>
    public double Best { get; set; } = double.PositiveInfinity;

    /// <summary>Whether the method, as it is now, is better than after every epoch before.</summary>
    /// <param name="loss">What was measured.</param>
    public bool Improves(out double loss)
    {
        loss = Measure();
        if (!(loss < Best))
            return false;
        Best = loss;
        return true;
    }
}
