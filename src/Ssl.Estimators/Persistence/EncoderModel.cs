using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// A fitted encoder: how rows are read for it, and the network. Everything that is saved, whatever the kind of column. Several transformers
/// may share its weights; any number of threads may embed at once.
/// </summary>
internal sealed class EncoderModel : IDisposable
{
    private const string TrainingKey = "training", InputColumnsKey = "inputColumns", OutputColumnKey = "outputColumn";

    private readonly Shared<Encoder> _network;
    private Device _device;
    private volatile bool _roundsToBFloat16;

    private EncoderModel(Shared<Encoder> network, Device device, RowFormat format, string outputColumn, JsonObject trainingFacts)
    {
        (_network, _device, Format, OutputColumn, TrainingFacts) = (network, device, format, outputColumn, trainingFacts);
        Lifetime = new Lifetime(nameof(EncoderTransformer), _network.Release);
    }

    /// <summary>
    /// Identity of the weights: the checksum of the archive it was read from, in hexadecimal; a random one for a fresh model.
    /// </summary>
    public string Id { get; internal set; } = Guid.NewGuid().ToString("N");

    /// <summary>Ends with <see cref="Dispose"/>: enter it to use the weights.</summary>
    public Lifetime Lifetime { get; }

    /// <summary>How rows are read and stored for it.</summary>
    public RowFormat Format { get; }

    /// <summary>The kind of input, and the kind of the archive: "text".</summary>
    public string Modality => Format.Kind;

    /// <summary>Length of an embedding: what the network gives.</summary>
    public int Dimension => Format.EmbeddingDimension;

    /// <summary>Length of a vector of the output column.</summary>
    public int OutputWidth => Format.InputSlots + Dimension;

    /// <summary>Names of the columns that are embedded.</summary>
    public IReadOnlyList<string> InputColumns => Format.Columns;

    /// <summary>Name of the column that the embedding goes to.</summary>
    public string OutputColumn { get; }

    /// <summary>Adds up what rows lose, while they are embedded, because the network takes no more.</summary>
    public TruncationCounter Truncation { get; } = new();

    /// <summary>How the weights came about, as it stands in the archive.</summary>
    public JsonObject TrainingFacts { get; }

    /// <summary>
    /// Whether the network learned to tell parts of a row, so that <see cref="ReconstructionErrors"/> can serve as anomaly scores.
    /// </summary>
    public bool Reconstructs => Network is IReconstructsRows { Reconstructs: true };

    /// <summary>Whether embeddings are computed in bfloat16; a choice of this object, which no archive holds.</summary>
    /// <exception cref="InvalidOperationException">Set to true where the processor or the network does not compute in it.</exception>
    public bool RoundsToBFloat16
    {
        get => _roundsToBFloat16;
        set
        {
            if (value)
            {
                TorchDevice.RequireBFloat16(_device);
                Format.RequireBFloat16();
            }
            _roundsToBFloat16 = value;
        }
    }

    /// <summary>The network, on the model's device, in evaluation mode; to be used while <see cref="Lifetime"/> is entered.</summary>
    internal Encoder Network => _network.Value;

    /// <summary>A model with its own copy of the weights.</summary>
    /// <param name="trained">A network of the format's; stays its owner's.</param>
    /// <param name="format">How rows are read.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="outputColumn">Name of the embedding column.</param>
    /// <param name="trainingFacts">How it was trained.</param>
    public static EncoderModel CopyOf(Encoder trained, RowFormat format, Device device, string outputColumn, JsonObject trainingFacts)
        => new(Filled(format, network => network.load_state_dict(trained.state_dict()), device), device, format, outputColumn,
            trainingFacts);

    /// <summary>A model of what <see cref="Describe"/> gave, on the CPU; null where nobody announced its kind.</summary>
    /// <param name="kind">The kind of column.</param>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights, which it takes by their names.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static EncoderModel? Create(string kind, JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            string[] inputs = content.Texts(InputColumnsKey);
            if (inputs.Length == 0 || inputs.Contains(""))
                throw new FormatException("The archive's encoder has no input columns, or one without a name.");
            return RowFormat.FromJson(kind, content, inputs) is not { } format ? null : new(
                FilledFromFile(format, fill), CPU, format, content.Name(OutputColumnKey),
                content[TrainingKey]!.DeepClone().AsObject());
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"The archive's description of the {kind} encoder is incomplete: {JsonReading.Reason(e)}", e);
        }
    }

    /// <summary>A model with weights from elsewhere, on the CPU.</summary>
    /// <param name="format">How rows are read.</param>
    /// <param name="fill">Fills the network's weights, which it takes by their names.</param>
    /// <param name="outputColumn">Name of the embedding column.</param>
    /// <param name="trainingFacts">How the weights came about.</param>
    public static EncoderModel Fill(RowFormat format, Action<IReadOnlyDictionary<string, Tensor>> fill, string outputColumn,
        JsonObject trainingFacts)
        => new(FilledFromFile(format, fill), CPU, format, outputColumn, trainingFacts);

    /// <summary>A network with a copy of the weights that can be trained: on the CPU, its dropout drawn from these streams.</summary>
    public Encoder CreateTrainable(RandomStreams streams)
    {
        using var use = Lifetime.Enter();
        using var skip = Initialization.Skip();
        var copy = Format.CreateNetwork(streams);
        copy.load_state_dict(Network.state_dict());
        return copy;
    }

    /// <summary>A network of the same architecture with fresh weights: on the CPU, all of it drawn from these streams.</summary>
    public Encoder CreateUntrained(RandomStreams streams) => Format.CreateNetwork(streams);

    /// <summary>A model like this one with a copy of the weights of a network that <see cref="CreateTrainable"/> made.</summary>
    /// <param name="trained">The network, on any device.</param>
    /// <param name="device">Where the new model computes.</param>
    /// <param name="trainingFacts">How the weights came about.</param>
    public EncoderModel WithWeightsOf(Encoder trained, Device device, JsonObject trainingFacts)
        => CopyOf(trained, Format, device, OutputColumn, trainingFacts);

    /// <summary>A part of the network as a model of its own, with its own copy of the weights, on the same device.</summary>
    /// <param name="part">Picks the part.</param>
    /// <param name="format">How rows are read for it.</param>
    public EncoderModel Part(Func<Encoder, Encoder> part, RowFormat format)
    {
        using var use = Lifetime.Enter();
        return CopyOf(part(Network), format, _device, OutputColumn, TrainingFacts.DeepClone().AsObject());
    }

    /// <summary>The same network under other column names. Each of the two is disposed of on its own.</summary>
    public EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn)
    {
        using var use = Lifetime.Enter();
        return new(_network.Retain(), _device, Format.WithColumns(inputColumns), outputColumn, TrainingFacts) { _roundsToBFloat16 = _roundsToBFloat16 };
    }

    /// <summary>Embeddings on the model's device, Single [rows, <see cref="Dimension"/>], in the caller's dispose scope.</summary>
    /// <param name="rows">Rows of the format, computed together.</param>
    public Tensor Encode(RowStore rows)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Begin(_roundsToBFloat16);
        return rows.Encode(Network, _device).MoveToOuterDisposeScope();
    }

    /// <summary>What the output column holds of rows, computed together: the embedding, after the row's own cells where it has them.</summary>
    /// <param name="rows">Rows of the format.</param>
    /// <param name="embeddings">Takes a row's <see cref="OutputWidth"/> values after the other's.</param>
    public void Embed(RowStore rows, Span<float> embeddings)
    {
        if (rows.Count == 0)
            return;
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var precision = MixedPrecision.Begin(_roundsToBFloat16);
        var output = Format.Output(rows, Network, _device).contiguous();         // [rows, OutputWidth]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(embeddings);
    }

    /// <summary>How badly hidden parts of each row are told: one error a row.</summary>
    /// <param name="rows">Rows of the format, computed together. A row's error does not depend on the others.</param>
    /// <exception cref="InvalidOperationException">The model learned nothing of the kind; see <see cref="Reconstructs"/>.</exception>
    public float[] ReconstructionErrors(RowStore rows)
    {
        using var use = Lifetime.Enter();
        if (Network is not IReconstructsRows { Reconstructs: true } network)
        {
            throw new InvalidOperationException("This encoder has no reconstruction error: its method did not learn to tell hidden parts of "
                + "a row. Pretrain with a method that does (MaskedCells, for a table), or score by distances in the embedding.");
        }
        if (rows.Count == 0)
            return [];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = rows.ToBatch(rows.AllRows);
        var errors = network.Errors(batch.To(_device)).cpu().contiguous();      // [rows]
        return MemoryMarshal.Cast<byte, float>(errors.bytes).ToArray();
    }

    /// <summary>Everything but the weights; <see cref="Create"/> makes a model of it.</summary>
    public JsonObject Describe()
    {
        var content = Format.ToJson();
        content[InputColumnsKey] = new JsonArray([.. InputColumns.Select(name => (JsonNode)name)]);
        content[OutputColumnKey] = OutputColumn;
        content[TrainingKey] = TrainingFacts.DeepClone();
        return content;
    }

    /// <summary>The weights by their names in the network; to be read while <see cref="Lifetime"/> is entered.</summary>
    public IReadOnlyDictionary<string, Tensor> GetWeights() => Network.state_dict();

    /// <summary>Writes description and weights; <c>EncoderModelReader</c> reads them back.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        ModelArchive.Write(stream, Modality, Describe(), GetWeights());
    }

    /// <summary>Brings the network to a device. Not while another thread embeds.</summary>
    public void MoveTo(Device device)
    {
        using var use = Lifetime.Enter();
        Network.to(device);
        _device = device;
    }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => Lifetime.IsClosed;

    /// <summary>Ends for the callers of everything here; calls under way are finished first. Safe from any thread.</summary>
    public void Dispose() => Lifetime.Close();

    /// <summary>Lets a network's weights live beyond the dispose scope in which it was made or moved, such as one of the application's.</summary>
    public static void Keep(nn.Module network)
    {
        foreach (var value in network.parameters().Concat(network.buffers()))
            value.DetachFromDisposeScope();
    }

    // A file may ask for any size.
    private static Shared<Encoder> FilledFromFile(RowFormat format, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            return Filled(format, network => fill(network.state_dict()), CPU);
        }
        catch (Exception e) when (e is ExternalException or OutOfMemoryException)
        {
            throw new FormatException("A network of the sizes that the file states cannot be made: the file is damaged, or this machine has too "
                + $"little memory ({e.Message.Split('\n')[0].TrimEnd('.')}).", e);
        }
    }

    private static Shared<Encoder> Filled(RowFormat format, Action<Encoder> fill, Device device)
    {
        // A process that only loads and embeds never trains: here is where it learns of its cores.
        if (device.type == DeviceType.CPU)
            TorchDevice.UseAllCores();
        // The weights are overwritten at once: any seed will do.
        using var skip = Initialization.Skip();
        using var streams = new RandomStreams(0);
        // Where the file does not fit, nothing is left to the garbage collector, which does not see native memory.
        using var scope = NewDisposeScope();
        var network = format.CreateNetwork(streams);
        fill(network);
        network.to(device);
        network.eval();
        foreach (var parameter in network.parameters())
            parameter.requires_grad_(false);
        Keep(network);
        return new Shared<Encoder>(network);
    }
}
