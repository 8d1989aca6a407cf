using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Transformers;

/// <summary>Embeddings of texts without a view.</summary>
[TestClass]
public sealed class EmbedTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    private static readonly string[] s_texts = [.. Enumerable.Range(0, 300).Select(i => i == 7 ? "" : string.Join(' ',
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
        float[][] expected = [.. s_encoder.Transform(View(s_texts)).GetColumn<float[]>("Features")];
        var lost = s_encoder.Truncation!.Rows;
        var all = s_encoder.Embed(s_texts);
        Assert.HasCount(s_texts.Length, all);
        for (var i = 0; i < s_texts.Length; i++)
        {
            for (var j = 0; j < expected[i].Length; j++)
                Assert.AreEqual(expected[i][j], all[i][j], 1e-5f, $"text {i}");
        }
        Assert.IsGreaterThan(lost, s_encoder.Truncation!.Rows, "cut texts are counted here, too");
        foreach (var i in (int[])[0, 7, 299])
        {
            float[] one = s_encoder.Embed(s_texts[i]);
            for (var j = 0; j < one.Length; j++)
                Assert.AreEqual(expected[i][j], one[j], 1e-5f);
        }
        Assert.IsEmpty(s_encoder.Embed([]));
    }

    [TestMethod]
    public void ManyThreadsMayAsk()
    {
        float[][] expected = [.. s_texts[..40].Select(s_encoder.Embed)];
        Parallel.For(0, 200, i => CollectionAssert.AreEqual(expected[i % 40], s_encoder.Embed(s_texts[i % 40])));
    }

    [TestMethod]
    public void WhatIsNoTextIsRefusedInASentence()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_encoder.Embed(["a", null!])).Message, "Text 1 is null");
        using var table = s_mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Number"], Encoder = TabularEncoders.Mlp(1, 4), NumberOfEpochs = 0,
        }).Fit(s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new NumberRow { Number = i })));
        var message = Assert.Throws<InvalidOperationException>(() => table.Embed("a")).Message;
        StringAssert.Contains(message, "'table'");
        StringAssert.Contains(message, "'Number'");
        var copy = s_mlContext.SelfSupervised().Embed(s_encoder).Fit(View(s_texts));
        copy.Dispose();
        Assert.Throws<ObjectDisposedException>(() => copy.Embed("a"));
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
