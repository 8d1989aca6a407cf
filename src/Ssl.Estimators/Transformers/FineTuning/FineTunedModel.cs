using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fine-tuned encoder with its head: everything that is saved, and nothing of a pipeline.</summary>
internal sealed class FineTunedModel : RowComputation, IDisposable
{
    /// <summary>Kind of the archive.</summary>
    public const string Kind = "fine-tuned";

    private const string TaskKey = "prediction", HiddenKey = "hiddenUnits", ModalityKey = "modality", EncoderKey = "model";
    private const string EncoderPrefix = "encoder.", HeadPrefix = "head.";

    private readonly EncoderModel _encoder;
    private readonly PredictionHead _head;

    /// <summary>A model that owns both parts.</summary>
    /// <param name="encoder">The tuned encoder.</param>
    /// <param name="head">Its head; moved to the device.</param>
    /// <param name="task">What the head's outputs mean.</param>
    /// <param name="device">Where the encoder is.</param>
    public FineTunedModel(EncoderModel encoder, PredictionHead head, PredictionTask task, Device device)
    {
        (_encoder, _head, Task) = (encoder, head, task);
        Lifetime = new Lifetime(nameof(FineTunedTransformer), () =>
        {
            encoder.Dispose();
            head.Dispose();
        });
        head.to(device);
        head.eval();
        foreach (var parameter in head.parameters())
            parameter.requires_grad_(false);
    }

    /// <summary>What it predicts.</summary>
    public PredictionTask Task { get; }

    /// <summary>Ends with <see cref="Dispose"/>.</summary>
    public override Lifetime Lifetime { get; }

    public override RowFormat Format => _encoder.Format;

    public override TruncationCounter Truncation => _encoder.Truncation;

    /// <summary>What the texts of its training lost; null where nothing tells.</summary>
    public TruncationCounts? TrainingTruncation => TruncationCounts.FromJson(_encoder.TrainingFacts[TrainingFacts.TruncationKey]);

    public override int Width => Task.Width;

    public override void Compute(RowBatch rows, Span<float> results)
    {
        if (rows.Count == 0)
            return;
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = _head.call(_encoder.Encode(rows.ToStore()));
        var output = Task.Interpret(logits).cpu().contiguous();         // [rows, Width]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(results);
    }

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => PredictionColumns.CreateGetter(Task, output, row,
        static numbers => VectorGetter(numbers));

    /// <summary>Writes description and weights; <see cref="Read"/> reads them back.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        var content = new JsonObject
        {
            [TaskKey] = Task.ToJson(),
            [HiddenKey] = _head.HiddenUnits,
            [ModalityKey] = _encoder.Modality,
            [EncoderKey] = _encoder.Describe(),
        };
        ModelArchive.Write(stream, Kind, content, Prefixed(_encoder.GetWeights(), _head));
    }

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the model is on the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else, or is damaged.</exception>
    public static FineTunedModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        if (manifest.Kind != Kind)
            throw new FormatException($"The archive holds a model of kind '{manifest.Kind}', expected '{Kind}'.");
        try
        {
            var content = manifest.Content;
            var task = PredictionTask.FromJson(content[TaskKey]!.AsObject());
            var modality = content.Text(ModalityKey);
            var hidden = (int)content[HiddenKey]!;
            var head = PredictionHead.Unfilled(DimensionOf(tensors), hidden, task.HeadOutputs);
            var encoder = EncoderModel.Create(modality, content[EncoderKey]!.AsObject(),
                weights => tensors.ReadInto(Prefixed(weights, head))) ?? throw new FormatException(
                $"The archive holds a fine-tuned model of modality '{modality}', which this version cannot read. Update the package.");
            return new FineTunedModel(encoder, head, task, CPU);
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest does not describe a fine-tuned model: {JsonReading.Reason(e)}", e);
        }
    }

    /// <summary>Brings the networks to a device. Not while another thread computes.</summary>
    public void MoveTo(Device device)
    {
        _encoder.MoveTo(device);
        _head.to(device);
    }

    public void Dispose() => Lifetime.Close();

    // Length of an embedding: the input of the head's first layer, whose weight is [outputs, inputs].
    private static int DimensionOf(SafeTensorsReader tensors)
        => tensors.Entries.FirstOrDefault(entry => entry.Name is HeadPrefix + "hidden.weight" or HeadPrefix + "output.weight") is { Shape.Length: 2 } weight
            ? (int)weight.Shape[1] : throw new FormatException("It has no weights of a head.");

    private static Dictionary<string, Tensor> Prefixed(IReadOnlyDictionary<string, Tensor> encoder, PredictionHead head)
        => encoder.Select(w => (Name: EncoderPrefix + w.Key, w.Value))
            .Concat(head.state_dict().Select(w => (Name: HeadPrefix + w.Key, w.Value)))
            .ToDictionary(w => w.Name, w => w.Value);
}
