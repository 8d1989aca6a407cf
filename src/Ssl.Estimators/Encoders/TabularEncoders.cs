using Ssl.Estimators.Encoders;

namespace Ssl.Estimators;

/// <summary>Encoders of table rows, ready to be given to a tabular trainer.</summary>
public static class TabularEncoders
{
    internal static class Defaults
    {
        internal const int MlpNumberOfLayers = 4;
        internal const int MlpDimension = 256;
        internal const double MlpDropout = 0;
        internal const int ResidualNumberOfBlocks = 2;
        internal const int ResidualDimension = 192;
        internal const int ResidualCellDimension = 16;
        internal const double ResidualDropout = 0;
        internal const int TransformerNumberOfLayers = 2;
        internal const int TransformerDimension = 64;
        internal const int TransformerNumberOfHeads = 4;
        internal const double TransformerDropout = 0;
    }

    /// <summary>Announces the encoders of this class to <see cref="EncoderFactory.FromJson"/>.</summary>
    internal static void RegisterAll()
    {
        EncoderFactory.Register(MlpTabularEncoderFactory.KindName, MlpTabularEncoderFactory.Read);
        EncoderFactory.Register(ResidualMlpTabularEncoderFactory.KindName, ResidualMlpTabularEncoderFactory.Read);
        EncoderFactory.Register(ColumnTransformerFactory.KindName, ColumnTransformerFactory.Read);
    }

    /// <summary>
    /// Linear layers of one width with ReLU over numbers, missing-indicators and category vectors: SCARF's encoder, and the fastest.
    /// </summary>
    /// <param name="numberOfLayers">Layers. At least 1.</param>
    /// <param name="dimension">Width of every layer and length of an embedding. At least 1.</param>
    /// <param name="dropout">Share of a layer's inputs dropped in training. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TabularEncoderFactory Mlp(int numberOfLayers = Defaults.MlpNumberOfLayers, int dimension = Defaults.MlpDimension,
        double dropout = Defaults.MlpDropout)
        => new MlpTabularEncoderFactory(numberOfLayers, dimension, dropout);

    /// <summary>
    /// A vector for every cell, then residual blocks of linear layers: stronger where single numbers matter in steps or waves.
    /// </summary>
    /// <param name="numberOfBlocks">Residual blocks. At least 1.</param>
    /// <param name="dimension">Length of an embedding; the blocks are twice as wide inside. At least 1.</param>
    /// <param name="numericEmbedding">How a number becomes a vector.</param>
    /// <param name="cellDimension">Length of the vector of a cell. At least 1.</param>
    /// <param name="dropout">Share of a block's hidden layer dropped in training. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TabularEncoderFactory ResidualMlp(int numberOfBlocks = Defaults.ResidualNumberOfBlocks,
        int dimension = Defaults.ResidualDimension, NumericEmbedding numericEmbedding = NumericEmbedding.PiecewiseLinear,
        int cellDimension = Defaults.ResidualCellDimension, double dropout = Defaults.ResidualDropout)
        => new ResidualMlpTabularEncoderFactory(numberOfBlocks, dimension, numericEmbedding, cellDimension, dropout);

    /// <summary>
    /// A transformer with one token a column (FT-Transformer-like): learns how columns depend on each other, and costs the most.
    /// </summary>
    /// <param name="numberOfLayers">Blocks of attention and feed-forward network. At least 1.</param>
    /// <param name="dimension">Length of a cell's vector and of the embedding. A multiple of <paramref name="numberOfHeads"/>.</param>
    /// <param name="numberOfHeads">Attention heads. At least 1.</param>
    /// <param name="feedForwardDimension">Width of the feed-forward network; 2 x <paramref name="dimension"/> where
    /// <see langword="null"/>.</param>
    /// <param name="dropout">Share dropped in training behind every half of a block. From 0 to less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public static TabularEncoderFactory ColumnTransformer(int numberOfLayers = Defaults.TransformerNumberOfLayers,
        int dimension = Defaults.TransformerDimension, int numberOfHeads = Defaults.TransformerNumberOfHeads,
        int? feedForwardDimension = null, double dropout = Defaults.TransformerDropout)
        => new ColumnTransformerFactory(numberOfLayers, dimension, numberOfHeads, feedForwardDimension ?? 2 * dimension, dropout);
}
