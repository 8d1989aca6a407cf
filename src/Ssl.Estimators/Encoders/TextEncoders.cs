using Ssl.Estimators.Encoders;

namespace Ssl.Estimators;

/// <summary>Encoders of texts, ready to be given to a text trainer.</summary>
public static class TextEncoders
{
    internal static class Defaults
    {
        internal const int BagEmbeddingDimension = 128;
        internal const int BagTokenDimension = 256;
        internal const int BagHiddenDimension = 512;
        internal const int BagMaximumTokens = 128;
        internal const double BagDropout = 0.1;
        internal const int TransformerNumberOfLayers = 2;
        internal const int TransformerDimension = 128;
        internal const int TransformerNumberOfHeads = 2;
        internal const int TransformerMaximumTokens = 64;
        internal const double TransformerDropout = 0.1;
    }

    /// <summary>Announces the encoders of this class to <see cref="EncoderFactory.FromJson"/>.</summary>
    internal static void RegisterAll()
    {
        EncoderFactory.Register(BagTextEncoderFactory.KindName, BagTextEncoderFactory.Read);
        EncoderFactory.Register(BertTextEncoderFactory.KindName, BertTextEncoderFactory.Read);
        EncoderFactory.Register(LatentSemanticTextEncoderFactory.KindName, LatentSemanticTextEncoderFactory.Read);
        EncoderFactory.Register(ProjectedTextEncoderFactory.KindName, ProjectedTextEncoderFactory.Read);
        EncoderFactory.Register(TransformerTextEncoderFactory.KindName, TransformerTextEncoderFactory.Read);
    }

    /// <summary>
    /// The mean of the token embeddings, then an MLP with one hidden layer: fast, blind to word order, strong at search and topics.
    /// </summary>
    /// <param name="embeddingDimension">Length of an embedding. At least 1.</param>
    /// <param name="tokenDimension">Length of a token's vector. At least 1.</param>
    /// <param name="hiddenDimension">Width of the MLP. At least 1.</param>
    /// <param name="maximumTokens">Longer texts are cut. At least 3.</param>
    /// <param name="dropout">Share of the hidden layer dropped in training. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TextEncoderFactory Bag(int embeddingDimension = Defaults.BagEmbeddingDimension,
        int tokenDimension = Defaults.BagTokenDimension, int hiddenDimension = Defaults.BagHiddenDimension,
        int maximumTokens = Defaults.BagMaximumTokens, double dropout = Defaults.BagDropout)
        => new BagTextEncoderFactory(embeddingDimension, tokenDimension, hiddenDimension, maximumTokens, dropout);

    /// <summary>A small BERT with the norms before the blocks (pre-norm), learned positions and GELU.</summary>
    /// <param name="numberOfLayers">Blocks of attention and feed-forward network. At least 1.</param>
    /// <param name="dimension">Length of a token's vector and of the embedding. A multiple of <paramref name="numberOfHeads"/>.</param>
    /// <param name="numberOfHeads">Attention heads. At least 1.</param>
    /// <param name="feedForwardDimension">Width of the feed-forward network; 4 x <paramref name="dimension"/> where
    /// <see langword="null"/>.</param>
    /// <param name="maximumTokens">Longer texts are cut. At least 3.</param>
    /// <param name="dropout">Share dropped in training behind the embeddings and behind every block. From 0 to less than 1.</param>
    /// <param name="pooling">How the tokens' vectors become the text's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TextEncoderFactory Transformer(int numberOfLayers = Defaults.TransformerNumberOfLayers,
        int dimension = Defaults.TransformerDimension, int numberOfHeads = Defaults.TransformerNumberOfHeads,
        int? feedForwardDimension = null, int maximumTokens = Defaults.TransformerMaximumTokens,
        double dropout = Defaults.TransformerDropout, TextPooling pooling = TextPooling.Mean)
        => new TransformerTextEncoderFactory(numberOfLayers, dimension, numberOfHeads, feedForwardDimension ?? 4 * dimension,
            maximumTokens, dropout, pooling);
}
