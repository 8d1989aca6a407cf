using Ssl.Estimators.Evaluation;
using static TorchSharp.torch;

namespace Ssl.Estimators.Reporting;

/// <summary>Embeddings as points of a plane: which rows lie together.</summary>
internal static class MapSection
{
    /// <summary>Fewer rows make no map.</summary>
    public const int FewestRows = 4;

    /// <summary>Adds two pictures, t-SNE and principal components, in the colors of the labels.</summary>
    /// <param name="page">Gets them.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="mapped">Which of them; at least <see cref="FewestRows"/>.</param>
    /// <param name="show">How a row is shown.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static void Add(Page page, EmbeddedRows rows, int[] mapped, Func<int, ShownRow> show, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var vectors = rows.Set.Vectors(0).index_select(0, tensor(mapped.Select(row => (long)row).ToArray()));
        int[] classes = [.. mapped.Select(rows.ClassOf).OfType<int>().GroupBy(number => number).OrderByDescending(group => group.Count()).Select(group => group.Key)];
        string[] names = [.. classes.Select(rows.ClassName)];
        MapDot[] Dots((double X, double Y)[] points) => [.. points.Zip(mapped, (point, row) => new MapDot(point.X, point.Y,
            rows.ClassOf(row) is { } number ? Array.IndexOf(classes, number) : -1, show(row).Plain + (rows.LabelOf(row) is { } label ? $" ({label})" : "")))];

        page.Paragraph(FormattableString.Invariant($"{mapped.Length:N0} rows drawn at random; point at one to read it. Colors are {(names.Length == 0 ? "the same for all: no labels were given" : "the labels, which the encoder has not seen")}."));
        var (components, first, second) = EmbeddingMap.PrincipalComponents(vectors);
        page.Html("<div class=\"maps\"><div>");
        page.Heading("t-SNE: who is near whom");
        page.Html(Charts.Map("t-SNE map of the embedding: rows that are alike lie together", Dots(EmbeddingMap.Neighborhoods(vectors, cancellationToken)), names));
        cancellationToken.ThrowIfCancellationRequested();
        page.Html("</div><div>");
        page.Heading(FormattableString.Invariant($"Principal components: {Words.Percent(first)} and {Words.Percent(second)} of the variance"));
        page.Html(Charts.Map("The two principal components of the embedding", Dots(components), names));
        page.Html("</div></div>");
    }
}
