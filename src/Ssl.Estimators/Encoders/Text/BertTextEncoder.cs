using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>BERT and its kin (Devlin et al., 2019): post-norm blocks over tokens, pooled to one vector a text.</summary>
/// <remarks>
/// N texts, L places, D the dimension. DistilBERT is the same without token types, RoBERTa with other positions, MPNet with a bias for the
/// distance of two places in every attention. Deviation: no dropout on the attention probabilities.
/// </remarks>
internal sealed class BertTextEncoder : TextEncoder
{
    [ComponentName(Name = "embeddings")]
    private readonly BertEmbeddings _embeddings;

    [ComponentName(Name = "encoder")]
    private readonly BertLayers _layers;

    private readonly BertSizes _sizes;

    public BertTextEncoder(BertSizes sizes, RandomStreams streams) : base(nameof(BertTextEncoder))
    {
        _sizes = sizes;
        _embeddings = new BertEmbeddings(sizes, streams);
        _layers = new BertLayers(sizes, streams);
        RegisterComponents();
    }

    public override int EmbeddingDimension => _sizes.Dimension;

    public override int TokenDimension => _sizes.Dimension;

    public override IReadOnlyList<string> Blocks
        => ["embeddings", .. Enumerable.Range(0, _sizes.NumberOfLayers).Select(i => $"encoder.layer.{i}")];

    public override Tensor TokenEmbeddings => _embeddings.Words;

    /// <summary>Number of layers behind the embeddings.</summary>
    public int NumberOfLayers => _sizes.NumberOfLayers;

    /// <summary>The tokens' vectors before the first layer: [N, L, D].</summary>
    /// <param name="batch">On the encoder's device.</param>
    public Tensor EmbedTokens(TokenBatch batch) => _embeddings.call(batch.Ids);

    /// <summary>Runs some layers.</summary>
    /// <param name="tokens">What came out of the layer before, [N, L, D]; not changed.</param>
    /// <param name="batch">The texts they are of.</param>
    /// <param name="first">The first layer to run.</param>
    /// <param name="end">The layer behind the last one to run.</param>
    /// <returns>[N, L, D].</returns>
    public Tensor RunLayers(Tensor tokens, TokenBatch batch, int first, int end) => _layers.Run(tokens, batch, first, end);

    /// <summary>The texts' embeddings of what came out of the last layer: [N, D].</summary>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="batch">The texts they are of.</param>
    public Tensor Pool(Tensor tokens, TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var pooled = TokenPooling.Pool(tokens, batch, _sizes.Pooling);
        return (_sizes.UnitLength ? nn.functional.normalize(pooled) : pooled).MoveToOuterDisposeScope();
    }

    public override Tensor EncodeTokens(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return RunLayers(EmbedTokens(batch), batch, 0, NumberOfLayers).MoveToOuterDisposeScope();
    }

    /// <summary>Whether texts of a length can be embedded by <see cref="EncodePacked"/>.</summary>
    public bool Packs(int longest) => _sizes.RelativePositions == 0 && longest <= PackedAttention.LongestText;

    /// <summary>Embeds texts that stand behind each other without padding, on the CPU, without gradients and without dropout.</summary>
    /// <param name="ids">The tokens of all texts, int64 [T].</param>
    /// <param name="starts">Where each text begins, and T: N + 1 numbers.</param>
    /// <returns>[N, D].</returns>
    public Tensor EncodePacked(Tensor ids, int[] starts)
    {
        using var scope = NewDisposeScope();
        var tokens = _layers.RunPacked(_embeddings.EmbedPacked(ids, starts), starts);               // [T, D]
        var pooled = TokenPooling.PoolPacked(tokens, starts, _sizes.Pooling);                       // [N, D]
        return (_sizes.UnitLength ? nn.functional.normalize(pooled) : pooled).MoveToOuterDisposeScope();
    }

    protected override Tensor Encode(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return Pool(EncodeTokens(batch), batch).MoveToOuterDisposeScope();
    }
}

/// <summary>The sum of a token's, its position's and the first type's vector, normalized, with dropout.</summary>
internal sealed class BertEmbeddings : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "word_embeddings")]
    private readonly EmbeddingTable _words;

    [ComponentName(Name = "position_embeddings")]
    private readonly EmbeddingTable _positions;

    [ComponentName(Name = "token_type_embeddings")]
    private readonly EmbeddingTable? _types;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    private readonly int _firstPosition;

    public BertEmbeddings(BertSizes sizes, RandomStreams streams) : base(nameof(BertEmbeddings))
    {
        _firstPosition = sizes.FirstPosition;
        _words = Initialization.Embedding(sizes.Words, sizes.Dimension, streams.Weights);
        _positions = Initialization.Embedding(sizes.Positions, sizes.Dimension, streams.Weights);
        if (sizes.TokenTypes > 0)
            _types = Initialization.Embedding(sizes.TokenTypes, sizes.Dimension, streams.Weights);
        _norm = Initialization.Norm(sizes.Dimension, sizes.LayerNormEpsilon);
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    public Tensor Words => _words.Weight;

    public override Tensor forward(Tensor ids)
    {
        var (length, most) = (ids.shape[1], _positions.Weight.shape[0] - _firstPosition);
        if (length > most)
            throw new ArgumentException($"The encoder reads texts of up to {most} tokens, got {length}. Cut them when tokenizing.", nameof(ids));
        using var scope = NewDisposeScope();
        return _dropout.Pass(_norm.call(_words.call(ids).add(Places(length), One))).MoveToOuterDisposeScope();      // [N, L, D]
    }

    /// <summary>The same for texts behind each other: [T, D].</summary>
    public Tensor EmbedPacked(Tensor ids, int[] starts)
    {
        using var scope = NewDisposeScope();
        var places = new long[ids.shape[0]];
        var longest = 0;
        for (var text = 0; text + 1 < starts.Length; text++)
        {
            for (var i = starts[text]; i < starts[text + 1]; i++)
                places[i] = i - starts[text];
            longest = Math.Max(longest, starts[text + 1] - starts[text]);
        }
        var positions = Places(longest).index_select(0, tensor(places));                            // [T, D]
        return _norm.call(_words.call(ids).add_(positions, One)).MoveToOuterDisposeScope();
    }

    // The vectors of the first places and the first type, [L, D].
    private Tensor Places(long length)
    {
        var places = _positions.Weight.narrow(0, _firstPosition, length);
        return _types is null ? places : places.add(_types.Weight.narrow(0, 0, 1), One);
    }
}

/// <summary>The blocks behind each other, with the bias of distances where there is one.</summary>
internal sealed class BertLayers : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "layer")]
    private readonly ModuleList<BertBlock> _blocks;

    [ComponentName(Name = "relative_attention_bias")]
    private readonly EmbeddingTable? _distances;

    public BertLayers(BertSizes sizes, RandomStreams streams) : base(nameof(BertLayers))
    {
        _blocks = Initialization.Blocks(sizes.NumberOfLayers, _ => new BertBlock(sizes, streams));
        if (sizes.RelativePositions > 0)
            _distances = Initialization.Embedding(sizes.RelativePositions, sizes.NumberOfHeads, streams.Weights);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens, Tensor? mask) => Run(tokens, mask, 0, _blocks.Count);

    public Tensor Run(Tensor tokens, TokenBatch batch, int first, int end)
        => Run(tokens, batch.HasPadding ? batch.Mask : null, first, end);

    public Tensor RunPacked(Tensor tokens, int[] starts)
    {
        using var scope = NewDisposeScope();
        foreach (var block in _blocks)
            tokens = block.RunPacked(tokens, starts);
        return tokens.MoveToOuterDisposeScope();
    }

    private Tensor Run(Tensor tokens, Tensor? mask, int first, int end)
    {
        using var scope = NewDisposeScope();
        var bias = Bias(tokens, mask);
        if (first >= end)
            return tokens.alias().MoveToOuterDisposeScope();
        var unpadding = _distances is null ? Unpadding.Of(mask) : null;
        tokens = MixedPrecision.Round(unpadding?.Take(tokens) ?? tokens);
        for (var i = first; i < end; i++)
            tokens = _blocks[i].call(tokens, bias, unpadding);
        return MixedPrecision.Widen(unpadding?.Put(tokens) ?? tokens).MoveToOuterDisposeScope();
    }

    // What is added to the attention's scores, or which keys count: [N or 1, heads or 1, L or 1, L]; null where all count alike.
    private Tensor? Bias(Tensor tokens, Tensor? mask)
    {
        var keys = mask?.unsqueeze(1).unsqueeze(1);                                                 // [N, 1, 1, L]
        if (_distances is null)
            return keys;
        var bias = _distances.call(Buckets(tokens.shape[1], tokens.device)).permute(2, 0, 1).unsqueeze(0);  // [1, heads, L, L]
        bias = MixedPrecision.Round(bias);
        return keys is null ? bias : bias.masked_fill(keys.logical_not(), Number(float.NegativeInfinity));
    }

    private Tensor Buckets(long length, Device device)
    {
        var count = (int)_distances!.Weight.shape[0];
        var rows = new long[length * length];
        for (var query = 0; query < length; query++)
        {
            for (var key = 0; key < length; key++)
                rows[query * length + key] = RelativePositions.RowOf(key - query, count);
        }
        return tensor(rows, [length, length], device: device);
    }
}

/// <summary>Distances between two places as rows of a table (Raffel et al., "T5", 2020).</summary>
internal static class RelativePositions
{
    // Distances from here on are one.
    private const int FarthestDistance = 128;

    /// <summary>
    /// Near distances have a row each, far ones share one with those of about the same logarithm; one half of the rows for either side.
    /// </summary>
    /// <param name="distance">How far the key stands behind the query.</param>
    /// <param name="rows">Rows of the table. A multiple of 4.</param>
    public static int RowOf(int distance, int rows)
    {
        int half = rows / 2, near = half / 2, far = Math.Abs(distance);
        var row = far < near ? far : Math.Min(half - 1, near
            + (int)(MathF.Log((float)far / near) / MathF.Log((float)FarthestDistance / near) * (half - near)));
        return (distance > 0 ? half : 0) + row;
    }
}

/// <summary>Attention, then a feed-forward network, each added to its input and normalized.</summary>
internal sealed class BertBlock : nn.Module<Tensor, Tensor?, Unpadding?, Tensor>
{
    [ComponentName(Name = "query_key_value")]
    private readonly LinearLayer _queryKeyValue;

    [ComponentName(Name = "attention_output")]
    private readonly LinearLayer _attentionOutput;

    [ComponentName(Name = "attention_norm")]
    private readonly LayerNormalization _attentionNorm;

    [ComponentName(Name = "intermediate")]
    private readonly LinearLayer _intermediate;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    [ComponentName(Name = "output_norm")]
    private readonly LayerNormalization _outputNorm;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    private readonly int _heads;
    private readonly BertActivation _activation;

    public BertBlock(BertSizes sizes, RandomStreams streams) : base(nameof(BertBlock))
    {
        (_heads, _activation) = (sizes.NumberOfHeads, sizes.Activation);
        _queryKeyValue = Initialization.NormalLinear(sizes.Dimension, 3L * sizes.Dimension, streams.Weights);
        _attentionOutput = Initialization.NormalLinear(sizes.Dimension, sizes.Dimension, streams.Weights);
        _attentionNorm = Initialization.Norm(sizes.Dimension, sizes.LayerNormEpsilon);
        _intermediate = Initialization.NormalLinear(sizes.Dimension, sizes.FeedForwardDimension, streams.Weights);
        _output = Initialization.NormalLinear(sizes.FeedForwardDimension, sizes.Dimension, streams.Weights);
        _outputNorm = Initialization.Norm(sizes.Dimension, sizes.LayerNormEpsilon);
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    /// <summary>Tokens, [N, L, D] or without the padding [T, D], to tokens.</summary>
    public override Tensor forward(Tensor tokens, Tensor? bias, Unpadding? unpadding)
    {
        using var scope = NewDisposeScope();
        var all = _queryKeyValue.call(tokens);                                                      // [N, L, 3 D] or [T, 3 D]
        var context = unpadding?.Attend(all, _heads) ?? HeadAttention.Compute(all, _heads, bias);
        tokens = _attentionNorm.call(_dropout.Pass(_attentionOutput.call(context)).add(tokens, One));
        var hidden = Activate(_intermediate.call(tokens));                                          // [N, L, F] or [T, F]
        return _outputNorm.call(_dropout.Pass(_output.call(hidden)).add(tokens, One)).MoveToOuterDisposeScope();
    }

    /// <summary>The same for texts behind each other, [T, D], on the CPU, without gradients and without dropout.</summary>
    public Tensor RunPacked(Tensor tokens, int[] starts)
    {
        using var scope = NewDisposeScope();
        var context = PackedAttention.Compute(_queryKeyValue.call(tokens), starts, _heads);         // [T, D]
        tokens = _attentionNorm.call(_attentionOutput.call(context).add_(tokens, One));
        var hidden = Activate(_intermediate.call(tokens));                                          // [T, F]
        return _outputNorm.call(_output.call(hidden).add_(tokens, One)).MoveToOuterDisposeScope();
    }

    private Tensor Activate(Tensor hidden) => _activation switch
    {
        BertActivation.Gelu => nn.functional.gelu(hidden),
        BertActivation.GeluTanh => TanhGelu(hidden),
        _ => nn.functional.relu(hidden),
    };

    private static Tensor TanhGelu(Tensor x)
    {
        var inner = x.pow(Number(3L)).mul(Number(0.044715)).add(x, One).mul(Number(Math.Sqrt(2 / Math.PI)));
        return inner.tanh().add(One, One).mul(x).mul(Number(0.5));
    }
}
