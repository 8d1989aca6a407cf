using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A text encoder whose embeddings lie in a space that it shares with an image encoder.</summary>
internal sealed class ProjectedTextEncoder : TextEncoder
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly LinearLayer _projection;

    public ProjectedTextEncoder(TextEncoder encoder, LinearLayer projection, int dimension) : base(nameof(ProjectedTextEncoder))
    {
        (_encoder, _projection, EmbeddingDimension) = (encoder, projection, dimension);
        RegisterComponents();
    }

    /// <summary>What gives the embedding that is projected.</summary>
    public TextEncoder Encoder => _encoder;

    public override int EmbeddingDimension { get; }

    public override int TokenDimension => _encoder.TokenDimension;

    public override bool IsContextual => _encoder.IsContextual;

    public override Tensor TokenEmbeddings => _encoder.TokenEmbeddings;

    public override IReadOnlyList<string> Blocks => [.. _encoder.Blocks.Select(block => $"encoder.{block}"), "projection"];

    public override Tensor EncodeTokens(TokenBatch batch) => _encoder.EncodeTokens(batch);

    /// <summary>Takes embeddings of <see cref="Encoder"/> into the shared space.</summary>
    public Tensor Project(Tensor embeddings) => SharedSpace.Project(_projection, embeddings);

    protected override Tensor Encode(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return Project(_encoder.call(batch)).MoveToOuterDisposeScope();
    }
}

/// <summary>A text encoder and the length of the vectors of the shared space.</summary>
internal sealed class ProjectedTextEncoderFactory : TextEncoderFactory
{
    public const string KindName = "text.projected";

    private const string EncoderKey = "encoder", DimensionKey = "dimension";

    private readonly TextEncoderFactory _encoder;

    public ProjectedTextEncoderFactory(TextEncoderFactory encoder, int dimension)
    {
        new OptionFaults().AtLeast(dimension, 1).ThrowIfAny();
        (_encoder, EmbeddingDimension) = (encoder, dimension);
    }

    /// <summary>Describes what gives the embedding that is projected.</summary>
    public TextEncoderFactory Encoder => _encoder;

    public override string Kind => KindName;

    public override int EmbeddingDimension { get; }

    public override int MaximumTokens => _encoder.MaximumTokens;

    public override bool UsesSpecialTokens => _encoder.UsesSpecialTokens;

    internal override bool StartsFromWeights => _encoder.StartsFromWeights;

    internal override bool RoundsToBFloat16 => _encoder.RoundsToBFloat16;

    internal override TextEncoderFactory Architecture => new ProjectedTextEncoderFactory(_encoder.Architecture, EmbeddingDimension);

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new ProjectedTextEncoder(_encoder.Create(vocabulary, streams), SharedSpace.Layer(_encoder, EmbeddingDimension, streams), EmbeddingDimension);
    }

    public override JsonObject ToJson()
        => new() { [KindProperty] = Kind, [DimensionKey] = EmbeddingDimension, [EncoderKey] = _encoder.ToJson() };

    public static ProjectedTextEncoderFactory Read(JsonObject json)
    {
        if (FromJson(json[EncoderKey] as JsonObject ?? throw new FormatException("A projected encoder has no encoder.")) is not TextEncoderFactory encoder)
            throw new FormatException("The encoder of texts within a projected one is of another kind.");
        return new ProjectedTextEncoderFactory(encoder, new EncoderJsonReader(json).Integer(DimensionKey));
    }
}
