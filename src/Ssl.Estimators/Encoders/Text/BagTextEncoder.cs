using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>The mean of the token embeddings, then a small MLP. Fast, blind to word order; hard to beat for search and topics.</summary>
/// <remarks>N texts, L places, T the token dimension, H the hidden dimension, D the embedding dimension.</remarks>
internal sealed class BagTextEncoder : TextEncoder
{
    [ComponentName(Name = "word_embeddings")]
    private readonly EmbeddingTable _words;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "hidden")]
    private readonly LinearLayer _hidden;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    private readonly int _specialCount;

    public BagTextEncoder(BagTextEncoderFactory sizes, TokenVocabulary vocabulary, RandomStreams streams) : base(nameof(BagTextEncoder))
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        TokenDimension = sizes.TokenDimension;
        _specialCount = vocabulary.SpecialCount;
        _words = new EmbeddingTable(vocabulary.Size, TokenDimension);
        Initialization.Normal(_words.Weight, 0.05, streams.Weights);
        _norm = Initialization.Norm(TokenDimension);
        _hidden = Initialization.Linear(TokenDimension, sizes.HiddenDimension, streams.Weights);
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        _output = Initialization.Linear(sizes.HiddenDimension, EmbeddingDimension, streams.Weights);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override int TokenDimension { get; }

    public override bool IsContextual => false;

    public override IReadOnlyList<string> Blocks => ["word_embeddings", "hidden", "output"];

    public override Tensor TokenEmbeddings => _words.Weight;

    protected override Tensor Encode(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var (tokens, offsets) = Flatten(batch);                       // [all tokens], [N]
        return EncodeBags(tokens, offsets).MoveToOuterDisposeScope(); // [N, D]
    }

    /// <summary>Embeds texts that need no padding.</summary>
    /// <param name="tokens">The tokens that count, of all texts behind each other, int64.</param>
    /// <param name="offsets">Where each text begins, int64 [N].</param>
    /// <returns>[N, D]</returns>
    internal Tensor EncodeBags(Tensor tokens, Tensor offsets)
    {
        using var scope = NewDisposeScope();
        return Head(_words.Means(tokens, offsets)).MoveToOuterDisposeScope();
    }

    public override Tensor EncodeTokens(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var flat = TokenEmbeddings.index_select(0, batch.Ids.view(-1));                             // [N * L, T]
        return flat.view(batch.Count, batch.Ids.shape[1], TokenDimension).MoveToOuterDisposeScope();      // [N, L, T]
    }

    private Tensor Head(Tensor mean)
        => MixedPrecision.Widen(_output.call(_dropout.Pass(nn.functional.gelu(_hidden.call(_norm.call(mean))))));

    // Special tokens say nothing about a text and are left out of its mean, except where a text has nothing else.
    private Tensor Counted(TokenBatch batch)
    {
        var plain = batch.Mask.logical_and(batch.Ids.ge(Number(_specialCount)));                            // [N, L]
        var empty = plain.any(1, keepdim: true).logical_not();                                      // [N, 1]
        return plain.logical_or(batch.Mask.logical_and(empty));
    }

    // The tokens of all texts behind each other, and where each text begins.
    private (Tensor Tokens, Tensor Offsets) Flatten(TokenBatch batch)
    {
        var counted = Counted(batch);                                                               // [N, L]
        var tokens = batch.Ids.masked_select(counted);
        var counts = counted.sum(1);                                                                // [N]
        return (tokens, counts.cumsum(0) - counts);
    }
}
