using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>Methods that tell cells give an error a row, which is higher for rows that break what the columns have in common.</summary>
[TestClass]
public sealed class ReconstructionTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    // The three numbers are one number with other signs, the text its sign; a broken row mixes two of them.
    private static Row[] Rows(int count, bool broken, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float x = random.NextSingle() * 4 - 2, y = broken ? -x : x;
            return new Row { A = x, B = -y, C = x, Sign = y > 0 ? "plus" : "minus" };
        })];
    }

    private static T Options<T>(TabularEncoderFactory? encoder = null) where T : TabularPretrainingOptions, new() => new()
    {
        InputColumnNames = ["A", "B", "C", "Sign"], Encoder = encoder ?? TabularEncoders.Mlp(2, 32), BatchSize = 64, NumberOfEpochs = 30,
            LearningRate = 3e-3,
    };

    private void AssertFindsBrokenRows(EncoderTransformer encoder)
    {
        IReadOnlyList<float> Errors(Row[] rows) => encoder.ReconstructionErrors(_mlContext.Data.LoadFromEnumerable(rows));
        var (good, bad) = (Errors(Rows(300, broken: false, seed: 8)), Errors(Rows(300, broken: true, seed: 9)));
        Assert.HasCount(300, good);
        var threshold = good.Order().ElementAt(270);
        Assert.IsGreaterThan(240, bad.Count(e => e > threshold), $"good {good.Average()}, bad {bad.Average()}");
        // One row at a time gives the same errors.
        var row = Rows(300, broken: true, seed: 9)[7];
        Assert.AreEqual(bad[7], Errors([row])[0], 1e-3 * bad[7]);
    }

    [TestMethod]
    public void Hidden_cells_of_broken_rows_are_told_badly()
    {
        var tabular = _mlContext.SelfSupervised().Tabular;
        var data = _mlContext.Data.LoadFromEnumerable(Rows(1_000, broken: false, seed: 1));
        using (var encoder = tabular.MaskedCells(Options<MaskedCellsTrainer.Options>()).Fit(data))
            AssertFindsBrokenRows(encoder);
        using (var encoder = tabular.MaskedCells(Options<MaskedCellsTrainer.Options>(TabularEncoders.ColumnTransformer(1, 16, 2)))
            .Fit(data))
            AssertFindsBrokenRows(encoder);
    }

    [TestMethod]
    public void The_error_survives_saving()
    {
        var ssl = _mlContext.SelfSupervised();
        var data = _mlContext.Data.LoadFromEnumerable(Rows(200, broken: false, seed: 1));
        using var encoder = ssl.Tabular.MaskedCells(Options<MaskedCellsTrainer.Options>()).Fit(data);
        var path = Path.Combine(Path.GetTempPath(), $"cells-{Guid.NewGuid():N}.ssl");
        try
        {
            ssl.SaveEncoder(encoder, path);
            using var loaded = ssl.LoadEncoder(path);
            CollectionAssert.AreEqual(encoder.ReconstructionErrors(data).ToArray(), loaded.ReconstructionErrors(data).ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_method_that_tells_no_cells_says_so()
    {
        var data = _mlContext.Data.LoadFromEnumerable(Rows(100, broken: false, seed: 1));
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(Options<ScarfTrainer.Options>()).Fit(data);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => encoder.ReconstructionErrors(data));
        StringAssert.Contains(error.Message, "MaskedCells");
    }

    private sealed class Row
    {
        public float A { get; set; }
        public float B { get; set; }
        public float C { get; set; }
        public string Sign { get; set; } = "";
    }
}
