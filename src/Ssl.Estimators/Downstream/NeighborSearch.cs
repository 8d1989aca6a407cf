namespace Ssl.Estimators;

/// <summary>How neighbors are searched.</summary>
public enum NeighborSearch
{
    /// <summary>Every query is compared with every reference row.</summary>
    Exact,

    /// <summary>
    /// Reference rows lie in cells around centers, and a query is compared with those of the nearest cells only: faster from some ten
    /// thousand rows on, and some neighbors are missed. Computes on the CPU.
    /// </summary>
    Approximate,
}
