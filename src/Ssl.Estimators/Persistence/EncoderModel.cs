using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// A fitted encoder as plain data and a network: everything that is saved, and what the stages downstream need to read rows for it and to
/// train a copy of it, whatever its modality. Several transformers may share its weights. A modality derives from
/// <see cref="Transformers.NetworkEncoderModel{TEncoder}"/>.
/// </summary>
/// <remarks><see cref="Embed"/> may be called by any number of threads at once.</remarks>
internal abstract class EncoderModel : IDisposable
{
    protected EncoderModel() => Lifetime = new Lifetime(nameof(Transformers.EncoderTransformer), Free);

    /// <summary>
    /// Identity of the weights: the checksum of the archive it was read from, in hexadecimal; a random one for a fresh model.
    /// </summary>
    public string Id { get; internal set; } = Guid.NewGuid().ToString("N");

    /// <summary>Ends with <see cref="Dispose"/>: enter it to use the weights.</summary>
    public Lifetime Lifetime { get; }

    /// <summary>The kind of input, and the key under which <c>EncoderModelReader</c> knows how to read it: "text".</summary>
    public abstract string Modality { get; }

    /// <summary>Length of an embedding: what the network gives.</summary>
    public abstract int Dimension { get; }

    /// <summary>Slots of the output column before the embedding: the row's own cells as features. 0 where there are none.</summary>
    public virtual int InputSlots => 0;

    /// <summary>Names of those slots.</summary>
    public virtual IEnumerable<string> InputSlotNames => [];

    /// <summary>Length of a vector of the output column.</summary>
    public int OutputWidth => InputSlots + Dimension;

    /// <summary>Names of the columns it was fitted on, in the order in which <see cref="RawRow"/> brings their values.</summary>
    public abstract IReadOnlyList<string> InputColumns { get; }

    /// <summary>For each of <see cref="InputColumns"/>, which part of a <see cref="RawRow"/> brings it.</summary>
    public abstract IReadOnlyList<InputKind> InputKinds { get; }

    /// <summary>What images are brought to when a row is read; null where the model reads none.</summary>
    public virtual ImageInput? Images => null;

    /// <summary>Name of the column that the embedding goes to.</summary>
    public abstract string OutputColumn { get; }

    /// <summary>How the weights came about, as it stands in the archive; null where nothing is told.</summary>
    public virtual JsonObject? TrainingFacts => null;

    /// <summary>Throws unless a column has a type that the model reads.</summary>
    /// <param name="name">One of <see cref="InputColumns"/>.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sentence of <see cref="Diagnostics.Check.SchemaMismatch"/>.</exception>
    public abstract void CheckColumn(string name, ColumnShape shape);

    /// <summary>How rows are read for a training of <see cref="CreateTrainable"/>: one store, whose batches the encoder takes.</summary>
    public abstract RowFormat CreateFormat();

    /// <summary>A network with a copy of the weights that can be trained: on the CPU, its dropout drawn from these streams.</summary>
    public abstract Encoder CreateTrainable(RandomStreams streams);

    /// <summary>A network of the same architecture with fresh weights: on the CPU, all of it drawn from these streams.</summary>
    public abstract Encoder CreateUntrained(RandomStreams streams);

    /// <summary>A model like this one with a copy of the weights of a network that <see cref="CreateTrainable"/> made.</summary>
    /// <param name="trained">The network, on any device.</param>
    /// <param name="device">Where the new model computes.</param>
    /// <param name="trainingFacts">How the weights came about.</param>
    public abstract EncoderModel WithWeightsOf(Encoder trained, Device device, JsonObject trainingFacts);

    /// <summary>Embeddings on the model's device, Single [rows, <see cref="Dimension"/>], in the caller's dispose scope.</summary>
    /// <param name="rows">The rows, computed as one batch; their memory is not kept.</param>
    public abstract Tensor Encode(ReadOnlySpan<RawRow> rows);

    /// <summary>What the output column holds of rows, computed as one batch: the embedding, after the row's own cells where it has them.</summary>
    /// <param name="rows">The rows; their memory is not kept.</param>
    /// <param name="embeddings">Takes rows.Length x <see cref="OutputWidth"/> values, row after row.</param>
    public virtual void Embed(ReadOnlySpan<RawRow> rows, Span<float> embeddings)
    {
        if (rows.Length == 0)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var output = Encode(rows).cpu().contiguous();       // [rows, Dimension]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(embeddings);
    }

    /// <summary>
    /// Whether the model learned to tell parts of a row, so that <see cref="ReconstructionErrors"/> can serve as anomaly scores.
    /// </summary>
    public virtual bool Reconstructs => false;

    /// <summary>How badly hidden parts of each row are told: one error a row.</summary>
    /// <param name="rows">The rows, computed as one batch; their memory is not kept. A row's error does not depend on the others.</param>
    /// <exception cref="InvalidOperationException">The model learned nothing of the kind; see <see cref="Reconstructs"/>.</exception>
    public virtual float[] ReconstructionErrors(ReadOnlySpan<RawRow> rows) => throw new InvalidOperationException(
        "This encoder has no reconstruction error: its method did not learn to tell hidden parts of a row. Pretrain with a method that does "
        + "(MaskedCells, for a table), or score by distances in the embedding.");

    /// <summary>Everything but the weights; the modality's reader makes a model of it.</summary>
    public abstract JsonObject Describe();

    /// <summary>The weights by their names in the network; to be read while <see cref="Lifetime"/> is entered.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> GetWeights();

    /// <summary>Writes description and weights; <c>EncoderModelReader</c> reads them back.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        ModelArchive.Write(stream, Modality, Describe(), GetWeights());
    }

    /// <summary>The same network under other column names. Each of the two is disposed of on its own.</summary>
    public abstract EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn);

    /// <summary>Brings the network to a device. Not while another thread embeds.</summary>
    public abstract void MoveTo(Device device);

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => Lifetime.IsClosed;

    /// <summary>Ends for the callers of everything here; calls under way are finished first. Safe from any thread.</summary>
    public void Dispose() => Lifetime.Close();

    /// <summary>Lets the weights go; called once, when nobody uses them any more.</summary>
    protected abstract void Free();
}

/// <summary>What the images of a column are brought to.</summary>
/// <param name="Shape">Size and channels.</param>
/// <param name="Maximum">The value of a white pixel in a column of <see cref="float"/>.</param>
internal sealed record ImageInput(ImageShape Shape, float Maximum);
