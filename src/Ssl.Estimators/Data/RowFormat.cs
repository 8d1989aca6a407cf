using Microsoft.ML;

namespace Ssl.Estimators.Data;

/// <summary>How rows of a data view become training rows: which columns are read, and what is kept of them.</summary>
internal abstract class RowFormat
{
    /// <summary>The columns that are read.</summary>
    public abstract IReadOnlyList<string> Columns { get; }

    /// <summary>What a usable row must have, as in "rows without text": "text", "value", "series", "image".</summary>
    public abstract string Needed { get; }

    /// <summary>Empty stores, one for each batch of a step.</summary>
    public abstract RowStore[] NewStores();

    /// <summary>Gets the columns' getters of a row or cursor.</summary>
    /// <param name="row">Its <see cref="Columns"/> are active.</param>
    /// <returns>
    /// Appends the row on which it stands to stores that <see cref="NewStores"/> made, one row each, and gives true; or appends nothing
    /// and gives false, because there is nothing in the row to learn from.
    /// </returns>
    public abstract Func<RowStore[], bool> Open(DataViewRow row);
}
