using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Methods.Tabular;

/// <summary>What every method on tables reads, says and keeps; two of them stand for all.</summary>
[TestClass]
public sealed class TabularPretrainingTrainerTests
{
    private sealed class Row
    {
        public float A { get; set; }

        public string Kind { get; set; } = "";

        public float[] Many { get; set; } = [1];
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private IDataView View(int count, Func<int, float>? number = null) => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count)
        .Select(i => new Row { A = number?.Invoke(i) ?? i, Kind = i % 2 == 0 ? "even" : "odd" }).ToArray());

    private static T Small<T>(T options, params string[] columns) where T : TabularPretrainingOptions
    {
        (options.InputColumnNames, options.Encoder, options.NumberOfEpochs, options.MinimumNumberOfSteps) = (columns, TabularEncoders.Mlp(1, 4), 1, 0);
        return options;
    }

    private static TableRowFormat FormatOf(EncoderTransformer model) => (TableRowFormat)model.Model.Format;

    private static double? HiddenShareOf(EncoderTransformer model) => (double?)FormatOf(model).ToJson()["reconstruction"]?["hiddenShare"];

    [TestMethod]
    public void A_column_that_is_no_cell_is_named()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Many")).Fit(View(4)));
        StringAssert.Contains(fault.Message, "'Many'");
    }

    [TestMethod]
    public void Of_no_rows_nothing_is_learned()
    {
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Kind")).Fit(View(0)));
        StringAssert.Contains(fault.Message, "There are no rows.");
    }

    [TestMethod]
    public void It_says_what_was_read_and_warns_of_what_tells_nothing()
    {
        var said = new List<string>();
        _mlContext.Log += (_, e) => said.Add(e.RawMessage);
        _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Kind")).Fit(View(40)).Dispose();
        Assert.IsTrue(said.Exists(line => line.Contains("columns read: 40 rows of 1 numbers and 1 categories", StringComparison.Ordinal)));
        Assert.IsFalse(said.Exists(line => line.Contains("'A'", StringComparison.Ordinal)));
        _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Kind")).Fit(View(40, _ => 3)).Dispose();
        Assert.IsTrue(said.Exists(line => line.Contains("'A'", StringComparison.Ordinal)), "a column that is the same everywhere");
    }

    /// <summary>Plain columns stand beside the embedding unless the option is off.</summary>
    [TestMethod]
    public void Input_features_come_with_the_embedding_by_default()
    {
        using var whole = _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Kind")).Fit(View(40));
        Assert.IsNotNull(FormatOf(whole).Features);
        using var alone = _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options { IncludeInputFeatures = false }, "A", "Kind")).Fit(View(40));
        Assert.IsNull(FormatOf(alone).Features);
        int Width(EncoderTransformer model) => ((VectorDataViewType)model.Transform(View(4)).Schema["Features"].Type).Size;
        Assert.AreEqual(4, Width(alone));
        Assert.IsGreaterThan(4, Width(whole));
    }

    /// <summary>A method that tells cells keeps what it tells them with; one that only compares rows has nothing to keep.</summary>
    [TestMethod]
    public void What_tells_cells_is_kept()
    {
        using var compares = _mlContext.SelfSupervised().Tabular.Scarf(Small(new ScarfTrainer.Options(), "A", "Kind")).Fit(View(40));
        Assert.IsNull(HiddenShareOf(compares));
        using var tells = _mlContext.SelfSupervised().Tabular.MaskedCells(Small(new MaskedCellsTrainer.Options { MaskRatio = 0.4f }, "A", "Kind")).Fit(View(40));
        Assert.AreEqual(0.4, HiddenShareOf(tells)!.Value, 1e-6);
        using var also = _mlContext.SelfSupervised().Tabular.ContrastiveMaskedCells(Small(new ContrastiveMaskedCellsTrainer.Options { MaskRatio = 0.2f }, "A", "Kind")).Fit(View(40));
        Assert.AreEqual(0.2, HiddenShareOf(also)!.Value, 1e-6);
    }
}
