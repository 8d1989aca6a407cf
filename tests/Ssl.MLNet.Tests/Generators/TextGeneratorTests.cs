using Microsoft.Extensions.AI;
using Ssl.Estimators;
using Ssl.Estimators.Rows;
using Ssl.Extensions.AI;

namespace Ssl.MLNet.Tests.Generators;

/// <summary>Encoders of texts as embedding generators.</summary>
[TestClass]
[DoNotParallelize]
public sealed class TextGeneratorTests
{
    private static readonly EncoderTransformer s_encoder = GeneratorData.TextEncoder();

    private static readonly IEmbeddingGenerator<string, Embedding<float>> s_generator = s_encoder.AsIEmbeddingGenerator("tickets-1");

    [ClassCleanup]
    public static void Free() => s_encoder.Dispose();

    [TestMethod]
    public async Task The_numbers_are_those_of_Transform()
    {
        var texts = GeneratorData.Texts(600);
        var expected = GeneratorData.Transformed(s_encoder, texts);
        var before = DateTimeOffset.UtcNow;
        var generated = await s_generator.GenerateAsync(texts);
        GeneratorData.AssertEqual(expected, generated);
        Assert.IsTrue(generated.All(embedding => embedding.ModelId == "tickets-1" && embedding.CreatedAt >= before && embedding.CreatedAt <= DateTimeOffset.UtcNow));
        CollectionAssert.AreEqual(s_encoder.Embed("a parcel is late"), (await s_generator.GenerateVectorAsync("a parcel is late")).ToArray());
        Assert.IsEmpty(await s_generator.GenerateAsync([]));
    }

    // Special tokens are not counted, nor what is cut off behind 14 of a text.
    [TestMethod]
    public async Task Usage_counts_the_tokens_that_were_embedded()
    {
        string[] texts = ["word1", "word2 word3 unheard", "", string.Join(' ', Enumerable.Repeat("word1", 50))];
        var tokenizer = ((TextRowFormat)s_encoder.Model.Format).Tokenizer;
        var counts = texts.Select(text => Math.Min(14, tokenizer.Encode(text).Length)).ToArray();
        Assert.AreEqual(14, counts[3]);
        var usage = (await s_generator.GenerateAsync(texts)).Usage!;
        Assert.AreEqual(counts.Sum(), usage.InputTokenCount);
        Assert.AreEqual(counts.Sum(), usage.TotalTokenCount);
    }

    [TestMethod]
    public async Task Eight_callers_at_once_get_their_own()
    {
        var parts = Enumerable.Range(0, 8).Select(k => GeneratorData.Texts(300).Skip(k * 30).Take(30 + k).ToArray()).ToArray();
        float[][][] expected = [.. parts.Select(part => s_encoder.Embed(part).ToArray())];
        for (var round = 0; round < 3; round++)
        {
            var generated = await Task.WhenAll(parts.Select(part => s_generator.GenerateAsync(part)));
            for (var k = 0; k < parts.Length; k++)
                GeneratorData.AssertEqual(expected[k], generated[k]);
        }
    }

    [TestMethod]
    public async Task Cancellation_ends_it_before_and_between_batches()
    {
        var before = s_encoder.Truncation!.Rows;
        await Assert.ThrowsAsync<OperationCanceledException>(() => s_generator.GenerateAsync(["a"], cancellationToken: new CancellationToken(canceled: true)));
        Assert.AreEqual(before, s_encoder.Truncation!.Rows);

        using var source = new CancellationTokenSource();
        var texts = GeneratorData.Texts(200_000);
        var running = s_generator.GenerateAsync(texts, cancellationToken: source.Token);
        while (s_encoder.Truncation!.Rows == before && !running.IsCompleted)
            await Task.Delay(1);
        await source.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => running);
        Assert.IsLessThan(before + texts.Length, s_encoder.Truncation!.Rows);
    }

    [TestMethod]
    public async Task Options_are_those_of_the_encoder_or_refused()
    {
        var fault = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => s_generator.GenerateAsync(["a"], new() { Dimensions = 8 }));
        StringAssert.Contains(fault.Message, $"Dimensions must be {s_encoder.EmbeddingDimension}");
        StringAssert.Contains(fault.Message, "got 8");
        fault = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => s_generator.GenerateAsync(["a"], new() { ModelId = "other" }));
        StringAssert.Contains(fault.Message, "ModelId must be 'tickets-1' or null, got 'other'");
        var generated = await s_generator.GenerateAsync(["a"], new() { Dimensions = s_encoder.EmbeddingDimension, ModelId = "tickets-1" });
        Assert.AreEqual("tickets-1", generated[0].ModelId);
        var nameless = s_encoder.AsIEmbeddingGenerator();
        Assert.AreEqual("other", (await nameless.GenerateAsync(["a"], new() { ModelId = "other" }))[0].ModelId);
        Assert.IsNull((await nameless.GenerateAsync(["a"]))[0].ModelId);
    }

    [TestMethod]
    public async Task What_is_null_is_named()
    {
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => s_generator.GenerateAsync(["a", null!]));
        StringAssert.Contains(fault.Message, "Value 1 is null");
        Assert.AreEqual("values", fault.ParamName);
        await Assert.ThrowsAsync<ArgumentNullException>(() => s_generator.GenerateAsync(null!));
        Assert.Throws<ArgumentNullException>(() => ((EncoderTransformer)null!).AsIEmbeddingGenerator());
        Assert.Throws<ArgumentNullException>(() => ((EncoderTransformer)null!).AsIImageEmbeddingGenerator());
    }

    [TestMethod]
    public void It_says_what_it_is()
    {
        var metadata = s_generator.GetRequiredService<EmbeddingGeneratorMetadata>();
        Assert.AreEqual("ssl.mlnet", metadata.ProviderName);
        Assert.AreEqual("tickets-1", metadata.DefaultModelId);
        Assert.AreEqual(s_encoder.EmbeddingDimension, metadata.DefaultModelDimensions);
        Assert.AreSame(s_encoder, s_generator.GetService<EncoderTransformer>());
        Assert.AreSame(s_generator, s_generator.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.AreSame(s_generator, s_generator.GetService<object>());
        Assert.IsNull(s_generator.GetService<EncoderTransformer>("key"));
        Assert.IsNull(s_generator.GetService<IEmbeddingGenerator<DataContent, Embedding<float>>>());
    }

    [TestMethod]
    public async Task The_encoder_stays_the_callers()
    {
        var encoder = GeneratorData.TextEncoder();
        var generator = encoder.AsIEmbeddingGenerator();
        generator.Dispose();
        Assert.HasCount(encoder.EmbeddingDimension, encoder.Embed("a"));
        encoder.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["a"]));
    }

    [TestMethod]
    public void Another_kind_of_encoder_is_refused()
    {
        using var images = GeneratorData.ImageEncoder();
        var fault = Assert.Throws<ArgumentException>(() => images.AsIEmbeddingGenerator());
        StringAssert.Contains(fault.Message, "This encoder is one of kind 'image', which reads 'Image', and embeds no texts alone.");
        StringAssert.Contains(fault.Message, "AsIImageEmbeddingGenerator");
        Assert.HasCount(images.EmbeddingDimension, images.Embed(GeneratorData.Image(1)), "a refused encoder is not disposed of");
    }
}
