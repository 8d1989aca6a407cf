using System.Text.Json.Nodes;
using Ssl.Estimators.Downstream;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Downstream;

[TestClass]
public class VectorIndexTests
{
    [TestMethod]
    [DataRow(1, 1)]
    [DataRow(7, 3)]
    [DataRow(31, 10)]
    [DataRow(32, 10)]
    [DataRow(1000, 1)]
    [DataRow(1000, 64)]
    [DataRow(50, 80)]
    public void The_kept_scores_are_those_of_a_stable_sort(int count, int k)
    {
        var random = new Random(count + k);
        // Rounded, so that there are ties.
        var scores = Enumerable.Range(0, count).Select(_ => MathF.Round(random.NextSingle(), 2)).ToArray();
        var best = Enumerable.Repeat(TopScores.None, k).ToArray();
        var rows = Enumerable.Repeat(-1L, k).ToArray();
        var cut = random.Next(count);
        TopScores.Scan(scores.AsSpan(0, cut), 5, best, rows);
        TopScores.Scan(scores.AsSpan(cut), 5 + cut, best, rows);
        var expected = scores.Select((score, row) => (Score: score, Row: row + 5L)).OrderByDescending(p => p.Score).Take(k).ToArray();
        CollectionAssert.AreEqual(expected.Select(p => p.Score).ToArray(), best.Take(expected.Length).ToArray());
        CollectionAssert.AreEqual(expected.Select(p => p.Row).ToArray(), rows.Take(expected.Length).ToArray());
        Assert.IsTrue(best.Skip(expected.Length).All(float.IsNegativeInfinity));
        Assert.IsTrue(rows.Skip(expected.Length).All(row => row == -1));
    }

    [TestMethod]
    public void Looking_into_all_cells_finds_what_the_exact_search_finds()
    {
        using var exact = Index(EmbeddingRows.Clustered(700, 6, 1));
        using var cells = CellIndex.Create(exact, 12, 12, new Random(1));
        var queries = EmbeddingRows.Clustered(90, 6, 2).SelectMany(r => r.Features).ToArray();
        var (rows, scores) = Search(exact, queries, 90, 7);
        var (found, foundScores) = Search(cells, queries, 90, 7);
        CollectionAssert.AreEqual(rows, found);
        for (var i = 0; i < scores.Length; i++)
            Assert.AreEqual(scores[i], foundScores[i], 1e-5f);
        Assert.AreEqual(1.0, SearchRecall.Measure(exact, cells, 7, new Random(3)).Recall);
    }

    [TestMethod]
    public void Fewer_cells_find_fewer_but_most_where_the_data_have_structure()
    {
        using var exact = Index(EmbeddingRows.Clustered(3000, 16, 1, spread: 0.1));
        double Recall(int probes)
        {
            using var cells = CellIndex.Create(exact, 50, probes, new Random(1));
            return SearchRecall.Measure(exact, cells, 10, new Random(2)).Recall;
        }

        var (one, five, twenty) = (Recall(1), Recall(5), Recall(20));
        Assert.IsLessThan(five, one);
        Assert.IsLessThan(twenty, five);
        Assert.IsGreaterThan(0.9, twenty);
    }

    [TestMethod]
    public void The_recall_is_that_of_counting()
    {
        using var exact = Index(EmbeddingRows.Clustered(200, 5, 4, spread: 1));
        using var cells = CellIndex.Create(exact, 20, 2, new Random(1));
        double hits = 0;
        for (var row = 0; row < 200; row++)
        {
            var truth = Search(exact, exact.Vectors([row]), 1, 6).Rows.Where(r => r != row).Take(5).ToArray();
            var found = Search(cells, exact.Vectors([row]), 1, 6).Rows.Where(r => r != row).Take(5).ToArray();
            hits += truth.Intersect(found).Count();
        }

        Assert.AreEqual(hits / 1000, SearchRecall.Measure(exact, cells, 5, new Random(9)).Recall, 1e-12);
        Assert.IsLessThan(1000, hits);
    }

    [TestMethod]
    public void More_cells_than_rows_and_queries_without_direction_do_no_harm()
    {
        using var exact = Index(EmbeddingRows.Clustered(4, 3, 1));
        using var cells = CellIndex.Create(exact, 100, 100, new Random(1));
        Assert.AreEqual(4, cells.NumberOfCells);
        var (rows, scores) = Search(cells, [0, 0, 0, 1, 0, 0], 2, 6);
        CollectionAssert.AreEqual(new long[] { -1, -1, -1, -1, -1, -1 }, rows[..6]);
        Assert.IsTrue(scores[..6].All(float.IsNaN));
        CollectionAssert.AreEquivalent(new long[] { 0, 1, 2, 3, -1, -1 }, rows[6..]);
    }

    [TestMethod]
    public void An_index_is_read_as_it_was_written()
    {
        using var exact = Index(EmbeddingRows.Clustered(300, 6, 1));
        using var cells = CellIndex.Create(exact, 9, 2, new Random(1));
        using var scope = NewDisposeScope();
        var (tensors, content) = (new Dictionary<string, Tensor>(), new JsonObject());
        cells.AddTo(tensors, content);
        using var read = VectorIndex.Read(content, tensors, CPU);
        var queries = EmbeddingRows.Clustered(20, 6, 2).SelectMany(r => r.Features).ToArray();
        CollectionAssert.AreEqual(Search(cells, queries, 20, 4).Rows, Search(read, queries, 20, 4).Rows);
        Assert.AreEqual(2, ((CellIndex)read).NumberOfProbes);

        tensors["cell_rows"] = tensor(Enumerable.Repeat(300L, 300).ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => VectorIndex.Read(content, tensors, CPU)).Message, "damaged");
    }

    private static ExactIndex Index(EmbeddingRow[] rows)
    {
        using var builder = new VectorIndexBuilder(rows[0].Features.Length, 256);
        foreach (var row in rows)
            Assert.IsTrue(builder.Add(row.Features));
        return builder.Build(CPU);
    }

    private static (long[] Rows, float[] Scores) Search(VectorIndex index, float[] queries, int count, int k)
    {
        var (rows, scores) = (new long[count * k], new float[count * k]);
        index.Search((float[])queries.Clone(), count, k, rows, scores);
        return (rows, scores);
    }
}
