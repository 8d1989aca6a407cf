using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>The space in which images and texts are compared: a linear layer takes an encoder's embedding there.</summary>
internal static class SharedSpace
{
    /// <summary>The layer of an encoder.</summary>
    /// <param name="encoder">Its factory.</param>
    /// <param name="dimension">Length of a vector of the space.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public static LinearLayer Layer(EncoderFactory encoder, int dimension, Randomness.RandomStreams streams)
        => Initialization.Linear(encoder.EmbeddingDimension, dimension, streams.Weights, hasBias: false);

    /// <summary>Vectors of the space. All have one length, so that only their direction counts: the root of D, so that their numbers are about
    /// as large as those of other embeddings, which trainers with a fixed penalty on weights want.</summary>
    /// <param name="layer">Of the encoder.</param>
    /// <param name="embeddings">Its embeddings [N, E].</param>
    /// <returns>[N, D] of length sqrt(D).</returns>
    public static Tensor Project(LinearLayer layer, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var vectors = layer.Exact(embeddings);                                                      // [N, D]
        return vectors.mul(vectors.norm(1, keepdim: true).clamp_min(Number(1e-12)).reciprocal().mul(Number(Math.Sqrt(vectors.shape[1]))))
            .MoveToOuterDisposeScope();
    }
}
