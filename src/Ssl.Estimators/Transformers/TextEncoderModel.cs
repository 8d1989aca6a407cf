using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted text encoder: tokenizer and network.</summary>
internal sealed class TextEncoderModel : NetworkEncoderModel<TextEncoder>
{
    internal const string ModalityName = "text";

    // A large network: enough that reading its weights does not count, few enough to stay in a core's cache; a GPU wants more.
    private const int TokensAtOnce = 1024, TokensAtOnceOnGpu = 1 << 14;

    private const string EncoderKey = "encoder", TokenizerKey = "tokenizer";

    private readonly TextEncoderFactory _factory;
    private readonly TextTokenizer _tokenizer;

    private TextEncoderModel(Parts parts, TextEncoderFactory factory, TextTokenizer tokenizer) : base(parts)
        => (_factory, _tokenizer) = (factory, tokenizer);

    public override string Modality => ModalityName;

    public override int Dimension => _factory.EmbeddingDimension;

    public override IReadOnlyList<InputKind> InputKinds => [.. InputColumns.Select(_ => InputKind.Text)];

    /// <summary>A model with its own copy of the encoder's weights.</summary>
    public static TextEncoderModel CopyOf(TextEncoder encoder, TextEncoderFactory factory, TextTokenizer tokenizer, Device device,
        IReadOnlyList<string> inputColumns, string outputColumn, JsonObject trainingFacts)
        => new(Parts.Copy(encoder, streams => factory.Create(tokenizer.Vocabulary, streams), device, inputColumns, outputColumn,
            trainingFacts), factory, tokenizer);

    /// <summary>A model with weights from elsewhere, on the CPU.</summary>
    /// <param name="factory">The architecture.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="fill">Fills the weights, which it gets by their names in the network.</param>
    /// <param name="inputColumn">Name of the text column.</param>
    /// <param name="outputColumn">Name of the embedding column.</param>
    /// <param name="trainingFacts">How the weights came about.</param>
    public static TextEncoderModel Fill(TextEncoderFactory factory, TextTokenizer tokenizer,
        Action<IReadOnlyDictionary<string, Tensor>> fill, string inputColumn, string outputColumn, JsonObject trainingFacts)
        => new(Parts.Fill(streams => factory.Create(tokenizer.Vocabulary, streams), fill, [inputColumn], outputColumn, trainingFacts), factory,
            tokenizer);

    /// <summary>The architecture.</summary>
    public TextEncoderFactory Factory => _factory;

    /// <summary>What cuts texts into tokens.</summary>
    public TextTokenizer Tokenizer => _tokenizer;

    public override void CheckColumn(string name, ColumnShape shape)
    {
        if (!shape.IsText)
            throw Check.SchemaMismatch("input", name, "String", shape.ToString());
    }

    public override RowFormat CreateFormat()
        => new TextRowFormat(InputColumns, _tokenizer, _factory.MaximumTokens, _factory.UsesSpecialTokens);

    private protected override TextEncoder CreateNetwork(RandomStreams streams) => _factory.Create(_tokenizer.Vocabulary, streams);

    private protected override TextEncoderModel With(Parts parts) => new(parts, _factory, _tokenizer);

    private protected override JsonObject DescribePreprocessing() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [TokenizerKey] = _tokenizer.ToJson(),
    };

    /// <summary>A model of what <see cref="EncoderModel.Describe"/> gave, on the CPU.</summary>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static TextEncoderModel Create(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            var factory = EncoderFactory.FromJson(content[EncoderKey]!.AsObject()) as TextEncoderFactory
                ?? throw new FormatException("The archive says it holds a text encoder, but describes an encoder of another kind.");
            var tokenizer = TextTokenizer.FromJson(content[TokenizerKey]!.AsObject());
            return new TextEncoderModel(Parts.Read(content, streams => factory.Create(tokenizer.Vocabulary, streams), fill), factory,
                tokenizer);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException)
        {
            throw new FormatException($"The archive's description of the text encoder is incomplete: {e.Message}", e);
        }
    }

    /// <summary>Announces the modality, also in a process that only loads a saved model.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => EncoderModelReader.Register(ModalityName, Create);

    private protected override TokenBatch ToBatch(ReadOnlySpan<RawRow> rows)
    {
        var tokens = Tokenize(rows);
        return tokens.ToBatch(LengthGroups.One(tokens).Order);
    }

    private protected override Tensor EncodeRows(ReadOnlySpan<RawRow> rows)
    {
        var tokens = Tokenize(rows);
        if (Network is BagTextEncoder bag)
        {
            var (flat, offsets) = tokens.ToBags(_tokenizer.Vocabulary.SpecialCount);
            return bag.EncodeBags(flat.to(Device), offsets.to(Device));
        }
        var isCpu = Device.type == TorchSharp.DeviceType.CPU;
        var bert = Network as BertTextEncoder;
        var groups = bert is null ? LengthGroups.Of(tokens) : LengthGroups.OfTokens(tokens, isCpu ? TokensAtOnce : TokensAtOnceOnGpu);
        if (groups.Count == 1 && groups.IsInOrder)
            return EncodeGroup(groups.Order);
        var parts = new Tensor[groups.Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = EncodeGroup(groups[i]);
        var embeddings = cat(parts);
        return embeddings.index_select(0, tensor(groups.Places, device: embeddings.device));

        Tensor EncodeGroup(ReadOnlySpan<int> group)
        {
            if (bert is null || !isCpu || !bert.Packs(tokens.Length(group[^1])))
                return EncodeBatch(tokens.ToBatch(group));
            var (ids, starts) = tokens.ToPacked(group);
            return bert.EncodePacked(ids, starts);
        }
    }

    private TokenRows Tokenize(ReadOnlySpan<RawRow> rows)
    {
        var tokens = new TokenRows(_tokenizer.Vocabulary.PaddingId);
        var buffer = new List<int>();
        foreach (var row in rows)
        {
            buffer.Clear();
            if (_tokenizer.Encode(row.Texts.Span[0].Span, buffer, _factory.MaximumTokens, _factory.UsesSpecialTokens) == 0)
                _tokenizer.EncodeEmpty(buffer, _factory.UsesSpecialTokens);       // an empty text still has an embedding
            tokens.Add(CollectionsMarshal.AsSpan(buffer));
        }
        return tokens;
    }
}
