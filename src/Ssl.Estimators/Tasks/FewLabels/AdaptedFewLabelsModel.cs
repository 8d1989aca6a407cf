using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// A model for few labels that reads the row itself, too: an encoder of its own embeds it, and the embedding stands behind the vector of the
/// column. Any number of threads may predict at once.
/// </summary>
internal sealed class AdaptedFewLabelsModel : RowComputation, IDisposable
{
    private const string ModalityKey = "modality", EncoderKey = "encoder", WeightsPrefix = "encoder.";

    private readonly FewLabelsModel _head;
    private readonly EncoderModel _encoder;

    /// <param name="head">Of both vectors.</param>
    /// <param name="encoder">Owned from here on.</param>
    public AdaptedFewLabelsModel(FewLabelsModel head, EncoderModel encoder)
    {
        (_head, _encoder) = (head, encoder);
        if (ColumnWidth < 1)
            throw new FormatException($"The parts of the model have {head.Dimension} slots, which is too few behind an embedding of {encoder.Dimension}.");
        Lifetime = new Lifetime(nameof(FewLabelsTransformer), encoder.Dispose);
    }

    public override Lifetime Lifetime { get; }

    public override RowFormat Format => _encoder.Format;

    public override string VectorColumn => _head.InputColumn;

    public override int Width => _head.Width;

    /// <summary>What embeds the row.</summary>
    public EncoderModel Encoder => _encoder;

    /// <summary>Length of the column's vectors.</summary>
    public int ColumnWidth => _head.Dimension - _encoder.Dimension;

    public override void Compute(RowBatch rows, Span<float> results)
    {
        if (rows.Count == 0)
            return;
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var embeddings = MemoryMarshal.Cast<byte, float>(_encoder.Encode(rows.ToStore()).cpu().contiguous().bytes);
        var vectors = rows.ToVectors(ColumnWidth);
        var row = new float[_head.Dimension];
        for (var i = 0; i < rows.Count; i++)
        {
            vectors.Slice(i * ColumnWidth, ColumnWidth).CopyTo(row);
            embeddings.Slice(i * _encoder.Dimension, _encoder.Dimension).CopyTo(row.AsSpan(ColumnWidth));
            _head.Predict(row, results.Slice(i * Width, Width));
        }
    }

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => _head.CreateGetter(output, row);

    /// <summary>Writes weights and settings.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        _head.WriteArchive(stream, new JsonObject { [ModalityKey] = _encoder.Modality, [EncoderKey] = _encoder.Describe() },
            _encoder.GetWeights().Select(weight => KeyValuePair.Create(WeightsPrefix + weight.Key, weight.Value)));
    }

    /// <summary>The encoder that <see cref="WriteArchive"/> wrote, on the CPU; null where there is none.</summary>
    /// <exception cref="FormatException">It is damaged, or of a kind that nobody announced.</exception>
    public static EncoderModel? ReadEncoder(JsonObject content, IReadOnlyDictionary<string, Tensor> all)
    {
        if (content[EncoderKey] is not { } description)
            return null;
        var modality = content.Text(ModalityKey);
        return EncoderModel.Create(modality, description.AsObject(), weights =>
        {
            using var noGrad = no_grad();
            foreach (var (name, weight) in weights)
            {
                var stored = all[WeightsPrefix + name];
                if (stored.dtype != weight.dtype || !stored.shape.AsSpan().SequenceEqual(weight.shape))
                    throw new FormatException($"The weight '{name}' is {stored.dtype} [{string.Join(", ", stored.shape)}], expected {weight.dtype} [{string.Join(", ", weight.shape)}].");
                weight.copy_(stored);
            }
        }) ?? throw new FormatException($"The archive holds an encoder of modality '{modality}', which this version cannot read. Update the package.");
    }

    /// <summary>Brings the encoder to a device. Not while another thread predicts.</summary>
    public void MoveTo(Device device) => _encoder.MoveTo(device);

    public void Dispose() => Lifetime.Close();
}
