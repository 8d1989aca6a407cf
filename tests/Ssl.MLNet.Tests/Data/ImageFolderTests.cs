using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Data;

/// <summary>Folders of images: with classes or without, in a stable order, what cannot be read left out and told.</summary>
[TestClass]
public sealed class ImageFolderTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-image-folder-").FullName;
    private readonly List<string> _log = [];
    private readonly MLContext _mlContext = TestDevice.Context(1);

    public ImageFolderTests() => _mlContext.Log += (_, e) =>
    {
        lock (_log)
            _log.Add(e.Message);
    };

    private SelfSupervisedCatalog.DataReaders Readers => _mlContext.SelfSupervised().Data;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Class_folders_are_labels_and_paths_the_order()
    {
        foreach (var file in new[] { "dog/b.png", "cat/deep/er/z.PNG", "cat/a.jpg", "dog/a.webp", "loose.png", "dog/notes.txt", "empty/readme.md" })
            Save(file);
        var view = Readers.LoadImageFolder(_folder);
        for (var pass = 0; pass < 2; pass++)
        {
            Assert.AreEqual("cat/a.jpg cat/deep/er/z.PNG dog/a.webp dog/b.png loose.png", string.Join(' ', Relative(view)));
            Assert.AreEqual("cat cat dog dog ", string.Join(' ', view.GetColumn<string>("Label")));
        }
        Assert.AreEqual("cat dog", string.Join(' ', view.Classes));
        Assert.AreEqual(5, view.GetRowCount());
        Assert.IsEmpty(view.UnreadableFiles);
        Assert.IsEmpty(_log.Where(line => line.Contains("left out", StringComparison.Ordinal)));
        Assert.IsInstanceOfType<ImageDataViewType>(view.Schema["Image"].Type);
        // The missing label is a missing key.
        var keys = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(view).Transform(view);
        CollectionAssert.AreEqual(new uint[] { 1, 1, 2, 2, 0 }, keys.GetColumn<uint>("Label").ToArray());
    }

    [TestMethod]
    public void Settings_choose_files_columns_and_labels()
    {
        foreach (var file in new[] { "dog/b.png", "cat/a.jpg", "loose.png", "dog/x.picture" })
            Save(file);
        Assert.AreEqual("loose.png", string.Join(' ', Relative(Readers.LoadImageFolder(_folder, includeSubfolders: false))));
        Assert.IsNull(Readers.LoadImageFolder(_folder, includeSubfolders: false).Schema.GetColumnOrNull("Label"));
        var plain = Readers.LoadImageFolder(_folder, includeLabel: false);
        Assert.AreEqual((3, 0, 2), ((int)plain.GetRowCount()!, plain.Classes.Count, plain.Schema.Count));
        var named = Readers.LoadImageFolder(_folder, new ImageFolderOptions { Extensions = [".PICTURE"], ImageColumnName = "Photo", PathColumnName = "File", LabelColumnName = "Animal" });
        Assert.AreEqual("Photo File Animal", string.Join(' ', named.Schema.Select(column => column.Name)));
        Assert.AreEqual("dog", named.GetColumn<string>("Animal").Single());
    }

    [TestMethod]
    public void What_cannot_be_read_is_left_out_counted_and_named()
    {
        for (var i = 0; i < 10; i++)
            Save($"a/{i}.png", 40);
        Cut("a/1.png", 30);
        File.WriteAllText(Path.Combine(_folder, "a", "2.png"), "<html>not found</html>");
        File.WriteAllBytes(Path.Combine(_folder, "a", "3.png"), []);
        Save("a/cut.jpg", 40);
        Cut("a/cut.jpg", 200);
        var view = Readers.LoadImageFolder(_folder);
        Assert.AreEqual("a/0.png a/4.png a/5.png a/6.png a/7.png a/8.png a/9.png", string.Join(' ', Relative(view)));
        Assert.AreEqual("1.png: the file ends before the image does|2.png: its contents are not those of an image|3.png: the file is empty|cut.jpg: the file ends before the image does",
            string.Join('|', view.UnreadableFiles.Select(file => $"{Path.GetFileName(file.Path)}: {file.Reason}")));
        var told = _log.Single(line => line.Contains("left out", StringComparison.Ordinal));
        Assert.Contains($"4 of 11 files in '{_folder}' are left out: '{view.UnreadableFiles[0].Path}' (the file ends before the image does); ", told);
        // Every row can be decoded.
        Assert.IsTrue(Images(view).All(image => image.Width == 40));

        var all = Readers.LoadImageFolder(_folder, new ImageFolderOptions { Check = ImageCheck.None });
        Assert.AreEqual((11L, 0), (all.GetRowCount()!.Value, all.UnreadableFiles.Count));
    }

    // The pixels of a PNG broken in their middle: its structure is sound.
    [TestMethod]
    public void Damage_within_an_image_is_found_by_decoding()
    {
        Save("good.png", 64);
        Save("bad.png", 64);
        var path = Path.Combine(_folder, "bad.png");
        var bytes = File.ReadAllBytes(path);
        for (var i = bytes.Length / 2; i < bytes.Length / 2 + 200; i++)
            bytes[i] = 0;
        File.WriteAllBytes(path, bytes);
        Assert.AreEqual(2, Readers.LoadImageFolder(_folder).GetRowCount());
        var view = Readers.LoadImageFolder(_folder, new ImageFolderOptions { Check = ImageCheck.Decode });
        Assert.AreEqual("bad.png: its contents cannot be decoded", string.Join('|', view.UnreadableFiles.Select(file => $"{Path.GetFileName(file.Path)}: {file.Reason}")));
    }

    [TestMethod]
    public void A_long_list_is_shortened_in_the_log_only()
    {
        Save("good.png");
        for (var i = 0; i < 8; i++)
            File.WriteAllText(Path.Combine(_folder, $"x{i}.png"), "no");
        var view = Readers.LoadImageFolder(_folder);
        Assert.HasCount(8, view.UnreadableFiles);
        Assert.Contains("; and 3 more.", _log.Single(line => line.Contains("left out", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void A_folder_that_gives_nothing_says_why()
    {
        Fault<DirectoryNotFoundException>("There is no folder", Path.Combine(_folder, "none"));
        Fault<InvalidOperationException>("no file ends in .bmp, .gif, .jpeg, .jpg, .png, .webp.", _folder);
        File.WriteAllText(Path.Combine(_folder, "a.tiff"), "no");
        Fault<InvalidOperationException>("(1 end otherwise; Extensions says which to take)", _folder);
        File.WriteAllText(Path.Combine(_folder, "a.png"), "no");
        Fault<InvalidOperationException>("None of the 1 images in", _folder);
        Save("b.png");
        var fault = Assert.ThrowsExactly<ArgumentException>(() => Readers.LoadImageFolder(_folder, includeLabel: true));
        Assert.Contains("lie in no folders, which would be their labels", fault.Message);
        var options = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Readers.LoadImageFolder(_folder,
            new ImageFolderOptions { Extensions = ["png"], Check = (ImageCheck)7, PathColumnName = "Image", LabelColumnName = " ", IncludeLabel = true, IncludeSubfolders = false }));
        foreach (var part in new[] { "Extensions must begin with a dot each", "Check must be one of None, Structure, Decode", "LabelColumnName must not be empty",
            "PathColumnName must be another name", "IncludeLabel must not be true" })
        {
            Assert.Contains(part, options.Message);
        }

        void Fault<T>(string expected, string folder) where T : Exception
            => Assert.Contains(expected, Assert.ThrowsExactly<T>(() => Readers.LoadImageFolder(folder)).Message);
    }

    [TestMethod]
    public void A_shuffled_order_has_every_row_once_and_is_drawn()
    {
        for (var i = 0; i < 50; i++)
            Save($"{i:00}.png");
        var view = Readers.LoadImageFolder(_folder);
        Assert.IsTrue(view.CanShuffle);
        var shuffled = Relative(_mlContext.Data.ShuffleRows(view, seed: 3, shufflePoolSize: 1));
        CollectionAssert.AreNotEqual(Relative(view), shuffled);
        CollectionAssert.AreEquivalent(Relative(view), shuffled);
    }

    [TestMethod]
    public void Encoders_learn_from_them_and_chains_are_saved()
    {
        for (var i = 0; i < 24; i++)
            Save($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png", 8 + i);
        var view = Readers.LoadImageFolder(_folder);
        var ssl = _mlContext.SelfSupervised();
        var net = ImageEncoders.SmallConvNet(imageSize: 8, channels: 3, numberOfStages: 2, width: 4);
        var options = new SimClrTrainer.Options { Encoder = net, BatchSize = 4, NumberOfEpochs = 1, Seed = 1 };
        var model = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(ssl.Images.SimClr(options)).Fit(view);
        var embeddings = model.Transform(view).GetColumn<float[]>("Features").ToArray();
        Assert.HasCount(24, embeddings);
        // The same as ML.NET's own stage on the same paths gives.
        var paths = _mlContext.Data.LoadFromEnumerable(view.GetColumn<string>("Path").Select(path => new PathRow { Path = path, Label = "even" }).ToArray());
        var loaded = _mlContext.Transforms.LoadImages("Image", "", "Path").Fit(paths).Transform(paths);
        AssertEqual(embeddings, model.Transform(loaded));
        var path = Path.Combine(_folder, "model.zip");
        _mlContext.Model.Save(model, view.Schema, path);
        AssertEqual(embeddings, TestDevice.Context().Model.Load(path, out var schema).Transform(view));

        static void AssertEqual(float[][] expected, IDataView actual)
            => Assert.AreEqual(Text(expected), Text(actual.GetColumn<float[]>("Features")));

        static string Text(IEnumerable<float[]> rows) => string.Join(' ', rows.SelectMany(row => row));
    }

    // 400 images of 360,000 pixels are 576 MB decoded.
    [TestMethod]
    public void Memory_stays_flat_over_many_images()
    {
        Save("0.png", 600);
        for (var i = 1; i < 400; i++)
            File.Copy(Path.Combine(_folder, "0.png"), Path.Combine(_folder, $"{i}.png"));
        var view = Readers.LoadImageFolder(_folder);
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        long before = 0, most = 0;
        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        for (var i = 0; cursor.MoveNext(); i++)
        {
            getter(ref image);
            process.Refresh();
            if (i == 50)
                before = process.WorkingSet64;
            most = Math.Max(most, process.WorkingSet64);
        }
        image.Dispose();
        Assert.IsLessThan(120L << 20, most - before);
    }

    private string[] Relative(IDataView view)
        => [.. view.GetColumn<string>("Path").Select(path => Path.GetRelativePath(_folder, path).Replace('\\', '/'))];

    private static IEnumerable<(int Width, int Height)> Images(IDataView view)
    {
        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        while (cursor.MoveNext())
        {
            getter(ref image);
            yield return (image.Width, image.Height);
        }
        image?.Dispose();
    }

    private void Save(string file, int size = 12)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (Path.GetExtension(path) is ".txt" or ".md")
        {
            File.WriteAllText(path, "text");
            return;
        }
        var rgba = new byte[size * size * 4];
        new Random(size).NextBytes(rgba);
        for (var p = 3; p < rgba.Length; p += 4)
            rgba[p] = 255;
        using var image = MLImage.CreateFromPixels(size, size, MLPixelFormat.Rgba32, rgba);
        var known = Path.GetExtension(path) is ".PNG" or ".picture" ? path + ".png" : path;
        image.Save(known);
        if (known != path)
            File.Move(known, path);
    }

    private void Cut(string file, int length)
    {
        using var stream = File.OpenWrite(Path.Combine(_folder, file));
        stream.SetLength(length);
    }

    private sealed class PathRow
    {
        public string Path { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
