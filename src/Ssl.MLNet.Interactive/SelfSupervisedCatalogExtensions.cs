using Microsoft.DotNet.Interactive;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Reporting;

namespace Ssl.MLNet.Interactive;

/// <summary>What an encoder does to rows, to look at in a cell: <c>ssl.EmbeddingMap(data, encoder)</c> and <c>ssl.NeighborTable(data, encoder)</c>.</summary>
public static class SelfSupervisedCatalogExtensions
{
    private const int MostMapped = 3_000, MostExamples = 100, MostNeighbors = 20;

    /// <summary>
    /// Rows as dots of two maps, t-SNE and principal components: rows that the encoder holds for alike lie together. Pointing at a dot tells which row it is.
    /// Stopping the cell ends it.
    /// </summary>
    /// <param name="ssl">The catalog.</param>
    /// <param name="data">Rows with the encoder's input columns; read several times, always in the same order.</param>
    /// <param name="encoder">The encoder; it never changes.</param>
    /// <param name="labelColumnName">Name of a column of classes, for the colors: a key, text, a whole number or <see cref="bool"/>; null draws all in one color.</param>
    /// <param name="displayColumnName">Name of the column that tells which row it is: text, a key, a number, <see cref="bool"/> or a time; null takes what the encoder reads.</param>
    /// <param name="numberOfRows">Rows in the map; of more, so many are drawn at random. From 4 to 3,000; t-SNE takes time with their square.</param>
    /// <param name="seed">Of the draw.</param>
    /// <returns>The maps, as a view for the last line of a cell.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or <paramref name="numberOfRows"/> is outside its range.</exception>
    /// <exception cref="InvalidOperationException">Fewer than four rows have an embedding with a direction.</exception>
    /// <exception cref="OperationCanceledException">The cell was stopped.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public static NotebookView EmbeddingMap(this SelfSupervisedCatalog ssl, IDataView data, EncoderTransformer encoder, string? labelColumnName = null,
        string? displayColumnName = null, int numberOfRows = 1_000, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(ssl);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        Require(numberOfRows, MapSection.FewestRows, MostMapped, nameof(numberOfRows));
        var rows = new EmbeddedRows(ssl.Context, data, encoder, labelColumnName, displayColumnName, numberOfRows, seed, MapSection.FewestRows);
        var mapped = rows.Draw(numberOfRows);
        var page = new Page();
        MapSection.Add(page, rows, mapped, rows.Show(mapped, Stopped), Stopped);
        return new NotebookView(Views.Fragment(page), FormattableString.Invariant($"A map of {mapped.Length:N0} rows{(labelColumnName is null ? "" : $" in the colors of {labelColumnName}")}: a notebook shows it, and a page that has its Html."));
    }

    /// <summary>
    /// Rows and their nearest neighbors by cosine, as a table: texts and cells in words, images and series as small pictures. The search is exact and holds
    /// the embeddings of all rows in memory.
    /// </summary>
    /// <param name="ssl">The catalog.</param>
    /// <param name="data">Rows with the encoder's input columns, among which is looked; read several times, always in the same order.</param>
    /// <param name="encoder">The encoder; it never changes.</param>
    /// <param name="queries">Rows with the encoder's input columns whose neighbors are looked for; null takes some of <paramref name="data"/>, which do not find themselves.</param>
    /// <param name="labelColumnName">Name of a column of classes: they are told, and marked where they are the same; null tells none. Rows of <paramref name="queries"/> need not have it.</param>
    /// <param name="displayColumnName">Name of the column by which rows are shown: text, a key, a number, <see cref="bool"/> or a time; null shows what the encoder reads. Rows of
    /// <paramref name="queries"/> need not have it.</param>
    /// <param name="numberOfExamples">Rows whose neighbors are shown; of more, so many are drawn at random. From 1 to 100.</param>
    /// <param name="numberOfNeighbors">Neighbors of each. From 1 to 20.</param>
    /// <param name="seed">Of the draw.</param>
    /// <returns>The table, as a view for the last line of a cell.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or a number is outside its range.</exception>
    /// <exception cref="InvalidOperationException">Fewer than two rows have an embedding with a direction.</exception>
    /// <exception cref="OperationCanceledException">The cell was stopped.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public static NotebookView NeighborTable(this SelfSupervisedCatalog ssl, IDataView data, EncoderTransformer encoder, IDataView? queries = null, string? labelColumnName = null,
        string? displayColumnName = null, int numberOfExamples = 5, int numberOfNeighbors = 5, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(ssl);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        Require(numberOfExamples, 1, MostExamples, nameof(numberOfExamples));
        Require(numberOfNeighbors, 1, MostNeighbors, nameof(numberOfNeighbors));
        var rows = new EmbeddedRows(ssl.Context, data, encoder, labelColumnName, displayColumnName, int.MaxValue, seed);
        var asking = queries is null ? rows
            : new EmbeddedRows(ssl.Context, queries, encoder, Known(queries, labelColumnName), Known(queries, displayColumnName), int.MaxValue, seed, minimumNumberOfRows: 1);
        // Queries of one's own stay in their order.
        int[] asked = asking.Set.Count <= numberOfExamples ? [.. Enumerable.Range(0, asking.Set.Count)] : asking.Draw(numberOfExamples);
        var found = NeighborSection.Find(asking, asked, rows, numberOfNeighbors);
        var near = found.SelectMany(list => list).Select(item => item.Row);
        var show = rows.Show(queries is null ? near.Concat(asked) : near, Stopped);
        var showQuery = queries is null ? show : asking.Show(asked, Stopped);
        var page = new Page();
        NeighborSection.Add(page, asking, asked, showQuery, rows, found, show);
        return new NotebookView(Views.Fragment(page), string.Join(Environment.NewLine, asked.Select((row, i)
            => $"{Words(asking, row, showQuery)}{Environment.NewLine}{string.Join(Environment.NewLine, found[i].Select(item => FormattableString.Invariant($"  {item.Cosine:0.00}  {Words(rows, item.Row, show)}")))}")));

        static string Words(EmbeddedRows of, int row, Func<int, ShownRow> shown) => shown(row).Plain + (of.LabelOf(row) is { } label ? $" [{label}]" : "");
    }

    // Of the cell that is running.
    private static CancellationToken Stopped => KernelInvocationContext.Current?.CancellationToken ?? CancellationToken.None;

    private static string? Known(IDataView data, string? column) => column is not null && data.Schema.GetColumnOrNull(column) is null ? null : column;

    private static void Require(int value, int least, int most, string name)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(name, FormattableString.Invariant($"{name} must be from {least} to {most:N0}, got {value}."));
    }
}
