using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>Vector columns of texts and of keys: a group of categories, a cell for every slot.</summary>
[TestClass]
public sealed class CategoryVectorTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    private sealed class Row
    {
        [VectorType(3)] public string[] Tags { get; set; } = [];
        public float Number { get; set; }
        public string Kind { get; set; } = "";
    }

    private sealed class Fewer
    {
        [VectorType(2)] public string[] Tags { get; set; } = [];
        public float Number { get; set; }
        public string Kind { get; set; } = "";
    }

    private static Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => new Row
    {
        Tags = [$"a{i % 3}", i % 5 == 0 ? "" : $"b{i % 4}", $"c{i % 2}"], Number = i % 11, Kind = i % 2 == 0 ? "even" : "odd",
    })];

    private ScarfTrainer.Options Options(params string[] columns) => new()
    {
        InputColumnNames = columns, Encoder = TabularEncoders.Mlp(2, 8), BatchSize = 16, NumberOfEpochs = 2, Seed = 3,
    };

    private float[][] Embed(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("Features")];

    [TestMethod]
    public void Every_slot_of_a_vector_of_texts_is_a_cell_of_its_own()
    {
        var data = _mlContext.Data.LoadFromEnumerable(Rows(60));
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(Options("Kind", "Tags", "Number")).Fit(data);
        var row = Rows(2)[1];
        var embeddings = Embed(encoder, _mlContext.Data.LoadFromEnumerable((Row[])
        [
            row,
            new Row { Tags = [row.Tags[0], row.Tags[1], "c0"], Number = row.Number, Kind = row.Kind },
            new Row { Tags = ["unseen", "", "c1"], Number = row.Number, Kind = row.Kind },
            // The same words in other slots are other categories.
            new Row { Tags = [row.Tags[2], row.Tags[1], row.Tags[0]], Number = row.Number, Kind = row.Kind },
        ]));
        for (var i = 1; i < embeddings.Length; i++)
            CollectionAssert.AreNotEqual(embeddings[0], embeddings[i], $"row {i}");
        Assert.IsTrue(embeddings.All(e => e.All(float.IsFinite)));
    }

    [TestMethod]
    public void A_vector_of_keys_reads_as_the_texts_that_it_stands_for()
    {
        var data = _mlContext.Data.LoadFromEnumerable(Rows(60));
        // Numbers of keys depend on the rows seen first; their values do not.
        var keys = _mlContext.Transforms.Conversion.MapValueToKey("Tags").Fit(data).Transform(data);
        var reversed = _mlContext.Data.LoadFromEnumerable(Rows(60).Reverse());
        var otherKeys = _mlContext.Transforms.Conversion.MapValueToKey("Tags").Fit(reversed).Transform(data);
        var tabular = _mlContext.SelfSupervised().Tabular;
        using var ofTexts = tabular.Scarf(Options("Tags", "Number")).Fit(data);
        using var ofKeys = tabular.Scarf(Options("Tags", "Number")).Fit(keys);
        foreach (var ((text, key), other) in Embed(ofTexts, data).Zip(Embed(ofKeys, keys)).Zip(Embed(ofKeys, otherKeys)))
        {
            CollectionAssert.AreEqual(text, key);
            CollectionAssert.AreEqual(key, other);
        }
    }

    [TestMethod]
    public void Vectors_of_texts_and_keys_survive_saving_a_chain()
    {
        var data = _mlContext.Data.LoadFromEnumerable(Rows(60));
        var chain = _mlContext.Transforms.Conversion.MapValueToKey("TagKeys", "Tags")
            .Append(_mlContext.SelfSupervised().Tabular.Scarf(Options("Kind", "Tags", "Number", "TagKeys"))).Fit(data);
        var expected = Embed(chain, data);
        var path = Path.GetTempFileName();
        try
        {
            _mlContext.Model.Save(chain, data.Schema, path);
            var loaded = TestDevice.Context(2).Model.Load(path, out _);
            foreach (var (before, after) in expected.Zip(Embed(loaded, data)))
            {
                for (var i = 0; i < before.Length; i++)
                    Assert.AreEqual(before[i], after[i], 2e-5f);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_vector_of_another_size_or_type_at_Transform_is_refused()
    {
        using var encoder = _mlContext.SelfSupervised().Tabular.Scarf(Options("Tags", "Number"))
            .Fit(_mlContext.Data.LoadFromEnumerable(Rows(60)));
        var size = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Embed(encoder,
            _mlContext.Data.LoadFromEnumerable([new Fewer { Tags = ["a", "b"] }])));
        StringAssert.Contains(size.Message, "expected a vector of 3 slots, got one of 2");
        var data = _mlContext.Data.LoadFromEnumerable(Rows(4));
        var keys = _mlContext.Transforms.Conversion.MapValueToKey("Tags").Fit(data).Transform(data);
        var type = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Embed(encoder, keys));
        StringAssert.Contains(type.Message, "Schema mismatch for input column 'Tags': expected a known-size vector of String");
    }
}
