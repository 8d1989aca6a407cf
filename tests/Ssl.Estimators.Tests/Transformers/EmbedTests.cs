using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Transformers;

/// <summary>Embeddings of texts without a view.</summary>
[TestClass]
public sealed class EmbedTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    // More than two batches, which are read and computed ahead in a view.
    private static readonly string[] s_texts = [.. Enumerable.Range(0, 900).Select(i => i == 7 ? "" : string.Join(' ',
        Enumerable.Range(0, 1 + i % 9).Select(j => $"word{(i * 7 + j) % 40}")))];

    private static readonly EncoderTransformer s_encoder = s_mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
    {
        Encoder = TextEncoders.Transformer(1, 16, 2, maximumTokens: 8), NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
    }).Fit(View(s_texts));

    [ClassCleanup]
    public static void Free() => s_encoder.Dispose();

    [TestMethod]
    public void TheNumbersAreThoseOfTransform()
    {
        float[][] expected = Transformed(s_texts);
        var lost = s_encoder.Truncation!;
        AssertEqual(expected, s_encoder.Embed(s_texts));
        Assert.AreEqual(lost.Rows + s_texts.Length, s_encoder.Truncation!.Rows, "texts are counted here, too");
        Assert.IsGreaterThan(lost.TokensCut, s_encoder.Truncation!.TokensCut);
        Assert.IsEmpty(s_encoder.Embed(Array.Empty<string>()));
    }

    [TestMethod]
    public void TheNumbersOfOneTextAreThoseOfARow()
    {
        foreach (var i in (int[])[0, 7, 299])
        {
            var expected = Transformed([s_texts[i]]);
            AssertEqual(expected, [s_encoder.Embed(s_texts[i])]);
            AssertEqual(expected, [s_encoder.Embed($"<{s_texts[i]}>".AsSpan(1, s_texts[i].Length))]);
            float[] destination = [.. Enumerable.Repeat(-1f, s_encoder.EmbeddingDimension + 2)];
            s_encoder.Embed(s_texts[i], destination.AsSpan(1));
            AssertEqual(expected, [destination[1..^1]]);
            Assert.AreEqual((-1f, -1f), (destination[0], destination[^1]));
        }
    }

    [TestMethod]
    public void ManyThreadsMayAsk()
    {
        float[][] expected = [.. s_texts[..40].Select(s_encoder.Embed)];
        Parallel.For(0, 200, i =>
        {
            var embedding = new float[s_encoder.EmbeddingDimension];
            s_encoder.Embed(s_texts[i % 40], embedding);
            CollectionAssert.AreEqual(expected[i % 40], embedding);
            CollectionAssert.AreEqual(expected[i % 40], s_encoder.Embed(s_texts[i % 40]));
        });
    }

    // What stays of a call in the memory that the next one takes would be seen in its embeddings.
    [TestMethod]
    public void ACallThatFailedLeavesNothing()
    {
        float[][] expected = Transformed([s_texts[3], s_texts[4]]);
        Assert.Throws<ArgumentException>(() => s_encoder.Embed([s_texts[1], null!]));
        AssertEqual(expected, s_encoder.Embed([s_texts[3], s_texts[4]]));
    }

    [TestMethod]
    public void WhatIsNoTextIsRefusedInASentence()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_encoder.Embed(["a", null!])).Message, "Text 1 is null");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_encoder.Embed("a", new float[s_encoder.EmbeddingDimension - 1])).Message,
            $"has room for {s_encoder.EmbeddingDimension - 1} numbers");
        using var table = s_mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Number"], Encoder = TabularEncoders.Mlp(1, 4), NumberOfEpochs = 0,
        }).Fit(s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new NumberRow { Number = i })));
        foreach (var embed in (Action[])[() => table.Embed("a"), () => table.Embed(["a"]), () => table.Embed("a", new float[99])])
        {
            var message = Assert.Throws<InvalidOperationException>(embed).Message;
            StringAssert.Contains(message, "'table'");
            StringAssert.Contains(message, "'Number'");
        }
        var copy = s_mlContext.SelfSupervised().Embed(s_encoder).Fit(View(s_texts));
        copy.Dispose();
        Assert.Throws<ObjectDisposedException>(() => copy.Embed("a"));
        Assert.Throws<ObjectDisposedException>(() => copy.Embed(["a"]));
    }

    private static float[][] Transformed(string[] texts) => [.. s_encoder.Transform(View(texts)).GetColumn<float[]>("Features")];

    private static void AssertEqual(IReadOnlyList<float[]> expected, IReadOnlyList<float[]> actual)
    {
        Assert.HasCount(expected.Count, actual);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.HasCount(expected[i].Length, actual[i]);
            for (var j = 0; j < expected[i].Length; j++)
                Assert.AreEqual(expected[i][j], actual[i][j], TestDevice.Repeatability, $"text {i}, number {j}");
        }
    }

    private static IDataView View(string[] texts) => s_mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray());

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class NumberRow
    {
        public float Number { get; set; }
    }
}
