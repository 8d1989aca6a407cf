using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>
/// The network of the package Microsoft.ML.DnnImageFeaturizer.ResNet18 gives what ONNX Runtime gives. It computes at 224 pixels there, which is
/// what the images of 32 are resized to.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class ImageFeaturizerTests
{
    private const int Side = SmallImageNetwork.Side, Size = 224, Dimension = 512;

    private static readonly string s_path = Path.Combine(AppContext.BaseDirectory, "DnnImageModels", "ResNet18.onnx");
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static EncoderTransformer s_encoder = null!;

    [ClassInitialize]
    public static void Load(TestContext context) => s_encoder = s_mlContext.SelfSupervised().LoadPretrained(s_path, new PretrainedOptions { InputSize = Side });

    [ClassCleanup]
    public static void Free() => s_encoder.Dispose();

    [TestMethod]
    public void EmbedsImagesAsOnnxRuntimeDoes() => Compare([.. Enumerable.Range(0, 17).Select(ImageFolderTests.MakeUp)]);

    [TestMethod]
    [TestCategory("Long")]
    public void EmbedsHundredPhotosAsOnnxRuntimeDoes()
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? data : Path.Combine(ArchitectureTests.Root, "..", "shared", "data");
        var path = Path.Combine(folder, "cifar10", "test.bin.gz");
        if (!File.Exists(path))
            Assert.Inconclusive("SSL_DATA does not name a folder that holds cifar10/test.bin.gz.");
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        var images = new byte[100][];
        var row = new byte[1 + 3 * Side * Side];
        for (var i = 0; i < images.Length; i++)
        {
            file.ReadExactly(row);
            images[i] = row[1..];
        }
        Compare(images);
    }

    [TestMethod]
    public void TakesAnySizeOnceItIsRead()
    {
        using var small = s_mlContext.SelfSupervised().LoadPretrained(s_path, new PretrainedOptions { InputSize = Side, ImageSize = 64 });
        var embedding = ImageFolderTests.Embed(small, [ImageFolderTests.MakeUp(1)])[0];
        Assert.HasCount(Dimension, embedding);
        Assert.IsGreaterThan(0.1f, embedding.Max());
    }

    private static void Compare(byte[][] images)
    {
        var ours = ImageFolderTests.Embed(s_encoder, images);
        using var session = new InferenceSession(s_path);
        var (worst, largest) = (0f, 0f);
        for (var i = 0; i < images.Length; i++)
        {
            var expected = Theirs(session, images[i]);
            Assert.HasCount(Dimension, expected);
            for (var d = 0; d < Dimension; d++)
                (worst, largest) = (Math.Max(worst, Math.Abs(expected[d] - ours[i][d])), Math.Max(largest, Math.Abs(expected[d])));
        }
        Console.WriteLine($"largest difference {worst:g3}, largest output {largest:g4}");
        Assert.IsGreaterThan(1f, largest);
        Assert.IsLessThanOrEqualTo(1e-5f * largest, worst);
    }

    // Blue, green, red from 0 to 255 less their means.
    private static float[] Theirs(InferenceSession session, byte[] image)
    {
        float[] means = [103.06f, 115.90f, 123.15f];
        var resized = ImageFolderTests.ResizeImage(image, Side, Size);
        const int Plane = Size * Size;
        float[] input = [.. Enumerable.Range(0, 3 * Plane).Select(i => (float)(resized[(2 - i / Plane) * Plane + i % Plane] - means[i / Plane]))];
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.Single(), new DenseTensor<float>(input, [1, 3, Size, Size]))]);
        return [.. results[0].AsEnumerable<float>()];
    }
}
