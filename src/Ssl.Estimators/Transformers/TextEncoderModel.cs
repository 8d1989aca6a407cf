using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Serialization;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted text encoder: tokenizer and network. Any number of threads may embed at once.</summary>
internal sealed class TextEncoderModel : EncoderModel
{
    internal const string ModalityName = "text";

    private const string EncoderKey = "encoder", TokenizerKey = "tokenizer", TrainingKey = "training";
    private const string InputColumnsKey = "inputColumns", OutputColumnKey = "outputColumn";

    private readonly Shared<TextEncoder> _encoder;
    private readonly TextEncoderFactory _factory;
    private readonly WordPieceTokenizer _tokenizer;
    private Device _device;
    private int _disposed;

    private TextEncoderModel(Shared<TextEncoder> encoder, TextEncoderFactory factory, WordPieceTokenizer tokenizer, Device device,
        IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
    {
        InputColumns = inputColumns;
        OutputColumn = outputColumn;
        TrainingFacts = trainingFacts;
        _encoder = encoder;
        _factory = factory;
        _tokenizer = tokenizer;
        _device = device;
    }

    public override string Modality => ModalityName;

    public override IReadOnlyList<string> InputColumns { get; }

    public override string OutputColumn { get; }

    public override bool IsDisposed => _disposed != 0;

    /// <summary>How it was trained, for the archive's reader: method, epochs, loss.</summary>
    public JsonObject TrainingFacts { get; }

    public override int Dimension => _factory.EmbeddingDimension;

    /// <summary>The architecture.</summary>
    public TextEncoderFactory Factory => _factory;

    /// <summary>The tokenizer that the encoder was trained with.</summary>
    public WordPieceTokenizer Tokenizer => _tokenizer;

    /// <summary>A model with its own copy of the encoder's weights.</summary>
    public static TextEncoderModel CopyOf(TextEncoder encoder, TextEncoderFactory factory, WordPieceTokenizer tokenizer, Device device,
        IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
    {
        var copy = Create(factory, tokenizer);
        copy.load_state_dict(encoder.state_dict());
        return OfEncoder(copy, factory, tokenizer, device, inputColumns, outputColumn, trainingFacts);
    }

    public override EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn)
        => new TextEncoderModel(_encoder.Retain(), _factory, _tokenizer, _device, inputColumns, outputColumn, TrainingFacts);

    private static TextEncoderModel OfEncoder(TextEncoder encoder, TextEncoderFactory factory, WordPieceTokenizer tokenizer, Device device,
        IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
    {
        encoder.to(device);
        encoder.eval();
        foreach (var parameter in encoder.parameters())
            parameter.requires_grad_(false);
        return new TextEncoderModel(new Shared<TextEncoder>(encoder), factory, tokenizer, device, inputColumns, outputColumn,
            trainingFacts);
    }

    public override void Embed(ReadOnlySpan<RawRow> rows, Span<float> embeddings)
    {
        if (rows.Length == 0)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var output = Encode(rows).cpu().contiguous();       // [rows, Dimension]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(embeddings);
    }

    /// <summary>Embeddings on the model's device, Single [rows, <see cref="Dimension"/>], in the caller's dispose scope.</summary>
    public Tensor Encode(ReadOnlySpan<RawRow> rows)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return _encoder.Value.call(Tokenize(rows).To(_device)).to(ScalarType.Float32);
    }

    public override void WriteArchive(Stream stream) => ModelArchive.Write(stream, ModalityName, Describe(), GetWeights());

    /// <summary>The weights by their names in the network.</summary>
    public Dictionary<string, Tensor> GetWeights()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return _encoder.Value.state_dict();
    }

    /// <summary>A network with a copy of the weights that can be trained: on the CPU, its dropout drawn from these streams.</summary>
    public TextEncoder CreateTrainable(RandomStreams streams)
    {
        using var skip = Initialization.Skip();
        var copy = _factory.Create(_tokenizer.Vocabulary, streams);
        copy.load_state_dict(GetWeights());
        return copy;
    }

    /// <summary>Everything but the weights; what <see cref="Create(JsonObject, Action{IReadOnlyDictionary{string, Tensor}})"/>
    /// reads.</summary>
    public JsonObject Describe() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [TokenizerKey] = _tokenizer.ToJson(),
        [InputColumnsKey] = new JsonArray([.. InputColumns.Select(name => (JsonNode)name)]),
        [OutputColumnKey] = OutputColumn,
        [TrainingKey] = TrainingFacts.DeepClone(),
    };

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the network is on the CPU.</summary>
    public static TextEncoderModel Read(ArchiveManifest manifest, SafeTensorsReader tensors) => Create(manifest.Content, tensors.ReadInto);

    /// <summary>A model of what <see cref="Describe"/> gave, on the CPU.</summary>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static TextEncoderModel Create(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            var factory = EncoderFactory.FromJson(content[EncoderKey]!.AsObject()) as TextEncoderFactory
                ?? throw new FormatException("The archive says it holds a text encoder, but describes an encoder of another kind.");
            var tokenizer = WordPieceTokenizer.FromJson(content[TokenizerKey]!.AsObject());
            string[] inputs = [.. content[InputColumnsKey]!.AsArray().Select(name => (string)name!)];
            var output = (string)content[OutputColumnKey]!;
            var encoder = Create(factory, tokenizer);
            fill(encoder.state_dict());
            return OfEncoder(encoder, factory, tokenizer, CPU, inputs, output, content[TrainingKey]!.DeepClone().AsObject());
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException)
        {
            throw new FormatException($"The archive's description of the text encoder is incomplete: {e.Message}", e);
        }
    }

    /// <summary>Length of the embedding of the model that <see cref="Describe"/> described.</summary>
    public static int DimensionOf(JsonObject content) => EncoderFactory.FromJson(content[EncoderKey]!.AsObject()).EmbeddingDimension;

    /// <summary>Announces the modality, also in a process that only loads a saved model.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => EncoderModelReader.Register(ModalityName, Read);

    public override void MoveTo(Device device)
    {
        _encoder.Value.to(device);
        _device = device;
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _encoder.Release();
    }

    private static TextEncoder Create(TextEncoderFactory factory, WordPieceTokenizer tokenizer)
    {
        // The weights are overwritten at once: any seed will do.
        using var skip = Initialization.Skip();
        using var streams = new RandomStreams(0);
        return factory.Create(tokenizer.Vocabulary, streams);
    }

    private TokenBatch Tokenize(ReadOnlySpan<RawRow> rows)
    {
        var tokens = new TokenRows();
        var buffer = new List<int>();
        var order = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            order[i] = i;
            buffer.Clear();
            if (_tokenizer.Encode(rows[i].Texts.Span[0].Span, buffer, _factory.MaximumTokens, _factory.UsesSpecialTokens) == 0)
                buffer.Add(_tokenizer.Vocabulary.UnknownId);      // an empty text still has an embedding
            tokens.Add(buffer);
        }
        return tokens.ToBatch(order, _tokenizer.Vocabulary.PaddingId);
    }
}
