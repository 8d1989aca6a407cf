using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// An encoder model around a network of one kind: sharing, devices, copies and the common part of the archive. A modality adds its
/// preprocessing and how a network of its architecture is made. Any number of threads may embed at once.
/// </summary>
/// <typeparam name="TEncoder">The kind of network.</typeparam>
internal abstract class NetworkEncoderModel<TEncoder> : EncoderModel where TEncoder : Encoder
{
    private const string TrainingKey = "training", InputColumnsKey = "inputColumns", OutputColumnKey = "outputColumn";

    private readonly Parts _parts;
    private Device _device;

    /// <summary>A model that owns, or owns a share of, a network.</summary>
    private protected NetworkEncoderModel(Parts parts) => (_parts, _device) = (parts, parts.Device);

    public sealed override IReadOnlyList<string> InputColumns => _parts.InputColumns;

    public sealed override string OutputColumn => _parts.OutputColumn;

    /// <summary>How it was trained, for the archive's reader: method, epochs, loss.</summary>
    public sealed override JsonObject TrainingFacts => _parts.TrainingFacts;

    /// <summary>The network, on the model's device; to be used while <see cref="EncoderModel.Lifetime"/> is entered.</summary>
    private protected TEncoder Network => _parts.Network.Value;

    /// <summary>Where the network computes.</summary>
    private protected Device Device => _device;

    /// <summary>A network of the architecture, on the CPU.</summary>
    private protected abstract TEncoder CreateNetwork(RandomStreams streams);

    /// <summary>The same preprocessing around other parts.</summary>
    private protected abstract NetworkEncoderModel<TEncoder> With(Parts parts);

    /// <summary>Brings rows into the form that the network takes, on the CPU; a row with nothing in it has an embedding too.</summary>
    private protected abstract Batch ToBatch(ReadOnlySpan<RawRow> rows);

    /// <summary>The modality's own part of <see cref="Describe"/>: architecture, tokenizer, scaling.</summary>
    private protected abstract JsonObject DescribePreprocessing();

    public sealed override Tensor Encode(ReadOnlySpan<RawRow> rows)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        return EncodeRows(rows).MoveToOuterDisposeScope();
    }

    /// <summary>Embeddings of rows, as one batch or as several, in the current dispose scope.</summary>
    private protected virtual Tensor EncodeRows(ReadOnlySpan<RawRow> rows) => EncodeBatch(ToBatch(rows));

    /// <summary>Embeddings of a batch, on the model's device; the batch is disposed of.</summary>
    private protected Tensor EncodeBatch(Batch batch)
    {
        using (batch)
            return Network.call(batch.To(_device)).to(ScalarType.Float32);
    }

    public sealed override Encoder CreateTrainable(RandomStreams streams)
    {
        using var use = Lifetime.Enter();
        using var skip = Initialization.Skip();
        var copy = CreateNetwork(streams);
        copy.load_state_dict(Network.state_dict());
        return copy;
    }

    public sealed override Encoder CreateUntrained(RandomStreams streams) => CreateNetwork(streams);

    public sealed override EncoderModel WithWeightsOf(Encoder trained, Device device, JsonObject trainingFacts)
        => With(_parts with { Network = Parts.CopyOf(trained, CreateNetwork, device), Device = device, TrainingFacts = trainingFacts });

    public sealed override EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn)
    {
        using var use = Lifetime.Enter();
        return With(_parts with
        {
            Network = _parts.Network.Retain(),
            Device = _device,
            InputColumns = inputColumns,
            OutputColumn = outputColumn,
        });
    }

    public sealed override IReadOnlyDictionary<string, Tensor> GetWeights() => Network.state_dict();

    public sealed override JsonObject Describe()
    {
        var content = DescribePreprocessing();
        content[InputColumnsKey] = new JsonArray([.. InputColumns.Select(name => (JsonNode)name)]);
        content[OutputColumnKey] = OutputColumn;
        content[TrainingKey] = TrainingFacts.DeepClone();
        return content;
    }

    public sealed override void MoveTo(Device device)
    {
        using var use = Lifetime.Enter();
        Network.to(device);
        _device = device;
    }

    protected sealed override void Free() => _parts.Network.Release();

    /// <summary>What every modality's model has.</summary>
    /// <param name="Network">In evaluation mode, on the device, without gradients.</param>
    /// <param name="Device">Where it computes.</param>
    /// <param name="InputColumns">Names of the input columns.</param>
    /// <param name="OutputColumn">Name of the embedding column.</param>
    /// <param name="TrainingFacts">How it was trained.</param>
    internal sealed record Parts(Shared<TEncoder> Network, Device Device, IReadOnlyList<string> InputColumns, string OutputColumn,
        JsonObject TrainingFacts)
    {
        /// <summary>Parts with a copy of a trained network, which stays its owner's.</summary>
        /// <param name="trained">On any device.</param>
        /// <param name="create">Makes a network of the architecture, on the CPU.</param>
        /// <param name="device">Where the copy shall be.</param>
        /// <param name="inputColumns">Names of the input columns.</param>
        /// <param name="outputColumn">Name of the embedding column.</param>
        /// <param name="trainingFacts">How it was trained.</param>
        public static Parts Copy(Encoder trained, Func<RandomStreams, TEncoder> create, Device device,
            IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
            => new(CopyOf(trained, create, device), device, inputColumns, outputColumn, trainingFacts);

        /// <summary>Parts of what <see cref="Describe"/> gave, on the CPU.</summary>
        /// <param name="content">The description.</param>
        /// <param name="create">Makes a network of the architecture, on the CPU.</param>
        /// <param name="fill">Fills its weights.</param>
        public static Parts Read(JsonObject content, Func<RandomStreams, TEncoder> create,
            Action<IReadOnlyDictionary<string, Tensor>> fill)
        {
            string[] inputs = [.. content[InputColumnsKey]!.AsArray().Select(name => (string)name!)];
            var (output, facts) = ((string)content[OutputColumnKey]!, content[TrainingKey]!.DeepClone().AsObject());
            return new(Filled(create, network => fill(network.state_dict()), CPU), CPU, inputs, output, facts);
        }

        /// <summary>Parts with a new network on the CPU.</summary>
        /// <param name="create">Makes a network of the architecture, on the CPU.</param>
        /// <param name="fill">Fills its weights, which it gets by their names.</param>
        /// <param name="inputColumns">Names of the input columns.</param>
        /// <param name="outputColumn">Name of the embedding column.</param>
        /// <param name="trainingFacts">How the weights came about.</param>
        public static Parts Fill(Func<RandomStreams, TEncoder> create, Action<IReadOnlyDictionary<string, Tensor>> fill,
            IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
            => new(Filled(create, network => fill(network.state_dict()), CPU), CPU, inputColumns, outputColumn, trainingFacts);

        internal static Shared<TEncoder> CopyOf(Encoder trained, Func<RandomStreams, TEncoder> create, Device device)
            => Filled(create, network => network.load_state_dict(trained.state_dict()), device);

        private static Shared<TEncoder> Filled(Func<RandomStreams, TEncoder> create, Action<TEncoder> fill, Device device)
        {
            // A process that only loads and embeds never trains: here is where it learns of its cores.
            if (device.type == DeviceType.CPU)
                TorchDevice.UseAllCores();
            // The weights are overwritten at once: any seed will do.
            using var skip = Initialization.Skip();
            using var streams = new RandomStreams(0);
            var network = create(streams);
            fill(network);
            network.to(device);
            network.eval();
            foreach (var parameter in network.parameters())
                parameter.requires_grad_(false);
            return new Shared<TEncoder>(network);
        }
    }
}
