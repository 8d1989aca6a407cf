using System.IO.Compression;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Tests.Images;

/// <summary>Readers of IDX and CIFAR files: packed or not, cut off, of another form.</summary>
[TestClass]
public sealed class ImageFileTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-images-").FullName;
    private readonly SelfSupervisedCatalog.DataReaders _readers = TestDevice.Context(1).SelfSupervised().Data;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void IdxFilesAreRead()
    {
        byte[] images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        byte[] labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 4];
        foreach (bool packed in (bool[])[false, true])
        {
            var view = _readers.LoadIdx(Write("images", images, packed), Write("labels", labels, packed));
            var type = (VectorDataViewType)view.Schema["Image"].Type;
            Assert.AreEqual(NumberDataViewType.Byte, type.ItemType);
            CollectionAssert.AreEqual(new[] { 1, 2, 3 }, type.Dimensions.ToArray());
            for (var pass = 0; pass < 2; pass++)
            {
                byte[][] rows = [.. view.GetColumn<byte[]>("Image")];
                CollectionAssert.AreEqual(new byte[] { 7, 8, 9, 10, 11, 12 }, rows[1]);
                CollectionAssert.AreEqual(new uint[] { 9, 4 }, view.GetColumn<uint>("Label").ToArray());
            }
        }
        byte[] color = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6];
        var shaped = (VectorDataViewType)_readers.LoadIdx(Write("color", color)).Schema["Image"].Type;
        CollectionAssert.AreEqual(new[] { 3, 1, 2 }, shaped.Dimensions.ToArray());
    }

    [TestMethod]
    public void CifarFilesAreRead()
    {
        byte[] Image(byte label) => [label, .. Enumerable.Range(0, 3072).Select(i => (byte)(i + label))];
        var view = _readers.LoadCifarBinary(Write("a.bin", [.. Image(3), .. Image(5)]), Write("b.bin.gz", Image(7), packed: true));
        CollectionAssert.AreEqual(new uint[] { 3, 5, 7 }, view.GetColumn<uint>("Label").ToArray());
        CollectionAssert.AreEqual(Image(7)[1..], view.GetColumn<byte[]>("Image").Last());
        CollectionAssert.AreEqual(new[] { 3, 32, 32 }, ((VectorDataViewType)view.Schema["Image"].Type).Dimensions.ToArray());
    }

    [TestMethod]
    public void DamagedFilesAreNamed()
    {
        Refuses(() => _readers.LoadIdx(Write("cut", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3])), "cut",
            "says it holds 2 x 2 x 2 bytes, but has 3");
        Refuses(() => _readers.LoadIdx(Write("float", [0, 0, 13, 1, 0, 0, 0, 0])), "float", "IDX type 13");
        Refuses(() => _readers.LoadIdx(Write("text", "hello"u8.ToArray())), "text", "is no IDX file");
        Refuses(() => _readers.LoadIdx(Write("line", [0, 0, 8, 1, 0, 0, 0, 1, 7])), "line", "images have 3");
        byte[] images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5], labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 4];
        Refuses(() => _readers.LoadIdx(Write("images", images), Write("labels", labels)), "labels", "must hold 1 classes");
        Refuses(() => _readers.LoadIdx(Write("packed", [0x1f, 0x8b, 1, 2, 3])), "packed", "cannot be unpacked");
        Refuses(() => _readers.LoadCifarBinary(Write("short.bin", new byte[100])), "short.bin", "no multiple of the 3073");
        Assert.Throws<FileNotFoundException>(() => _readers.LoadIdx(Path.Combine(_folder, "missing")));
        Assert.Throws<ArgumentException>(() => _readers.LoadCifarBinary());
    }

    private static void Refuses(Action read, params string[] words)
    {
        var message = Assert.Throws<FormatException>(read).Message;
        foreach (var word in words)
            StringAssert.Contains(message, word);
    }

    private string Write(string name, byte[] bytes, bool packed = false)
    {
        var path = Path.Combine(_folder, name);
        using var file = File.Create(path);
        using Stream target = packed ? new GZipStream(file, CompressionLevel.Fastest) : file;
        target.Write(bytes);
        return path;
    }
}
