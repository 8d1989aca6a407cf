using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Images: what the real ones' source says of pixels, files and faults.</summary>
[TestClass]
public sealed class ImageTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("standin-images").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void PixelsComeBackFromAFile()
    {
        byte[] rgba = [10, 20, 30, 255, 40, 50, 60, 255, 0, 0, 0, 0];
        using var image = MLImage.CreateFromPixels(3, 1, MLPixelFormat.Rgba32, rgba);
        CollectionAssert.AreEqual(rgba, image.Pixels.ToArray());
        Assert.AreEqual(32, image.BitsPerPixel);
        var path = Path.Combine(_folder, "a.png");
        image.Save(path);
        using var read = MLImage.CreateFromFile(path);
        Assert.AreEqual((3, 1, MLPixelFormat.Bgra32), (read.Width, read.Height, read.PixelFormat));
        CollectionAssert.AreEqual(new byte[] { 30, 20, 10, 255, 60, 50, 40, 255, 0, 0, 0, 0 }, read.Pixels.ToArray());
    }

    [TestMethod]
    public void FiltersPalettesAndGreyAreRead()
    {
        // Two rows of three grey pixels: as they are, then as differences from the left, from above, the mean and Paeth's choice.
        byte[][] rows = [[0, 9, 8, 7], [1, 5, 1, 1], [2, 1, 1, 1], [3, 1, 1, 1], [4, 1, 1, 1]];
        byte[] expected = [9, 8, 7, 5, 6, 7, 6, 7, 8, 4, 6, 8, 5, 7, 9];
        using (var image = MLImage.CreateFromStream(new MemoryStream(File(3, 5, 8, 0, [.. rows.SelectMany(row => row)]))))
            CollectionAssert.AreEqual(expected, image.Pixels.ToArray().Where((_, i) => i % 4 == 0).ToArray());
        using var palette = MLImage.CreateFromStream(new MemoryStream(File(2, 1, 1, 3, [0, 0b0100_0000], [1, 2, 3, 4, 5, 6])));
        CollectionAssert.AreEqual(new byte[] { 3, 2, 1, 255, 6, 5, 4, 255 }, palette.Pixels.ToArray());
    }

    [TestMethod]
    public void FaultsAreThoseOfTheRealOne()
    {
        Assert.AreEqual("Invalid input stream contents (Parameter 'imageStream')",
            Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromStream(new MemoryStream([1, 2, 3]))).Message);
        Assert.AreEqual("Invalid path (Parameter 'imagePath')",
            Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromFile(Path.Combine(_folder, "none.png"))).Message);
        Assert.AreEqual("Invalid imagePixelData buffer size.",
            Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromPixels(1, 1, MLPixelFormat.Rgba32, [1])).Message);
        var image = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Rgba32, [1, 2, 3, 4]);
        Assert.AreEqual("Path has invalid image file extension. (Parameter 'imagePath')",
            Assert.ThrowsExactly<ArgumentException>(() => image.Save(Path.Combine(_folder, "a.txt"))).Message);
        image.Dispose();
        Assert.AreEqual("Object is disposed.", Assert.ThrowsExactly<InvalidOperationException>(() => image.Width).Message);
    }

    [TestMethod]
    public void FilesAreLoadedByTheirNames()
    {
        var mlContext = new MLContext();
        using (var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [1, 2, 3, 255, 4, 5, 6, 255]))
            image.Save(Path.Combine(_folder, "a.png"));
        var rows = mlContext.Data.LoadFromEnumerable([new Row { Path = "a.png" }, new Row()]);
        var loading = mlContext.Transforms.LoadImages("Image", _folder, "Path");
        var view = loading.Fit(rows).Transform(rows);
        Assert.AreEqual(new ImageDataViewType(), view.Schema["Image"].Type);
        Assert.AreEqual("Image", view.Schema["Image"].Type.ToString());
        using var cursor = view.GetRowCursor([view.Schema["Image"]]);
        var get = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage? read = null;
        cursor.MoveNext();
        get(ref read!);
        Assert.AreEqual((2, 1, Path.Combine(_folder, "a.png")), (read.Width, read.Height, read.Tag));
        cursor.MoveNext();
        get(ref read!);
        Assert.IsNull(read);
    }

    // A file of given rows, each with its filter in front.
    private static byte[] File(int width, int height, byte depth, byte kind, byte[] rows, byte[]? palette = null)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(rows);
        using var file = new MemoryStream();
        file.Write([137, 80, 78, 71, 13, 10, 26, 10]);
        Chunk("IHDR", [0, 0, 0, (byte)width, 0, 0, 0, (byte)height, depth, kind, 0, 0, 0]);
        if (palette is not null)
            Chunk("PLTE", palette);
        Chunk("IDAT", packed.ToArray());
        Chunk("IEND", []);
        return file.ToArray();

        void Chunk(string name, byte[] content)
        {
            byte[] body = [.. name.Select(c => (byte)c), .. content];
            file.Write([0, 0, (byte)(content.Length >> 8), (byte)content.Length, .. body]);
            var crc = uint.MaxValue;
            foreach (var value in body)
            {
                crc ^= value;
                for (var bit = 0; bit < 8; bit++)
                    crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
            }
            crc = ~crc;
            file.Write([(byte)(crc >> 24), (byte)(crc >> 16), (byte)(crc >> 8), (byte)crc]);
        }
    }

    private sealed class Row
    {
        public string Path { get; set; } = "";
    }
}
