using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A pre-norm transformer over tokens with learned positions, and the mean or the class token as the text's embedding.</summary>
/// <remarks>N texts, L places, D the dimension. Parameter names follow BERT's checkpoints where the parts are the same.</remarks>
internal sealed class TransformerTextEncoder : TextEncoder
{
    [ComponentName(Name = "embeddings")]
    private readonly TokenAndPositionEmbeddings _embeddings;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    private readonly TextPooling _pooling;

    public TransformerTextEncoder(TransformerTextEncoderFactory sizes, TokenVocabulary vocabulary, RandomStreams streams)
        : base(nameof(TransformerTextEncoder))
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        _pooling = sizes.Pooling;
        _embeddings = new TokenAndPositionEmbeddings(vocabulary.Size, sizes.MaximumTokens, EmbeddingDimension, sizes.Dropout, streams);
        _stack = new TransformerStack(sizes.NumberOfLayers, EmbeddingDimension, sizes.NumberOfHeads, sizes.FeedForwardDimension,
            sizes.Dropout, streams);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override int TokenDimension => EmbeddingDimension;

    public override IReadOnlyList<string> Blocks
        => ["embeddings", .. Enumerable.Range(0, _stack.NumberOfLayers).Select(i => $"encoder.layer.{i}")];

    public override Tensor TokenEmbeddings => _embeddings.Words;

    protected override Tensor Encode(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return TokenPooling.Pool(EncodeTokens(batch), batch, _pooling).MoveToOuterDisposeScope();                          // [N, D]
    }

    public override Tensor EncodeTokens(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var tokens = _embeddings.call(batch.Ids);                                                   // [N, L, D]
        // Attention without a mask is faster on a GPU. In training only: embeddings shall not depend on what else is in their batch.
        var mask = training && !batch.HasPadding && tokens.device_type != DeviceType.CPU ? null : batch.Mask;
        return _stack.call(tokens, mask).MoveToOuterDisposeScope();                           // [N, L, D]
    }
}

/// <summary>Sum of a token's and its position's vector, normalized, with dropout.</summary>
internal sealed class TokenAndPositionEmbeddings : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "word_embeddings")]
    private readonly EmbeddingTable _words;

    [ComponentName(Name = "position_embeddings")]
    private readonly EmbeddingTable _positions;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    private readonly int _maximumTokens;

    public TokenAndPositionEmbeddings(int vocabularySize, int maximumTokens, int dimension, double dropout, RandomStreams streams)
        : base(nameof(TokenAndPositionEmbeddings))
    {
        _maximumTokens = maximumTokens;
        _words = Initialization.Embedding(vocabularySize, dimension, streams.Weights);
        _positions = Initialization.Embedding(maximumTokens, dimension, streams.Weights);
        _norm = Initialization.Norm(dimension);
        _dropout = new SeededDropout(dropout, streams.Dropout);
        RegisterComponents();
    }

    public Tensor Words => _words.Weight;

    public override Tensor forward(Tensor ids)
    {
        long length = ids.shape[1];
        if (length > _maximumTokens)
        {
            throw new ArgumentException($"The encoder reads texts of up to {_maximumTokens} tokens, got {length}. "
                + "Cut them when tokenizing, or raise maximumTokens.", nameof(ids));
        }
        using var scope = NewDisposeScope();
        var words = _words.call(ids);                                                               // [N, L, D]
        var positions = _positions.Weight.narrow(0, 0, length);                                     // [L, D]
        return _dropout.Pass(_norm.call(words.add(positions, One))).MoveToOuterDisposeScope();
    }
}
