using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A tuned encoder and the head on it, with the form that both have in an archive. Owns both.</summary>
internal sealed class HeadedEncoder
{
    private const string HiddenKey = "hiddenUnits", ModalityKey = "modality", EncoderKey = "model";
    private const string EncoderPrefix = "encoder.", HeadPrefix = "head.", WordsPrefix = "words.";

    /// <summary>Both, on a device.</summary>
    /// <param name="encoder">The tuned encoder.</param>
    /// <param name="head">Its head; moved to the device.</param>
    /// <param name="device">Where the encoder is.</param>
    /// <param name="owner">What the user disposes of, to be named.</param>
    /// <param name="words">What the features of words add to the head's outputs; null for nothing. Stays on the CPU.</param>
    public HeadedEncoder(EncoderModel encoder, PredictionHead head, Device device, string owner, EmbeddingTable? words = null)
    {
        (Encoder, Head, Device, Words) = (encoder, head, device, words);
        Lifetime = new Lifetime(owner, () =>
        {
            encoder.Dispose();
            head.Dispose();
            words?.Dispose();
        });
        head.to(device);
        head.eval();
        foreach (var parameter in head.parameters())
            parameter.requires_grad_(false);
    }

    /// <summary>The encoder.</summary>
    public EncoderModel Encoder { get; }

    /// <summary>What stands on it.</summary>
    public PredictionHead Head { get; }

    /// <summary>A row of outputs a feature of words, on the CPU; null where words have none.</summary>
    public EmbeddingTable? Words { get; }

    /// <summary>Where both compute.</summary>
    public Device Device { get; private set; }

    /// <summary>While both can be used.</summary>
    public Lifetime Lifetime { get; }

    /// <summary>Brings both to a device. Not while another thread computes.</summary>
    public void MoveTo(Device device)
    {
        Encoder.MoveTo(device);
        Head.to(device);
        Device = device;
    }

    /// <summary>Writes an archive.</summary>
    /// <param name="stream">Takes it.</param>
    /// <param name="kind">Kind of the archive.</param>
    /// <param name="content">What the task is; gets the description of both.</param>
    public void Write(Stream stream, string kind, JsonObject content)
    {
        using var use = Lifetime.Enter();
        content[HiddenKey] = Head.HiddenUnits;
        content[ModalityKey] = Encoder.Modality;
        content[EncoderKey] = Encoder.Describe();
        ModelArchive.Write(stream, kind, content, Prefixed(Encoder.GetWeights(), Head, Words));
    }

    /// <summary>Reads what <see cref="Write"/> wrote; it is on the CPU.</summary>
    /// <param name="manifest">Of the archive.</param>
    /// <param name="tensors">Its weights.</param>
    /// <param name="kind">The kind that is expected.</param>
    /// <param name="owner">What the user disposes of, to be named.</param>
    /// <param name="outputs">Outputs of the head, from the content.</param>
    /// <param name="features">Number of features of words, from the content; 0 for none.</param>
    /// <exception cref="FormatException">The archive holds something else, or is damaged.</exception>
    public static HeadedEncoder Read(ArchiveManifest manifest, SafeTensorsReader tensors, string kind, string owner, Func<JsonObject, int> outputs,
        Func<JsonObject, int>? features = null)
    {
        if (manifest.Kind != kind)
            throw new FormatException($"The archive holds a model of kind '{manifest.Kind}', expected '{kind}'.");
        try
        {
            var content = manifest.Content;
            var numberOfOutputs = outputs(content);
            var modality = content.Text(ModalityKey);
            var hidden = (int)content[HiddenKey]!;
            var head = PredictionHead.Unfilled(DimensionOf(tensors), hidden, numberOfOutputs);
            var words = features?.Invoke(content) is > 0 and var count ? new EmbeddingTable(count, numberOfOutputs) : null;
            var encoder = EncoderModel.Create(modality, content[EncoderKey]!.AsObject(),
                weights => tensors.ReadInto(Prefixed(weights, head, words))) ?? throw new FormatException(
                $"The archive holds a fine-tuned model of modality '{modality}', which this version cannot read. Update the package.");
            return new HeadedEncoder(encoder, head, CPU, owner, words);
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest does not describe a fine-tuned model: {JsonReading.Reason(e)}", e);
        }
    }

    // Length of an embedding: the input of the head's first layer, whose weight is [outputs, inputs].
    private static int DimensionOf(SafeTensorsReader tensors)
        => tensors.Entries.FirstOrDefault(entry => entry.Name is HeadPrefix + "hidden.weight" or HeadPrefix + "output.weight") is { Shape.Length: 2 } weight
            ? (int)weight.Shape[1] : throw new FormatException("It has no weights of a head.");

    private static Dictionary<string, Tensor> Prefixed(IReadOnlyDictionary<string, Tensor> encoder, PredictionHead head, EmbeddingTable? words)
        => encoder.Select(w => (Name: EncoderPrefix + w.Key, w.Value))
            .Concat(head.state_dict().Select(w => (Name: HeadPrefix + w.Key, w.Value)))
            .Concat(words?.state_dict().Select(w => (Name: WordsPrefix + w.Key, w.Value)) ?? [])
            .ToDictionary(w => w.Name, w => w.Value);
}
