using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Saving through ML.NET with a small encoder without training; the fresh-process tests do the same with a real one.</summary>
[TestClass]
public class CarrierChainTests
{
    private static readonly Row[] Rows =
        [new("one", "a"), new("two", "b"), new("", "c"), new("three", ""), new("one", "e"), new("雪と\"quotes\" \\ \n", "f")];

    private readonly MLContext _mlContext = new(1);

    [TestMethod]
    [DataRow(1)]
    [DataRow(5)]
    [DataRow(384)]
    [DataRow(5000)]
    public void A_saved_encoder_gives_the_same_numbers_and_a_known_size(int dimension)
    {
        using var encoder = Encoder(TestEncoderModel.Create(dimension));
        var loaded = SaveAndLoad(encoder, out var schema);
        Assert.IsNotNull(schema.GetColumnOrNull("Text"));
        var output = loaded.Transform(View());
        Assert.AreEqual(dimension, ((VectorDataViewType)output.Schema["Features"].Type).Size);
        AssertSame(Column(encoder.Transform(View()), "Features"), Column(output, "Features"));
    }

    [TestMethod]
    public void Nothing_temporary_is_left_and_the_other_columns_pass()
    {
        using var encoder = Encoder(TestEncoderModel.Create());
        var output = SaveAndLoad(encoder, out _).Transform(View());
        CollectionAssert.AreEqual(new[] { "Text", "Other", "Number", "Features" }, output.Schema.Where(c => !c.IsHidden)
            .Select(c => c.Name).ToArray());
        CollectionAssert.AreEqual(Rows.Select(r => r.Other).ToArray(), output.GetColumn<string>("Other").ToArray());
        CollectionAssert.AreEqual(Rows.Select(r => r.Number).ToArray(), output.GetColumn<float>("Number").ToArray());
    }

    [TestMethod]
    public void Several_input_columns_come_in_their_order()
    {
        using var encoder = TestEncoderModel.Create(6, inputs: ["Other", "Text"]);
        using var chain = CarrierChain.Build(encoder);
        var actual = Column(chain.Transform(View()), "Features");
        AssertSame(Rows.Select(r => ModelArchiveTests.Embed(encoder, r.Other, r.Text)).ToArray(), actual);
    }

    [TestMethod]
    public void Numeric_input_columns_reach_the_encoder()
    {
        using var encoder = TestEncoderModel.Create(6, readsNumbers: true, inputs: ["Number", "Second"]);
        using var chain = CarrierChain.Build(encoder);
        var loaded = SaveAndLoad(chain, out _);
        var expected = Rows.Select(r =>
        {
            var embedding = new float[6];
            encoder.Embed([RawRow.OfNumbers(new[] { r.Number, r.Second })], embedding);
            return embedding;
        }).ToArray();
        AssertSame(expected, Column(loaded.Transform(_mlContext.Data.LoadFromEnumerable(Rows)), "Features"));
    }

    [TestMethod]
    public void Three_models_in_one_chain_keep_their_own_weights()
    {
        var encoders = Enumerable.Range(1, 3).Select(i => Encoder(TestEncoderModel.Create(4 + i, seed: i, output: $"F{i}"))).ToArray();
        using var chain = new TransformerChain<ITransformer>(encoders);
        var expected = chain.Transform(View());
        var loaded = SaveAndLoad(chain, out _);
        var actual = loaded.Transform(View());
        for (var i = 1; i <= 3; i++)
        {
            AssertSame(Column(expected, $"F{i}"), Column(actual, $"F{i}"));
        }
    }

    [TestMethod]
    public void Models_that_share_all_texts_but_the_first_are_told_apart()
    {
        // 60 MB of equal bytes and one that differs in the last text: the caches must not mix them.
        using var first = Encoder(TestEncoderModel.Create(8, seed: 1, rows: 400_000));
        using var second = Encoder(TestEncoderModel.Create(8, seed: 1, rows: 400_001));
        var a = SaveAndLoad(first, out _);
        var b = SaveAndLoad(second, out _);
        AssertSame(Column(first.Transform(View()), "Features"), Column(a.Transform(View()), "Features"));
        AssertSame(Column(second.Transform(View()), "Features"), Column(b.Transform(View()), "Features"));
    }

    [TestMethod]
    public void The_same_file_can_be_loaded_twice_and_in_parallel()
    {
        using var encoder = Encoder(TestEncoderModel.Create(32, seed: 9));
        var expected = Column(encoder.Transform(View()), "Features");
        var bytes = Save(encoder);
        Parallel.For(0, 8, _ => AssertSame(expected, Column(Load(bytes).Transform(View()), "Features")));
    }

    [TestMethod]
    public void A_loaded_model_decodes_its_state_once()
    {
        using var encoder = Encoder(TestEncoderModel.Create(3, seed: 1234));
        var loaded = Load(Save(encoder));
        var before = TestEncoderModel.ReadCount;
        for (var i = 0; i < 3; i++)
        {
            Column(loaded.Transform(View()), "Features");
        }

        Assert.AreEqual(1, TestEncoderModel.ReadCount - before);
    }

    [TestMethod]
    public void Sixteen_engines_of_one_model_agree()
    {
        using var encoder = Encoder(TestEncoderModel.Create(16, seed: 5));
        var expected = Column(encoder.Transform(View()), "Features");
        var loaded = Load(Save(encoder));
        Parallel.For(0, 16, _ =>
        {
            using var engine = new MLContext().Model.CreatePredictionEngine<Row, Embedding>(loaded);
            for (var i = 0; i < 20 * Rows.Length; i++)
            {
                CollectionAssert.AreEqual(expected[i % Rows.Length], engine.Predict(Rows[i % Rows.Length]).Features);
            }
        });
    }

    [TestMethod]
    public void A_loaded_chain_can_be_saved_again()
    {
        using var encoder = Encoder(TestEncoderModel.Create(11));
        var twice = Load(Save(Load(Save(encoder))));
        AssertSame(Column(encoder.Transform(View()), "Features"), Column(twice.Transform(View()), "Features"));
    }

    [TestMethod]
    public void Rehydrating_brings_the_encoders_back()
    {
        using var chain = new TransformerChain<ITransformer>(
            Encoder(TestEncoderModel.Create(5, seed: 1, output: "First")),
            Encoder(TestEncoderModel.Create(6, seed: 2, output: "Second", inputs: "Other")));
        var loaded = Load(Save(chain));
        var back = (TransformerChain<ITransformer>)Rehydrate(loaded);
        var encoders = back.OfType<EncoderTransformer>().ToArray();
        Assert.HasCount(2, encoders);
        Assert.AreEqual("Other", encoders[1].InputColumnNames.Single());
        var expected = chain.Transform(View());
        foreach (var name in new[] { "First", "Second" })
        {
            AssertSame(Column(expected, name), Column(back.Transform(View()), name));
        }

        // The loaded model does not depend on what was made of it.
        back.Dispose();
        AssertSame(Column(expected, "First"), Column(loaded.Transform(View()), "First"));
    }

    [TestMethod]
    public void Rehydrating_a_single_encoder_gives_the_encoder()
    {
        using var encoder = Encoder(TestEncoderModel.Create());
        var back = Rehydrate(Load(Save(encoder)));
        var found = back as EncoderTransformer ?? ((IEnumerable<ITransformer>)back).OfType<EncoderTransformer>().Single();
        AssertSame(Column(encoder.Transform(View()), "Features"), Column(found.Transform(View()), "Features"));
    }

    [TestMethod]
    public void Rehydrating_a_model_without_encoders_gives_the_model()
    {
        var model = _mlContext.Transforms.CopyColumns("Copy", "Text").Fit(View());
        Assert.AreSame(model, Rehydrate(model));
    }

    [TestMethod]
    public void An_embedding_too_long_for_a_chain_is_refused_with_the_way_out()
    {
        using var encoder = TestEncoderModel.Create(1 << EmbeddingOutput.Count, rows: 1);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => CarrierChain.Build(encoder)).Message, "SaveEncoder");
    }

    [TestMethod]
    public void Truncated_and_foreign_model_files_are_refused()
    {
        using var encoder = Encoder(TestEncoderModel.Create());
        var bytes = Save(encoder);
        Assert.ThrowsExactly<FormatException>(() => Load(bytes[..(bytes.Length / 2)]));
        Assert.ThrowsExactly<FormatException>(() => Load([1, 2, 3]));
    }

    private static ITransformer Rehydrate(ITransformer model) => Rehydration.Rehydrate(model,
        (manifest, tensors) => new EncoderTransformer(new MLContext(), EncoderModelReader.Read(manifest, tensors)));

    private EncoderTransformer Encoder(EncoderModel model) => new(_mlContext, model);

    private IDataView View() =>
        _mlContext.Data.LoadFromEnumerable(Rows.Select(r => new TextRow { Text = r.Text, Other = r.Other, Number = r.Number }));

    private ITransformer SaveAndLoad(ITransformer model, out DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        _mlContext.Model.Save(model, _mlContext.Data.LoadFromEnumerable(Rows).Schema, stream);
        stream.Position = 0;
        return new MLContext().Model.Load(stream, out schema);
    }

    private byte[] Save(ITransformer model)
    {
        using var stream = new MemoryStream();
        _mlContext.Model.Save(model, View().Schema, stream);
        return stream.ToArray();
    }

    private static ITransformer Load(byte[] bytes) => new MLContext().Model.Load(new MemoryStream(bytes), out _);

    private static float[][] Column(IDataView view, string name) => [.. view.GetColumn<float[]>(name)];

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
        {
            CollectionAssert.AreEqual(expected[i], actual[i], $"row {i}");
        }
    }

    private sealed record Row(string Text, string Other)
    {
        public Row()
            : this("", "")
        {
        }

        public string Text { get; set; } = Text;

        public string Other { get; set; } = Other;

        public float Number { get; set; } = Text.Length + 0.5f;

        public float Second { get; set; } = -Text.Length;
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";

        public string Other { get; set; } = "";

        public float Number { get; set; }
    }

    private sealed class Embedding
    {
        public float[] Features { get; set; } = [];
    }
}
