using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>What users' tables hold beside good values.</summary>
[TestClass]
public sealed class BadInputTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    private static ScarfTrainer.Options Options(params string[] columns) => new()
    {
        InputColumnNames = columns, Encoder = TabularEncoders.Mlp(2, 8), BatchSize = 16, NumberOfEpochs = 2,
    };

    private EncoderTransformer Fit<TRow>(IEnumerable<TRow> rows, params string[] columns) where TRow : class
        => _mlContext.SelfSupervised().Tabular.Scarf(Options(columns)).Fit(_mlContext.Data.LoadFromEnumerable(rows));

    private float[][] Embed<TRow>(EncoderTransformer encoder, IEnumerable<TRow> rows) where TRow : class
        => [.. encoder.Transform(_mlContext.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Features")];

    private static void AssertFinite(float[][] embeddings) => Assert.IsTrue(embeddings.All(e => e.All(float.IsFinite)));

    private static Row[] Rows(int count, Func<int, float> number, Func<int, string> text)
        => [.. Enumerable.Range(0, count).Select(i => new Row { Number = number(i), Other = i, Text = text(i) })];

    [TestMethod]
    public void A_column_of_one_value()
    {
        var rows = Rows(40, _ => 5, _ => "same");
        using var encoder = Fit(rows, "Number", "Other", "Text");
        AssertFinite(Embed(encoder, rows));
    }

    [TestMethod]
    public void A_column_that_is_all_missing()
    {
        var rows = Rows(40, _ => float.NaN, _ => "");
        using var encoder = Fit(rows, "Number", "Other", "Text");
        AssertFinite(Embed(encoder, rows));
        AssertFinite(Embed(encoder, Rows(3, i => i, _ => "now there")));
    }

    [TestMethod]
    public void Infinite_values()
    {
        var rows = Rows(40, i => i % 5 == 0 ? float.PositiveInfinity : i % 7 == 0 ? float.NegativeInfinity : i, i => "t");
        using var encoder = Fit(rows, "Number", "Other");
        AssertFinite(Embed(encoder, rows));
    }

    [TestMethod]
    public void Ten_thousand_categories_and_unseen_ones()
    {
        var rows = Rows(20_000, i => i, i => $"c{i % 10_000}");
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Text", "Number"], Encoder = TabularEncoders.Mlp(1, 8), NumberOfEpochs = 1, BatchSize = 512,
                MaximumCategories = 20_000,
        }).Fit(_mlContext.Data.LoadFromEnumerable(rows));
        var embeddings = Embed(encoder, [.. Rows(2, _ => 1, i => $"c{i}"), .. Rows(2, _ => 1, i => $"unseen {i}")]);
        AssertFinite(embeddings);
        CollectionAssert.AreNotEqual(embeddings[0], embeddings[1], "two categories differ");
        CollectionAssert.AreEqual(embeddings[2], embeddings[3], "all unseen categories are one");
    }

    [TestMethod]
    public void Columns_in_another_order_at_Transform()
    {
        var rows = Rows(40, i => i, i => i % 2 == 0 ? "a" : "b");
        using var encoder = Fit(rows, "Number", "Other", "Text");
        var reordered = rows.Select(r => new Reordered { Text = r.Text, Other = r.Other, Number = r.Number, More = 7 });
        foreach (var (expected, actual) in Embed(encoder, rows).Zip(Embed(encoder, reordered)))
            CollectionAssert.AreEqual(expected, actual);
    }

    [TestMethod]
    public void A_column_missing_at_Transform()
    {
        using var encoder = Fit(Rows(40, i => i, _ => "t"), "Number", "Text");
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Embed(encoder, [new Without { Number = 1 }]));
        StringAssert.Contains(error.Message, "Could not find input column 'Text'");
    }

    [TestMethod]
    public void A_type_changed_at_Transform()
    {
        using var encoder = Fit(Rows(40, i => i, _ => "t"), "Number", "Text");
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Embed(encoder, [new Changed { Number = "1", Text = "t" }]));
        StringAssert.Contains(error.Message, "Schema mismatch for input column 'Number': expected a number, got String");
        // Any type of number will do.
        AssertFinite(Embed(encoder, [new Whole { Number = 1, Text = "t" }]));
    }

    [TestMethod]
    public void A_vector_of_another_size_at_Transform()
    {
        using var encoder = Fit(Enumerable.Range(0, 40).Select(i => new Two { Cells = [i, -i] }), "Cells");
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Embed(encoder, [new Three { Cells = [1, 2, 3] }]));
        StringAssert.Contains(error.Message, "Schema mismatch for input column 'Cells': expected a vector of 2 slots, got one of 3");
    }

    [TestMethod]
    public void A_single_row()
    {
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(Rows(1, _ => 1, _ => "t"), "Number", "Text"));
        StringAssert.Contains(error.Message, "ScarfTrainer needs at least 2 rows, got 1.");
        // A method without negatives learns from it, whatever that is worth.
        using var encoder = _mlContext.SelfSupervised().Tabular.DenoisingAutoencoder(new DenoisingAutoencoderTrainer.Options
        {
            InputColumnNames = ["Number", "Text"], Encoder = TabularEncoders.Mlp(1, 8), NumberOfEpochs = 1,
        }).Fit(_mlContext.Data.LoadFromEnumerable(Rows(1, _ => 1, _ => "t")));
        AssertFinite(Embed(encoder, Rows(1, _ => 1, _ => "t")));
    }

    [TestMethod]
    public void Faulty_column_names_are_named()
    {
        var tabular = _mlContext.SelfSupervised().Tabular;
        var twice = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tabular.Scarf("Features", "Number", "Text", "Number"));
        StringAssert.Contains(twice.Message, "InputColumnNames must not have a name twice, got 'Number' twice.");
        var none = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tabular.Scarf("Features"));
        StringAssert.Contains(none.Message, "InputColumnNames must have at least one name, got none.");
        var empty = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tabular.Scarf("Features", "Number", " "));
        StringAssert.Contains(empty.Message, "InputColumnNames must not have an empty name");
    }

    [TestMethod]
    public void Zero_numeric_columns_with_every_encoder()
    {
        var rows = Rows(60, i => i, i => $"{i % 3}");
        foreach (var factory in (TabularEncoderFactory[])[TabularEncoders.Mlp(1, 8), TabularEncoders.ResidualMlp(1, 8, cellDimension: 4),
            TabularEncoders.ColumnTransformer(1, 8, 2)])
        {
            using var encoder = _mlContext.SelfSupervised().Tabular.MaskedCells(new MaskedCellsTrainer.Options
            {
                InputColumnNames = ["Text"], Encoder = factory, NumberOfEpochs = 1,
            }).Fit(_mlContext.Data.LoadFromEnumerable(rows));
            AssertFinite(Embed(encoder, rows));
        }
    }

    [TestMethod]
    public void What_was_learned_of_the_columns_is_saved()
    {
        var rows = Rows(200, i => i % 17 == 0 ? float.NaN : i * i, i => $"{i % 7}");
        using var encoder = Fit(rows, "Number", "Text");
        var ssl = _mlContext.SelfSupervised();
        var path = Path.Combine(Path.GetTempPath(), $"table-{Guid.NewGuid():N}.ssl");
        try
        {
            ssl.SaveEncoder(encoder, path);
            using var loaded = ssl.LoadEncoder(path);
            var odd = Rows(4, i => i == 0 ? float.NaN : i * 1e6f, i => i == 1 ? "unseen" : "3");
            foreach (var (expected, actual) in Embed(encoder, odd).Zip(Embed(loaded, odd)))
                CollectionAssert.AreEqual(expected, actual);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Row
    {
        public float Number { get; set; }
        public int Other { get; set; }
        public string Text { get; set; } = "";
    }

    private sealed class Reordered
    {
        public double More { get; set; }
        public string Text { get; set; } = "";
        public int Other { get; set; }
        public float Number { get; set; }
    }

    private sealed class Without
    {
        public float Number { get; set; }
    }

    private sealed class Changed
    {
        public string Number { get; set; } = "";
        public string Text { get; set; } = "";
    }

    private sealed class Whole
    {
        public long Number { get; set; }
        public string Text { get; set; } = "";
    }

    private sealed class Two
    {
        [VectorType(2)] public float[] Cells { get; set; } = [];
    }

    private sealed class Three
    {
        [VectorType(3)] public float[] Cells { get; set; } = [];
    }
}
