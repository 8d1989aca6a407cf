namespace Ssl.Estimators.Persistence;

/// <summary>
/// A fitted encoder as plain data and a network: everything that is saved, and nothing of ML.NET. The transformer, the carrier chain
/// of a saved model and the archive file share one instance.
/// </summary>
/// <remarks><see cref="Embed"/> may be called by any number of threads at once.</remarks>
internal abstract class EncoderModel : IDisposable
{
    /// <summary>
    /// Identity of the weights: the SHA-256 of the archive it was read from, in hexadecimal; a random one for a fresh model.
    /// </summary>
    public string Id { get; internal set; } = Guid.NewGuid().ToString("N");

    /// <summary>The kind of input, and the key under which <c>EncoderModelReader</c> knows how to read it: "text".</summary>
    public abstract string Modality { get; }

    /// <summary>Length of an embedding.</summary>
    public abstract int Dimension { get; }

    /// <summary>Names of the columns it was fitted on, in the order in which <see cref="RawRow"/> brings their values.</summary>
    public abstract IReadOnlyList<string> InputColumns { get; }

    /// <summary>Name of the column that the embedding goes to.</summary>
    public abstract string OutputColumn { get; }

    /// <summary>
    /// Whether <see cref="RawRow.Numbers"/> bring the input columns in a saved chain, all Single; else <see cref="RawRow.Texts"/> do, all
    /// text.
    /// </summary>
    public virtual bool ReadsNumbers => false;

    /// <summary>Writes manifest and weights with <c>ModelArchive.Write</c>; <c>EncoderModelReader</c> reads them back.</summary>
    public abstract void WriteArchive(Stream stream);

    /// <summary>Embeds rows as one batch.</summary>
    /// <param name="rows">The rows; their memory is not kept.</param>
    /// <param name="embeddings">Takes rows.Length x <see cref="Dimension"/> values, row after row.</param>
    public abstract void Embed(ReadOnlySpan<RawRow> rows, Span<float> embeddings);

    /// <summary>The same network under other column names. Each of the two is disposed of on its own.</summary>
    public abstract EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn);

    /// <summary>Brings the network to a device. Not while another thread embeds.</summary>
    public abstract void MoveTo(TorchSharp.torch.Device device);

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public abstract bool IsDisposed { get; }

    /// <inheritdoc/>
    public abstract void Dispose();
}
