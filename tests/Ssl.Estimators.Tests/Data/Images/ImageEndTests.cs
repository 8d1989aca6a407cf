using Microsoft.ML.Data;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Images;

[TestClass]
public sealed class ImageEndTests
{
    [TestMethod]
    [DataRow("jpg")]
    [DataRow("png")]
    [DataRow("webp")]
    public void AFileThatIsCutAnywhereLacksItsEnd(string extension)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.{extension}");
        try
        {
            var random = new Random(1);
            using (var image = MLImage.CreateFromPixels(40, 30, MLPixelFormat.Rgba32,
                [.. Enumerable.Range(0, 4800).Select(i => i % 4 == 3 ? (byte)255 : (byte)random.Next(256))]))
                image.Save(path);
            var whole = File.ReadAllBytes(path);
            Assert.IsFalse(ImageEnd.IsMissing(whole));
            Assert.IsFalse(ImageEnd.IsMissing([.. whole, .. "appended by a camera"u8]), "what stands behind the end does not count");
            for (var length = 16; length < whole.Length - 1; length += 7)
                Assert.IsTrue(ImageEnd.IsMissing(whole.AsSpan(0, length)), $"{length} of {whole.Length} bytes");
            // A download that was given its length before it stopped.
            var zeros = new byte[whole.Length];
            whole.AsSpan(0, whole.Length / 2).CopyTo(zeros);
            if (extension != "webp")
                Assert.IsTrue(ImageEnd.IsMissing(zeros));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void TheEndOfAThumbnailIsNotThatOfItsImage()
    {
        byte[] thumbnail = [0xff, 0xd8, 0xff, 0xd9];
        byte[] start = [0xff, 0xd8, 0xff, 0xe1, 0, 6, .. thumbnail, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4];
        Assert.IsTrue(ImageEnd.IsMissing(start));
        Assert.IsFalse(ImageEnd.IsMissing([.. start, 0xff, 0xff, 0xd9]));
    }

    [TestMethod]
    public void OfOtherFilesNothingIsSaid()
    {
        Assert.IsFalse(ImageEnd.IsMissing([]));
        Assert.IsFalse(ImageEnd.IsMissing("BM of some kind"u8));
    }
}
