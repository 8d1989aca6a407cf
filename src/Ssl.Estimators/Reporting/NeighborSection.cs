using static TorchSharp.torch;

namespace Ssl.Estimators.Reporting;

/// <summary>A row that was found to be near.</summary>
/// <param name="Row">Its number.</param>
/// <param name="Cosine">Of its embedding and that of the row that was asked for, -1 to 1.</param>
internal readonly record struct NearRow(int Row, float Cosine);

/// <summary>Rows, and the rows that their embeddings hold for most like them.</summary>
internal static class NeighborSection
{
    /// <summary>The nearest rows by cosine, the nearest first.</summary>
    /// <param name="queries">Where the rows are that are asked for.</param>
    /// <param name="asked">Which of them.</param>
    /// <param name="rows">Where is looked; where these are <paramref name="queries"/>, a row does not find itself.</param>
    /// <param name="count">How many for each, at most.</param>
    /// <returns>A list for each of <paramref name="asked"/>.</returns>
    public static NearRow[][] Find(EmbeddedRows queries, int[] asked, EmbeddedRows rows, int count)
    {
        if (asked.Length == 0)
            return [];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var directions = queries.Set.Directions(0).index_select(0, tensor(asked.Select(row => (long)row).ToArray()));
        var isSame = ReferenceEquals(queries, rows);
        var (values, found) = directions.mm(rows.Set.Directions(0).t()).topk((int)Math.Min(count + (isSame ? 1 : 0), rows.Set.Count), 1);
        var (cosines, numbers, width) = (values.to(ScalarType.Float32).data<float>().ToArray(), found.data<long>().ToArray(), (int)found.shape[1]);
        return [.. asked.Select((row, i) => Enumerable.Range(i * width, width).Where(k => !isSame || numbers[k] != row).Take(count)
            .Select(k => new NearRow((int)numbers[k], cosines[k])).ToArray())];
    }

    /// <summary>Adds a table: each row with those near it.</summary>
    /// <param name="page">Gets it.</param>
    /// <param name="queries">Where the rows are that are asked for.</param>
    /// <param name="asked">Which of them.</param>
    /// <param name="showQuery">How such a row is shown.</param>
    /// <param name="rows">Where was looked.</param>
    /// <param name="found">What was found for each.</param>
    /// <param name="show">How a row that was found is shown.</param>
    public static void Add(Page page, EmbeddedRows queries, int[] asked, Func<int, ShownRow> showQuery, EmbeddedRows rows, NearRow[][] found, Func<int, ShownRow> show)
    {
        var hasLabels = queries.LabelColumnName is not null && rows.LabelColumnName is not null;
        page.Html("<div class=\"neighbors\">");
        page.Table(["row", hasLabels ? "nearest, with their cosine; ✓ where the label is the same" : "nearest, with their cosine"], asked.Select((row, i) => (IReadOnlyList<string>)
        [
            showQuery(row).Html + Note(queries.LabelOf(row)),
            $"<ol>{string.Concat(found[i].Select(near => FormattableString.Invariant($"<li{(IsSame(row, near.Row) ? " class=\"same\"" : "")}>{show(near.Row).Html}{Note(rows.LabelOf(near.Row))} <span class=\"note\">{near.Cosine:0.00}</span></li>")))}</ol>",
        ]));
        page.Html("</div>");

        bool IsSame(int query, int near) => queries.LabelOf(query) is { } label && label == rows.LabelOf(near);

        static string Note(string? label) => label is null ? "" : $" <span class=\"note\">[{Page.Encode(label)}]</span>";
    }
}
