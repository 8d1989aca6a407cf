using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.Tabular;

/// <summary>What a training on hidden cells tells beside its loss.</summary>
[TestClass]
public sealed class CellFigureTests
{
    // Predictions of a layout, made at random; codes that are no category have no score.
    private static (CellPredictions Cells, TableBatch Rows, bool[][] Numbers, bool[][] Codes) Make(TableLayout layout, bool hidesAny = true)
    {
        var random = new Random(2);
        var rows = TableBatches.Random(layout, 7, seed: 3, missing: 0);
        bool[][] Hidden(int width) => [.. Enumerable.Range(0, 7).Select(_ => Enumerable.Range(0, width).Select(_ => hidesAny && random.Next(2) == 0).ToArray())];
        var width = layout.CategoricalCount == 0 ? 0 : layout.CategoryCounts.Max();
        return (new CellPredictions(randn(7, layout.NumericCount), randn(7, layout.CategoricalCount, width)), rows, Hidden(layout.NumericCount), Hidden(layout.CategoricalCount));
    }

    private static Tensor Mask(bool[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);

    [TestMethod]
    public void Figures_are_means_over_hidden_cells()
    {
        foreach (var layout in new[] { TableBatches.Layout, TableBatches.Numbers, TableBatches.Categories })
        {
            using var scope = NewDisposeScope();
            var (cells, rows, numbers, codes) = Make(layout);
            var figures = CellSums.Of(cells, rows, Mask(numbers), Mask(codes)).Figures(layout).ToDictionary(figure => figure.Name, figure => figure.Value.item<float>());
            string[] expected = [.. layout.NumericCount > 0 ? ["squared-error"] : Array.Empty<string>(), .. layout.CategoricalCount > 0 ? ["accuracy"] : Array.Empty<string>()];
            CollectionAssert.AreEqual(expected, figures.Keys.ToArray());
            if (layout.NumericCount > 0)
            {
                float[][] predicted = cells.Numbers.Rows<float>(), right = rows.Numbers.Rows<float>();
                var errors = Places(numbers).Select(at => Math.Pow(predicted[at.Row][at.Column] - right[at.Row][at.Column], 2)).ToArray();
                Assert.IsGreaterThan(1, errors.Length);
                Assert.AreEqual(errors.Average(), figures["squared-error"], 1e-5);
            }
            if (layout.CategoricalCount > 0)
            {
                var scores = cells.Logits.data<float>().ToArray();
                var right = rows.Codes.Rows<long>();
                var width = (int)cells.Logits.shape[2];
                var hits = Places(codes).Select(at =>
                {
                    var own = scores.AsSpan((at.Row * layout.CategoricalCount + at.Column) * width, width).ToArray();
                    return Array.IndexOf(own, own.Max()) == right[at.Row][at.Column] ? 1.0 : 0;
                }).ToArray();
                Assert.IsGreaterThan(1, hits.Length);
                Assert.AreEqual(hits.Average(), figures["accuracy"], 1e-5);
            }
        }
    }

    [TestMethod]
    public void Where_nothing_is_hidden_they_are_0()
    {
        using var scope = NewDisposeScope();
        var (cells, rows, numbers, codes) = Make(TableBatches.Layout, hidesAny: false);
        foreach (var (name, value) in CellSums.Of(cells, rows, Mask(numbers), Mask(codes)).Figures(TableBatches.Layout))
            Assert.AreEqual(0, value.item<float>(), name);
    }

    private static IEnumerable<(int Row, int Column)> Places(bool[][] hidden)
        => hidden.SelectMany((row, i) => row.Select((isHidden, j) => (Row: i, Column: j, IsHidden: isHidden))).Where(at => at.IsHidden).Select(at => (at.Row, at.Column));
}
