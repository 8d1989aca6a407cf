using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fine-tuned encoder with its head: everything that is saved, and nothing of a pipeline.</summary>
internal sealed class FineTunedModel : RowComputation, IDisposable
{
    /// <summary>Kind of the archive.</summary>
    public const string Kind = "fine-tuned";

    private const string TaskKey = "prediction";

    private readonly HeadedEncoder _parts;

    /// <summary>A model that owns both parts.</summary>
    /// <param name="encoder">The tuned encoder.</param>
    /// <param name="head">Its head; moved to the device.</param>
    /// <param name="task">What the head's outputs mean.</param>
    /// <param name="device">Where the encoder is.</param>
    public FineTunedModel(EncoderModel encoder, PredictionHead head, PredictionTask task, Device device)
        : this(new HeadedEncoder(encoder, head, device, nameof(FineTunedTransformer)), task)
    {
    }

    private FineTunedModel(HeadedEncoder parts, PredictionTask task) => (_parts, Task) = (parts, task);

    /// <summary>What it predicts.</summary>
    public PredictionTask Task { get; }

    /// <summary>Ends with <see cref="Dispose"/>.</summary>
    public override Lifetime Lifetime => _parts.Lifetime;

    public override RowFormat Format => _parts.Encoder.Format;

    public override TruncationCounter Truncation => _parts.Encoder.Truncation;

    /// <summary>What the texts of its training lost; null where nothing tells.</summary>
    public TruncationCounts? TrainingTruncation => TruncationCounts.FromJson(_parts.Encoder.TrainingFacts[TrainingFacts.TruncationKey]);

    public override int Width => Task.Width;

    public override void Compute(RowBatch rows, Span<float> results)
    {
        if (rows.Count == 0)
            return;
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var output = Predict(rows.ToStore()).cpu().contiguous();        // [rows, Width]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(results);
    }

    /// <summary>The tuned encoder.</summary>
    public EncoderModel Encoder => _parts.Encoder;

    /// <summary>What stands on it.</summary>
    public PredictionHead Head => _parts.Head;

    /// <summary>The task's numbers of rows, [rows, <see cref="Width"/>], on the model's device and in the caller's dispose scope; while
    /// <see cref="Lifetime"/> is entered.</summary>
    public Tensor Predict(RowStore rows) => Task.Interpret(_parts.Head.call(_parts.Encoder.Encode(rows)));

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => PredictionColumns.CreateGetter(Task, output, row,
        static numbers => VectorGetter(numbers));

    /// <summary>Writes description and weights; <see cref="Read"/> reads them back.</summary>
    public void WriteArchive(Stream stream) => _parts.Write(stream, Kind, new JsonObject { [TaskKey] = Task.ToJson() });

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the model is on the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else, or is damaged.</exception>
    public static FineTunedModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        PredictionTask? task = null;
        var parts = HeadedEncoder.Read(manifest, tensors, Kind, nameof(FineTunedTransformer), content =>
        {
            task = PredictionTask.FromJson(content[TaskKey]!.AsObject());
            return task.HeadOutputs;
        });
        return new FineTunedModel(parts, task!);
    }

    /// <summary>Brings the networks to a device. Not while another thread computes.</summary>
    public void MoveTo(Device device) => _parts.MoveTo(device);

    public void Dispose() => Lifetime.Close();
}
