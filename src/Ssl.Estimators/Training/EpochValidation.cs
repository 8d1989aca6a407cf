namespace Ssl.Estimators.Training;

/// <summary>Says how good a method is after an epoch, and when a run no longer gets better.</summary>
/// <param name="Measure">
/// Loss on rows that training does not see; null where the caller canceled meanwhile. Called after every epoch, with the method in
/// evaluation mode.
/// </param>
/// <param name="Patience">Epochs without a lower loss after which the run ends. At least 1; null for never.</param>
internal sealed record EpochValidation(Func<double?> Measure, int? Patience)
{
    /// <summary>The lowest loss so far; null before the first that is finite.</summary>
    public double? Best { get; private set; }

    /// <summary>Takes in a loss and says whether it is lower than all before.</summary>
    public bool Improves(double loss)
    {
        if (!double.IsFinite(loss) || loss >= Best)
            return false;
        Best = loss;
        return true;
    }
}
