using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// BERT's output for masked tokens: a transform, then scores against the token embeddings themselves (tied weights) and a bias.
/// </summary>
internal sealed class MaskedTokenHead : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "transform")]
    private readonly LinearLayer _transform;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "bias")]
    private readonly Parameter _bias;

    /// <summary>A head for an encoder's token vectors.</summary>
    /// <param name="tokenDimension">D, the length of a token's vector.</param>
    /// <param name="vocabularySize">V, the number of tokens.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public MaskedTokenHead(int tokenDimension, long vocabularySize, RandomStreams streams) : base(nameof(MaskedTokenHead))
    {
        _transform = Initialization.NormalLinear(tokenDimension, tokenDimension, streams.Weights);
        _norm = Initialization.Norm(tokenDimension);
        _bias = Initialization.Weights(vocabularySize);
        RegisterComponents();
    }

    /// <summary>Scores of all tokens at the chosen places.</summary>
    /// <param name="tokens">Vectors of the chosen places, [M, D].</param>
    /// <param name="embeddings">The encoder's token embeddings, [V, D].</param>
    /// <returns>[M, V].</returns>
    public override Tensor forward(Tensor tokens, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var transformed = _norm.call(nn.functional.gelu(_transform.call(tokens)));                  // [M, D]
        return MixedPrecision.Widen(MixedPrecision.Linear(transformed, embeddings, _bias)).MoveToOuterDisposeScope();      // [M, V]
    }
}
