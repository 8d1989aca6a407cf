using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Texts;

/// <summary>Texts of several columns as one, by the line that docs/data.md shows: in training, views, engines, files and in Embed.</summary>
[TestClass]
public sealed class SeveralColumnsTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void A_chain_joins_them_everywhere_in_the_same_way()
    {
        Row[] rows = [.. Enumerable.Range(0, 64).Select(i => new Row { Title = $"title, {i % 5} \"quoted\"", Body = $"the body of number {i % 7}" }), new Row { Title = "", Body = "alone" }];
        var data = _mlContext.Data.LoadFromEnumerable(rows);
        var ssl = _mlContext.SelfSupervised();
        var model = _mlContext.Transforms.Expression("Text", "(title, body) => concat(title, \" \", body)", "Title", "Body")
            .Append(ssl.Text.SimCse("Features", "Text", TextEncoders.Transformer(numberOfLayers: 1, dimension: 16), batchSize: 16, numberOfEpochs: 1)).Fit(data);
        var transformed = model.Transform(data);
        CollectionAssert.AreEqual(rows.Select(row => $"{row.Title} {row.Body}").ToArray(), transformed.GetColumn<string>("Text").ToArray());
        var embeddings = transformed.GetColumn<float[]>("Features").ToArray();

        var engine = _mlContext.Model.CreatePredictionEngine<Row, Embedded>(model);
        var encoder = model.LastTransformer;
        foreach (var i in new[] { 0, 13, 64 })
        {
            AssertClose(embeddings[i], engine.Predict(rows[i]).Features);
            AssertClose(embeddings[i], encoder.Embed($"{rows[i].Title} {rows[i].Body}"));
        }
        using var file = new MemoryStream();
        _mlContext.Model.Save(model, data.Schema, file);
        var loaded = TestDevice.Context().Model.Load(file, out _).Transform(data).GetColumn<float[]>("Features").ToArray();
        for (var i = 0; i < rows.Length; i++)
            AssertClose(embeddings[i], loaded[i]);
        // Both columns count.
        Assert.AreNotEqual(embeddings[0][0], engine.Predict(new Row { Title = rows[0].Title, Body = "another" }).Features[0]);
        Assert.AreNotEqual(embeddings[0][0], engine.Predict(new Row { Title = "another", Body = rows[0].Body }).Features[0]);
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-5f);
    }

    private sealed class Row
    {
        public string Title { get; set; } = "";

        public string Body { get; set; } = "";
    }

    private sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }
}
