namespace Ssl.Estimators.Rows;

/// <summary>Which rows are kept out of training to measure the loss on them: by row number, so that every pass keeps the same
/// ones.</summary>
/// <param name="Fraction">Share of the rows. Greater than 0, less than 1.</param>
/// <param name="Seed">The same seed keeps the same rows.</param>
internal sealed record RowSplit(double Fraction, ulong Seed)
{
    /// <summary>Whether the row is kept out, where the number of rows is not known.</summary>
    /// <param name="row">Its number among all rows of the data, from 0; rows that cannot be used count.</param>
    public bool IsHeldOut(long row) => Draw(row) < Fraction;

    /// <summary>A number evenly between 0 and 1 for a row.</summary>
    /// <param name="row">Its number among all rows of the data, from 0.</param>
    public double Draw(long row)
    {
        // splitmix64, as ShuffleRandom seeds itself: neighboring numbers give unrelated bits.
        ulong z = Seed + (ulong)(row + 1) * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return (z >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>The rows in the order of their draws; the first ones, as many as the fraction says, are kept out.</summary>
    /// <param name="draws">One draw for each row.</param>
    /// <returns>Rows to train on, in their order, and rows kept out, in random order.</returns>
    public (int[] Training, int[] HeldOut) Divide(IReadOnlyList<double> draws)
    {
        int[] order = [.. Enumerable.Range(0, draws.Count).OrderBy(row => draws[row])];
        int count = (int)Math.Round(Fraction * draws.Count);
        return ([.. order[count..].Order()], order[..count]);
    }

    /// <summary>Refuses a split that leaves too little.</summary>
    /// <param name="training">Rows to train on.</param>
    /// <param name="heldOut">Rows kept out.</param>
    /// <param name="minimum">Fewest rows that the method can compute a loss of.</param>
    public void Require(long training, long heldOut, int minimum)
    {
        if (heldOut >= minimum && training >= minimum)
            return;
        bool few = heldOut < minimum;
        throw new InvalidOperationException(FormattableString.Invariant(
            $"ValidationFraction {Fraction} leaves {(few ? heldOut : training)} rows to {(few ? "validate" : "train")} on, and the method ")
            + $"needs at least {minimum}. {(few ? "Raise" : "Lower")} it, give Fit more rows, or set it to 0.");
    }
}

/// <summary>The rows of one of several processes that train together: every so-manieth, by row number.</summary>
/// <param name="Rank">Number of the process, from 0.</param>
/// <param name="Count">Processes.</param>
internal sealed record RowShard(int Rank, int Count)
{
    /// <summary>Whether the row is this process's.</summary>
    /// <param name="row">Its number among all rows of the data, from 0.</param>
    public bool Has(long row) => row % Count == Rank;

    /// <summary>The number among all rows of one of this process's.</summary>
    public long RowAt(long own) => own * Count + Rank;
}
