using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// A small causal transformer that says a text again, word by word: of the text it knows the words before, and one vector for the whole.
/// </summary>
/// <remarks>
/// Input and output are tied to the encoder's table of words. The vector is added at every place; attention to it as the only key, as in
/// TSDAE's decoder, would give every place the same linear map of it, too. N texts, L places, D the length of the vector, T that of a
/// token's, V the vocabulary.
/// </remarks>
internal sealed class SentenceDecoder : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    // The width of a head in BERT.
    private const int HeadWidth = 64;

    [ComponentName(Name = "bridge")]
    private readonly LinearLayer _bridge;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "stack")]
    private readonly TransformerStack _stack;

    /// <summary>A decoder for an encoder's vectors.</summary>
    /// <param name="encoder">Says how long its vectors are.</param>
    /// <param name="layers">Blocks.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public SentenceDecoder(TextEncoder encoder, int layers, RandomStreams streams) : base(nameof(SentenceDecoder))
    {
        int width = encoder.TokenDimension;
        _bridge = Initialization.NormalLinear(encoder.EmbeddingDimension, width, streams.Weights);
        _norm = Initialization.Norm(width);
        _stack = new TransformerStack(layers, width, width % HeadWidth == 0 ? width / HeadWidth : 1, 4 * width, dropout: 0, streams,
            isCausal: true);
        RegisterComponents();
    }

    /// <summary>A vector for every place, of which the next token is to be told.</summary>
    /// <param name="sentences">One vector a text, [N, D].</param>
    /// <param name="ids">The tokens so far, int64 [N, L].</param>
    /// <param name="embeddings">The encoder's table of words, [V, T].</param>
    /// <returns>[N, L, T]; a place knows the tokens up to its own.</returns>
    public override Tensor forward(Tensor sentences, Tensor ids, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        long n = ids.shape[0], length = ids.shape[1], width = embeddings.shape[1];
        // Of the scale of positions and vector, whatever the scale of the encoder's table.
        var words = nn.functional.layer_norm(embeddings.index_select(0, ids.flatten()).view(n, length, width), [width]);   // [N, L, T]
        var places = words.add(Positions(length, width, ids.device), One).add(_bridge.call(sentences).unsqueeze(1), One);
        return _stack.call(_norm.call(places), null).MoveToOuterDisposeScope();
    }

    // Sines and cosines (Vaswani et al., 2017, section 3.5): decoders know no longest text.
    private static Tensor Positions(long length, long width, Device device)
    {
        using var scope = NewDisposeScope();
        long half = (width + 1) / 2;
        var rates = arange(Number(0), Number(half), One, dtype: ScalarType.Float32, device: device)
            .mul(Number(-Math.Log(10_000) / half)).exp();                                                    // [T / 2]
        var angles = arange(Number(0), Number(length), One, dtype: ScalarType.Float32, device: device).outer(rates);
        return cat([angles.sin(), angles.cos()], 1).narrow(1, 0, width).MoveToOuterDisposeScope();           // [L, T]
    }
}
