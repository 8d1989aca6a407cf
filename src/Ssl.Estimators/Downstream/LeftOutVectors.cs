namespace Ssl.Estimators.Downstream;

/// <summary>Vectors that cannot be used, and where the first of them stands.</summary>
internal sealed class LeftOutVectors
{
    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>A sentence about the first, with a space before it; empty where there is none.</summary>
    public string First { get; private set; } = "";

    /// <summary>Notes one.</summary>
    /// <param name="column">Its column.</param>
    /// <param name="row">The number of its row, from 0.</param>
    /// <param name="vector">All zero, or with a value that is not finite.</param>
    public void Add(string column, long row, ReadOnlySpan<float> vector)
    {
        if (Count++ > 0)
            return;
        var slot = 0;
        while (slot < vector.Length && float.IsFinite(vector[slot]))
            slot++;
        var fault = slot == vector.Length ? $"the vector in column '{column}' is zero"
            : $"slot {slot} of column '{column}' is {(float.IsNaN(vector[slot]) ? "NaN" : "infinite")}";
        First = FormattableString.Invariant($" The first is row {row} (rows and slots count from 0): {fault}.");
    }
}
