using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Pre-norm transformer blocks with a norm at the end (Xiong et al., "On Layer Normalization in the Transformer Architecture", 2020).
/// </summary>
/// <remarks>
/// N sequences, L places, D the dimension. Deviations from BERT: no dropout on the attention probabilities, which costs much and brings
/// little at this size; initial weights scale with the width of their input instead of being 0.02 everywhere, which suits BERT's width
/// of 768 and makes narrow networks slow to start.
/// </remarks>
internal sealed class TransformerStack : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "layer")]
    private readonly ModuleList<TransformerBlock> _blocks;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    /// <summary>Blocks with fresh weights.</summary>
    /// <param name="numberOfLayers">How many.</param>
    /// <param name="dimension">D, a multiple of <paramref name="numberOfHeads"/>.</param>
    /// <param name="numberOfHeads">Attention heads.</param>
    /// <param name="feedForwardDimension">Width of the hidden layers.</param>
    /// <param name="dropout">Share dropped in training.</param>
    /// <param name="streams">Gives the initial weights and what is dropped.</param>
    /// <param name="isCausal">Whether a place sees itself and the places before it only. Such a stack takes no mask: padding stands behind.</param>
    public TransformerStack(int numberOfLayers, int dimension, int numberOfHeads, int feedForwardDimension, double dropout,
        RandomStreams streams, bool isCausal = false) : base(nameof(TransformerStack))
    {
        // Residual branches start smaller the deeper the stack is, so that the sum keeps its scale (GPT-2).
        double residualScale = 1 / Math.Sqrt(2 * numberOfLayers);
        _blocks = Initialization.Blocks(numberOfLayers, _ =>
            new TransformerBlock(dimension, numberOfHeads, feedForwardDimension, dropout, residualScale, streams, isCausal));
        _norm = Initialization.Norm(dimension);
        RegisterComponents();
    }

    /// <summary>Number of blocks.</summary>
    public int NumberOfLayers => _blocks.Count;

    /// <summary>Runs all blocks.</summary>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="mask">Bool [N, L], true where a token may be looked at; null where all may: faster on a GPU.</param>
    /// <returns>[N, L, D].</returns>
    public override Tensor forward(Tensor tokens, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var keys = mask?.unsqueeze(1).unsqueeze(1);                                                 // [N, 1, 1, L]
        var unpadding = Unpadding.Of(mask);
        tokens = MixedPrecision.Round(unpadding?.Take(tokens) ?? tokens);
        foreach (var block in _blocks)
            tokens = block.call(tokens, keys, unpadding);
        tokens = MixedPrecision.Widen(_norm.call(tokens));
        return (unpadding?.Put(tokens) ?? tokens).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention, then a feed-forward network, each on normalized input and added to it.</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor?, Unpadding?, Tensor>
{
    [ComponentName(Name = "attention_norm")]
    private readonly LayerNormalization _attentionNorm;

    [ComponentName(Name = "attention")]
    private readonly SelfAttention _attention;

    [ComponentName(Name = "output_norm")]
    private readonly LayerNormalization _outputNorm;

    [ComponentName(Name = "intermediate")]
    private readonly LinearLayer _intermediate;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    public TransformerBlock(int dimension, int numberOfHeads, int feedForwardDimension, double dropout, double residualScale,
        RandomStreams streams, bool isCausal) : base(nameof(TransformerBlock))
    {
        _attentionNorm = Initialization.Norm(dimension);
        _attention = new SelfAttention(dimension, numberOfHeads, residualScale, streams.Weights, isCausal);
        _outputNorm = Initialization.Norm(dimension);
        _intermediate = Initialization.NormalLinear(dimension, feedForwardDimension, streams.Weights);
        _output = Initialization.NormalLinear(feedForwardDimension, dimension, streams.Weights, residualScale);
        _dropout = new SeededDropout(dropout, streams.Dropout);
        RegisterComponents();
    }

    /// <summary>Tokens, [N, L, D] or without the padding [T, D], to tokens.</summary>
    public override Tensor forward(Tensor tokens, Tensor? keys, Unpadding? unpadding)
    {
        using var scope = NewDisposeScope();
        tokens = tokens.add(_dropout.Pass(_attention.call(_attentionNorm.call(tokens), keys, unpadding)), One);
        var hidden = nn.functional.gelu(_intermediate.call(_outputNorm.call(tokens)));              // [N, L, F] or [T, F]
        return tokens.add(_dropout.Pass(_output.call(hidden)), One).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention over one fused query-key-value projection.</summary>
internal sealed class SelfAttention : nn.Module<Tensor, Tensor?, Unpadding?, Tensor>
{
    [ComponentName(Name = "query_key_value")]
    private readonly LinearLayer _queryKeyValue;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    private readonly int _numberOfHeads;
    private readonly bool _isCausal;

    public SelfAttention(int dimension, int numberOfHeads, double residualScale, Generator weights, bool isCausal)
        : base(nameof(SelfAttention))
    {
        (_numberOfHeads, _isCausal) = (numberOfHeads, isCausal);
        _queryKeyValue = Initialization.NormalLinear(dimension, 3L * dimension, weights);
        _output = Initialization.NormalLinear(dimension, dimension, weights, residualScale);
        RegisterComponents();
    }

    /// <summary>Tokens, [N, L, D] or without the padding [T, D], to what each takes from those of its sequence.</summary>
    public override Tensor forward(Tensor tokens, Tensor? keys, Unpadding? unpadding)
    {
        using var scope = NewDisposeScope();
        var all = _queryKeyValue.call(tokens);                                                      // [N, L, 3 D] or [T, 3 D]
        var context = unpadding?.Attend(all, _numberOfHeads) ?? HeadAttention.Compute(all, _numberOfHeads, keys, _isCausal);
        return _output.call(context).MoveToOuterDisposeScope();
    }
}
