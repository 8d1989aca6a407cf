namespace Ssl.Estimators.Encoders;

/// <summary>
/// What an encoder must know of the cells of a table row: how many numbers there are, and how many entries each category has. Immutable.
/// </summary>
/// <remarks>
/// A vector column gives one cell for each of its slots. Every categorical cell has <see cref="SpecialCount"/> entries before its
/// categories: missing, unseen (not in the training data) and rare.
/// </remarks>
public sealed class TableLayout
{
    /// <summary>The entry of a missing category; a hidden cell is a missing one.</summary>
    public const int MissingCode = 0;

    /// <summary>The entry of a category that the training data did not have.</summary>
    public const int UnseenCode = 1;

    /// <summary>The entry that all rare categories of a column share.</summary>
    public const int RareCode = 2;

    /// <summary>Entries before the first category.</summary>
    public const int SpecialCount = 3;

    /// <summary>A layout of these cells.</summary>
    /// <param name="numericNames">Names of the numeric cells.</param>
    /// <param name="categoricalNames">Names of the categorical cells.</param>
    /// <param name="categoryCounts">Entries of each categorical cell, special ones included.</param>
    /// <param name="numericQuantiles">
    /// For each numeric cell the edges, rising and at least two, of bins with equally many scaled training values: what piecewise-linear
    /// embeddings are cut at.
    /// </param>
    /// <exception cref="ArgumentException">There is no cell, lengths differ, or a count or an edge list is too short.</exception>
    public TableLayout(IReadOnlyList<string> numericNames, IReadOnlyList<string> categoricalNames, IReadOnlyList<int> categoryCounts,
        IReadOnlyList<float[]> numericQuantiles)
    {
        ArgumentNullException.ThrowIfNull(numericNames);
        ArgumentNullException.ThrowIfNull(categoricalNames);
        ArgumentNullException.ThrowIfNull(categoryCounts);
        ArgumentNullException.ThrowIfNull(numericQuantiles);
        if (numericNames.Count + categoricalNames.Count == 0)
            throw new ArgumentException("A table needs at least one cell.", nameof(numericNames));
        if (categoryCounts.Count != categoricalNames.Count || categoryCounts.Any(count => count < SpecialCount))
            throw new ArgumentException($"Every categorical cell needs a count of at least {SpecialCount}.", nameof(categoryCounts));
        if (numericQuantiles.Count != numericNames.Count
            || numericQuantiles.Any(edges => edges.Length < 2 || edges.Length != numericQuantiles[0].Length))
            throw new ArgumentException("Every numeric cell needs equally many edges, at least two.", nameof(numericQuantiles));
        NumericNames = [.. numericNames];
        CategoricalNames = [.. categoricalNames];
        CategoryCounts = [.. categoryCounts];
        NumericQuantiles = [.. numericQuantiles.Select(edges => (float[])edges.Clone())];
        var offsets = new long[categoryCounts.Count];
        for (var i = 1; i < offsets.Length; i++)
            offsets[i] = offsets[i - 1] + categoryCounts[i - 1];
        CategoryOffsets = offsets;
        TotalCategories = categoryCounts.Sum();
    }

    /// <summary>Names of the numeric cells: the column's, with ".slot" behind it for a vector column.</summary>
    public IReadOnlyList<string> NumericNames { get; }

    /// <summary>Names of the categorical cells.</summary>
    public IReadOnlyList<string> CategoricalNames { get; }

    /// <summary>Entries of each categorical cell, special ones included.</summary>
    public IReadOnlyList<int> CategoryCounts { get; }

    /// <summary>Edges of equally filled bins of each numeric cell, in scaled values.</summary>
    public IReadOnlyList<float[]> NumericQuantiles { get; }

    /// <summary>Number of numeric cells.</summary>
    public int NumericCount => NumericNames.Count;

    /// <summary>Number of categorical cells.</summary>
    public int CategoricalCount => CategoricalNames.Count;

    /// <summary>Number of cells of a row.</summary>
    public int CellCount => NumericCount + CategoricalCount;

    /// <summary>Entries of all categorical cells together.</summary>
    public int TotalCategories { get; }

    /// <summary>Where each categorical cell's entries begin in a table of all entries.</summary>
    internal long[] CategoryOffsets { get; }

    /// <summary>The most entries of a categorical cell; 0 without one.</summary>
    internal int LargestCategoryCount => CategoryCounts.Count == 0 ? 0 : CategoryCounts.Max();
}
