using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Extensions.AI;

namespace Ssl.MLNet.Tests.Generators;

/// <summary>Encoders of images as embedding generators.</summary>
[TestClass]
public sealed class ImageGeneratorTests
{
    private static readonly EncoderTransformer s_encoder = GeneratorData.ImageEncoder();

    private static readonly IEmbeddingGenerator<DataContent, Embedding<float>> s_generator = s_encoder.AsIImageEmbeddingGenerator("photos-1");

    [ClassCleanup]
    public static void Free() => s_encoder.Dispose();

    [TestMethod]
    public async Task The_numbers_are_those_of_Transform()
    {
        var images = Enumerable.Range(0, 40).Select(GeneratorData.Image).ToArray();
        DataContent[] contents = [.. Enumerable.Range(0, 40).Select(i => Content(i))];
        var generated = await s_generator.GenerateAsync(contents);
        GeneratorData.AssertEqual(GeneratorData.Transformed(s_encoder, images), generated);
        Assert.IsNull(generated.Usage);
        Assert.AreEqual("photos-1", generated[0].ModelId);
        Assert.AreEqual(s_encoder.EmbeddingDimension, s_generator.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelDimensions);

        // As a data URI, as a part of a buffer, and without a media type that says anything.
        byte[] bytes = GeneratorData.File(3, "png"), buffer = [0, 0, .. bytes, 0];
        DataContent[] others = [new($"data:image/png;base64,{Convert.ToBase64String(bytes)}"), new(buffer.AsMemory(2, bytes.Length), "image/png"),
            new(bytes, "application/octet-stream")];
        foreach (var other in others)
            CollectionAssert.AreEqual(s_encoder.Embed(images[3]), (await s_generator.GenerateVectorAsync(other)).ToArray());
    }

    [TestMethod]
    public async Task Jpeg_and_WebP_are_images_too()
    {
        foreach (var format in (string[])["jpg", "webp"])
        {
            var bytes = GeneratorData.File(5, format);
            using var decoded = MLImage.CreateFromStream(new MemoryStream(bytes));
            CollectionAssert.AreEqual(s_encoder.Embed(decoded), (await s_generator.GenerateVectorAsync(new DataContent(bytes, "image/*"))).ToArray());
        }
    }

    [TestMethod]
    public async Task Eight_callers_at_once_get_their_own()
    {
        var generated = await Task.WhenAll(Enumerable.Range(0, 8).Select(k => s_generator.GenerateAsync(Enumerable.Range(k, 5).Select(i => Content(i)))));
        for (var k = 0; k < 8; k++)
            GeneratorData.AssertEqual(s_encoder.Embed(Enumerable.Range(k, 5).Select(GeneratorData.Image)), generated[k]);
    }

    [TestMethod]
    [DataRow("text/plain", 0, "Image 1 ('cat') is no image but 'text/plain': give the bytes of a PNG")]
    [DataRow("image/png", 40, "Image 1 ('cat') cannot be read: its bytes end before the image does. Repair it or leave it out")]
    [DataRow("image/png", -1, "Image 1 ('cat') cannot be read: its bytes are not those of an image that can be decoded. Repair it or leave it out")]
    public async Task What_is_no_image_is_named(string mediaType, int cut, string expected)
    {
        var bytes = cut < 0 ? [1, 2, 3, 4] : GeneratorData.File(2, "png")[..^cut];
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => s_generator.GenerateAsync([Content(1), new DataContent(bytes, mediaType) { Name = "cat" }]));
        StringAssert.Contains(fault.Message, expected);
        Assert.AreEqual("values", fault.ParamName);
        fault = await Assert.ThrowsAsync<ArgumentException>(() => s_generator.GenerateAsync([new DataContent(bytes, mediaType)]));
        StringAssert.StartsWith(fault.Message, "Image 0 ");
    }

    [TestMethod]
    public async Task What_is_null_is_named()
        => StringAssert.Contains((await Assert.ThrowsAsync<ArgumentException>(() => s_generator.GenerateAsync([Content(0), null!]))).Message, "Value 1 is null");

    [TestMethod]
    public void Another_kind_of_encoder_is_refused()
    {
        using var texts = GeneratorData.TextEncoder();
        var fault = Assert.Throws<ArgumentException>(() => texts.AsIImageEmbeddingGenerator());
        StringAssert.Contains(fault.Message, "This encoder is one of kind 'text', which reads 'Text', and embeds no images alone.");
        StringAssert.Contains(fault.Message, "AsIEmbeddingGenerator");
    }

    private static DataContent Content(int number) => new(GeneratorData.File(number, "png"), "image/png");
}
