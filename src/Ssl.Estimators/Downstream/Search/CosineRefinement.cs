namespace Ssl.Estimators.Downstream;

/// <summary>
/// Orders what a search in single precision found by cosines that depend on the two vectors alone: a matrix product rounds equal vectors
/// differently in different places, so that of equal rows any could come first.
/// </summary>
internal static class CosineRefinement
{
    /// <summary>So many more than are asked for are found first: what rounding put behind the last place is among them.</summary>
    public const int Spare = 16;

    /// <summary>Gives the reference vector that a search found.</summary>
    public delegate ReadOnlySpan<float> VectorSource(int place);

    /// <summary>By how much two products of vectors of length 1 may be off together.</summary>
    public static float Tolerance(int dimension) => (float)(1.2e-7 * (4 + Math.Sqrt(dimension)));

    /// <summary>The cosine of two vectors that are not zero.</summary>
    public static double Cosine(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        double product = 0, a = 0, b = 0;
        for (var i = 0; i < first.Length; i++)
        {
            product += (double)first[i] * second[i];
            a += (double)first[i] * first[i];
            b += (double)second[i] * second[i];
        }
        return product / Math.Sqrt(a * b);
    }

    /// <summary>Takes the best of what was found; of equal cosines the first row comes first.</summary>
    /// <param name="query">Not zero.</param>
    /// <param name="found">Rows; those below 0 are none.</param>
    /// <param name="vectors">Their vectors, by the place in <paramref name="found"/>.</param>
    /// <param name="rows">Takes as many as it has room for; the rest stays as it is.</param>
    /// <param name="scores">Takes their cosines.</param>
    public static void Choose(ReadOnlySpan<float> query, ReadOnlySpan<long> found, VectorSource vectors, Span<long> rows, Span<float> scores)
    {
        var all = new List<(float Score, long Row)>(found.Length);
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i] >= 0)
                all.Add(((float)Cosine(query, vectors(i)), found[i]));       // rounded once: equal vectors are equal
        }
        all.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Row.CompareTo(b.Row));
        for (var i = 0; i < Math.Min(all.Count, rows.Length); i++)
            (scores[i], rows[i]) = all[i];
    }
}
