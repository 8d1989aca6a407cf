using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Texts;

/// <summary>Texts with what UTF-8 cannot hold or nobody sees: what is saved and loaded gives the same.</summary>
[TestClass]
public sealed class OddTextTests
{
    // Half an emoji, the other half, what stands for what cannot be read, U+0000, an accent on nothing: alike but for it.
    private static readonly string[] s_odd = ["a\uD83D", "a\uD83E", "a\uDE00", "a\uFFFD", "a\0", "a", "a\u0301", "\u0301a", "a\uFDD0", "a\uFDD0D83D", "\uD83D\uDE00"];

    private readonly MLContext _mlContext = TestDevice.Context(1);

    public sealed class Row
    {
        public string Text { get; set; } = "";

        public string Category { get; set; } = "";

        public float Number { get; set; }
    }

    private static Row[] Rows() => [.. Enumerable.Range(0, 8 * s_odd.Length).Select(i => new Row
    {
        Text = $"word{i % 3} {s_odd[i % s_odd.Length]} cut\uD83Dtext {s_odd[(i + 1) % s_odd.Length]}x \uDE00\uD83D", Category = s_odd[i % s_odd.Length],
        Number = i % 7,
    })];

    private IDataView View() => _mlContext.Data.LoadFromEnumerable(Rows());

    private static float[][] Embed(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("Features")];

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], actual[i], $"row {i}");
    }

    private ITransformer Reloaded(ITransformer model, IDataView data)
    {
        using var file = new MemoryStream();
        _mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        return TestDevice.Context(2).Model.Load(file, out _);
    }

    private void AssertKept(EncoderTransformer encoder, IDataView data)
    {
        var expected = Embed(encoder, data);
        AssertSame(expected, Embed(Reloaded(encoder, data), data));
        var path = Path.Combine(Path.GetTempPath(), $"odd-{Guid.NewGuid():N}.ssl");
        try
        {
            _mlContext.SelfSupervised().SaveEncoder(encoder, path);
            using var loaded = _mlContext.SelfSupervised().LoadEncoder(path);
            AssertSame(expected, Embed(loaded, data));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    [DataRow(TextNormalization.Nfkc)]
    [DataRow(TextNormalization.Nfc)]
    [DataRow(TextNormalization.None)]
    public void An_encoder_of_texts(TextNormalization normalization)
    {
        var data = View();
        using var encoder = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 8, tokenDimension: 8, hiddenDimension: 8), NumberOfEpochs = 1, BatchSize = 32,
            MinimumTokenCount = 1, Normalization = normalization,
        }).Fit(data);
        AssertKept(encoder, data);
        var tokenizer = ((Ssl.Estimators.Rows.TextRowFormat)encoder.Model.Format).Tokenizer;
        Assert.IsFalse(tokenizer.Tokens.Any(token => token.Any(c => char.IsSurrogate(c)) && token != "\uD83D\uDE00"), "half a character is no token");
        // A tokenizer kept by itself.
        using var stream = new MemoryStream();
        ((WordPieceTokenizer)tokenizer).Save(stream);
        stream.Position = 0;
        var loaded = WordPieceTokenizer.Load(stream);
        foreach (var row in Rows())
            CollectionAssert.AreEqual(tokenizer.Encode(row.Text), loaded.Encode(row.Text));
    }

    [TestMethod]
    public void Categories_of_a_table_stay_apart()
    {
        var texts = View();
        var keys = _mlContext.Transforms.Conversion.MapValueToKey("Category").Fit(texts);
        foreach (var data in new[] { texts, keys.Transform(texts) })
        {
            using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
            {
                InputColumnNames = ["Category", "Number"], Encoder = TabularEncoders.Mlp(1, 8), BatchSize = 32, NumberOfEpochs = 1,
            }).Fit(data);
            AssertKept(encoder, data);
            // Of one number, rows of different categories have different embeddings.
            var embeddings = Embed(encoder, data).Zip(Rows()).GroupBy(pair => pair.Second.Category, StringComparer.Ordinal)
                .Select(group => string.Join(' ', group.First(pair => pair.Second.Number == group.First().Second.Number).First[..^8])).ToArray();
            Assert.HasCount(s_odd.Length, embeddings.Distinct().ToArray());
        }
        // Keys and texts alike come out of a saved chain, too.
        var chain = _mlContext.Transforms.Conversion.MapValueToKey("Category").Append(_mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Category"], Encoder = TabularEncoders.Mlp(1, 8), BatchSize = 32, NumberOfEpochs = 1,
        })).Fit(texts);
        AssertSame(Embed(chain, texts), Embed(Reloaded(chain, texts), texts));
    }

    [TestMethod]
    public void Labels_of_a_fine_tuned_and_of_a_few_labels_model()
    {
        var data = _mlContext.Transforms.Conversion.MapValueToKey("Label", "Category").Fit(View()).Transform(View());
        using var encoder = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 8, tokenDimension: 8, hiddenDimension: 8), NumberOfEpochs = 0,
        }).Fit(data);
        using var tuned = _mlContext.SelfSupervised().FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = 1,
        }).Fit(data);
        AssertSameClasses(tuned, data);
        var embedded = encoder.Transform(data);
        using var few = _mlContext.SelfSupervised().FewLabels.MulticlassClassification(new FewLabelsTrainer.Options
        {
            Trees = FewLabelsTrainer.Usage.Never, SelfTraining = FewLabelsTrainer.Usage.Never, Adaptation = FewLabelsTrainer.Usage.Never, NumberOfFolds = 2,
        }).Fit(embedded);
        AssertSameClasses(few, embedded);
    }

    private void AssertSameClasses(ITransformer model, IDataView data)
    {
        var (expected, actual) = (model.Transform(data), Reloaded(model, data).Transform(data));
        CollectionAssert.AreEqual(s_odd, Values(expected));
        CollectionAssert.AreEqual(s_odd, Values(actual));
        CollectionAssert.AreEqual(expected.GetColumn<uint>("PredictedLabel").ToArray(), actual.GetColumn<uint>("PredictedLabel").ToArray());
        AssertSame([.. expected.GetColumn<float[]>("Score")], [.. actual.GetColumn<float[]>("Score")]);

        static string[] Values(IDataView view)
        {
            VBuffer<ReadOnlyMemory<char>> values = default;
            view.Schema["PredictedLabel"].GetKeyValues(ref values);
            return [.. values.DenseValues().Select(value => value.ToString())];
        }
    }

    [TestMethod]
    public void Ids_of_neighbors()
    {
        var data = View();
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Category", "Number"], Encoder = TabularEncoders.Mlp(1, 8), NumberOfEpochs = 0,
        }).Fit(data);
        var embedded = encoder.Transform(data);
        using var search = _mlContext.SelfSupervised().NearestNeighbors(inputColumnName: "Features", idColumnName: "Category", numberOfNeighbors: 3).Fit(embedded);
        var expected = search.Transform(embedded).GetColumn<ReadOnlyMemory<char>[]>("Neighbors").SelectMany(ids => ids).Select(id => id.ToString()).ToArray();
        var actual = Reloaded(search, embedded).Transform(embedded).GetColumn<ReadOnlyMemory<char>[]>("Neighbors").SelectMany(ids => ids)
            .Select(id => id.ToString()).ToArray();
        CollectionAssert.Contains(expected, "a\uD83D");
        CollectionAssert.AreEqual(expected, actual);
    }

    [TestMethod]
    public void A_checkpoint_goes_on()
    {
        var path = Path.Combine(Path.GetTempPath(), $"odd-{Guid.NewGuid():N}.checkpoint");
        try
        {
            float[][]? before = null;
            foreach (var epochs in new[] { 1, 1 })
            {
                using var encoder = TestDevice.Context(1).SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
                {
                    InputColumnNames = ["Category"], Encoder = TabularEncoders.Mlp(1, 8), BatchSize = 32, NumberOfEpochs = epochs, CheckpointPath = path, Seed = 1,
                }).Fit(View());
                var embeddings = Embed(encoder, View());
                AssertSame(before ?? embeddings, embeddings);
                before = embeddings;
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
