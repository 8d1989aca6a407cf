using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class TableFeaturesTests
{
    // Two bins of the features: every second of five edges. The second number has one value that fills its lower bins.
    private static readonly TableLayout s_layout = new(["a", "b"], ["c"], [TableLayout.SpecialCount + 2],
        [[0, 1, 2, 3, 4], [5, 5, 5, 6, 7]]);

    private static TableBatch Batch(float[] numbers, bool[] missing, long[] codes)
        => new(tensor(numbers, [codes.Length, 2]), tensor(missing, [codes.Length, 2]), tensor(codes, [codes.Length, 1]));

    private static TableFeatures Learn(Func<TableBatch> batch, int dimension) => TableFeatures.Learn(s_layout, [batch()],
        rows =>
    {
        using (rows)
            return rows.Numbers.repeat(1, dimension / 2).mul(3);
    });

    [TestMethod]
    public void Numbers_are_piecewise_linear_and_categories_one_hot()
    {
        using var scope = NewDisposeScope();
        TableBatch Rows() => Batch([1, 6, 3, 5, 0, 9], [false, false, false, false, true, false], [3, 4, TableLayout.MissingCode]);
        var features = Learn(Rows, 2);
        CollectionAssert.AreEqual((string[])["a.0", "a.1", "b.0", "b.1", "a.missing", "b.missing", "c.0", "c.1", "c.2", "c.3", "c.4"],
            features.InputNames.ToArray());
        using var batch = Rows();
        var inputs = features.Inputs(batch);
        float[][] expected =
        [
            // a = 1 is half of its first bin, from 0 to 2; b = 6 has passed the step at 5 and is half of the bin from 5 to 7.
            [0.5f, 0, 1, 0.5f, 0, 0, 0, 0, 0, 1, 0],
            [1, 0.5f, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            // a is missing; b = 9 is above all bins; the category is missing.
            [0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0],
        ];
        CollectionAssert.AreEqual(expected.SelectMany(row => row).ToArray(), inputs.data<float>().ToArray());
    }

    [TestMethod]
    public void Both_blocks_have_mean_0_and_the_same_variance()
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var (numbers, codes) = (Enumerable.Range(0, 400).Select(i => i % 2 == 0 ? 4 * random.NextSingle() : 5 + 2 * random.NextSingle()).ToArray(),
            Enumerable.Range(0, 200).Select(_ => (long)random.Next(3, 5)).ToArray());
        TableBatch Rows() => Batch(numbers, new bool[400], codes);
        var learned = Learn(Rows, 6);
        var features = TableFeatures.FromJson(JsonNode.Parse(learned.ToJson().ToJsonString())!.AsObject(), s_layout, 6);
        using var batch = Rows();
        var scaled = features.Scale(features.Inputs(batch), batch.Numbers.repeat(1, 3).mul(3));
        Assert.AreEqual(0, scaled.mean([0]).abs().max().item<float>(), 1e-4);
        var variance = scaled.var(0, unbiased: false);
        var (cells, embedding) = (variance.narrow(0, 0, features.InputCount), variance.narrow(0, features.InputCount, 6));
        Assert.AreEqual(cells.sum().item<float>(), embedding.sum().item<float>(), 0.01);
        Assert.AreEqual(embedding.max().item<float>(), embedding.min().item<float>(), 0.01);
        // Cells keep their sizes to each other.
        var raw = features.Inputs(batch).var(0, unbiased: false);
        var ratios = cells.div(raw)[raw.gt(1e-6)];
        Assert.AreEqual(ratios.max().item<float>(), ratios.min().item<float>(), 1e-3);
        Assert.ThrowsExactly<FormatException>(() => TableFeatures.FromJson(learned.ToJson(), s_layout, 5));
    }

    [TestMethod]
    public void A_slot_in_small_units_lives_and_one_that_only_rounding_moves_does_not()
    {
        using var scope = NewDisposeScope();
        TableBatch Rows() => Batch([0, 5, 1, 6, 2, 7, 3, 5], new bool[8], [3, 4, 3, 4]);
        TableFeatures Scaled(double factor, double offset) => TableFeatures.Learn(s_layout, [Rows()], rows =>
        {
            using (rows)
                return rows.Numbers.mul(factor).add(offset);
        });
        using var batch = Rows();
        float[] Embedding(TableFeatures features, double factor, double offset) => [.. features.Scale(features.Inputs(batch),
            batch.Numbers.mul(factor).add(offset)).narrow(1, features.InputCount, 2).contiguous().data<float>()];
        var plain = Embedding(Scaled(1, 0), 1, 0);
        foreach (var (expected, actual) in plain.Zip(Embedding(Scaled(1e-12, 0), 1e-12, 0)))
            Assert.AreEqual(expected, actual, 1e-4);
        Assert.IsTrue(Embedding(Scaled(1e-6, 1), 1e-6, 1).All(value => value == 0));
    }
}
