using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Encoders;

/// <summary>The architecture of a network of BERT's kind.</summary>
internal sealed record BertSizes
{
    /// <summary>The class token, one of the text and the separator.</summary>
    public const int FewestTokens = 3;

    /// <summary>Rows of the table of words; at least the tokens of the vocabulary, some files have a few more.</summary>
    public required int Words { get; init; }

    /// <summary>Blocks of attention and feed-forward network.</summary>
    public required int NumberOfLayers { get; init; }

    /// <summary>Length of a token's vector and of the embedding.</summary>
    public required int Dimension { get; init; }

    /// <summary>Attention heads.</summary>
    public required int NumberOfHeads { get; init; }

    /// <summary>Width of the feed-forward network.</summary>
    public required int FeedForwardDimension { get; init; }

    /// <summary>Rows of the table of positions.</summary>
    public required int Positions { get; init; }

    /// <summary>Row of a text's first place: 0 for BERT; RoBERTa and MPNet keep the rows up to the padding's id free.</summary>
    public int FirstPosition { get; init; }

    /// <summary>Rows of the table of token types, of which texts here take the first; 0 for networks without.</summary>
    public int TokenTypes { get; init; }

    /// <summary>Rows of MPNet's table of relative positions; 0 for networks without.</summary>
    public int RelativePositions { get; init; }

    /// <summary>Added to the variance in the norms.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-12;

    /// <summary>Activation of the feed-forward network.</summary>
    public BertActivation Activation { get; init; }

    /// <summary>Share dropped in training behind the embeddings and behind every block.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Texts are cut at this number of tokens.</summary>
    public required int MaximumTokens { get; init; }

    /// <summary>How the tokens' vectors become the text's.</summary>
    public TextPooling Pooling { get; init; }

    /// <summary>Whether embeddings are brought to unit length.</summary>
    public bool UnitLength { get; init; }

    /// <summary>Throws over all faults at once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range.</exception>
    public void Check() => new OptionFaults()
        .AtLeast(Words, 1)
        .AtLeast(NumberOfLayers, 1)
        .AtLeast(Dimension, 1)
        .AtLeast(NumberOfHeads, 1)
        .Require(NumberOfHeads < 1 || Dimension % NumberOfHeads == 0, nameof(Dimension), $"must be a multiple of NumberOfHeads {NumberOfHeads}",
            Dimension)
        .AtLeast(FeedForwardDimension, 1)
        .AtLeast(FirstPosition, 0)
        .AtLeast(TokenTypes, 0)
        .AtLeast(RelativePositions, 0)
        .Require(RelativePositions % 4 == 0, nameof(RelativePositions), "must be a multiple of 4", RelativePositions)
        .AtLeast(MaximumTokens, FewestTokens)
        .Require(Positions - FirstPosition >= MaximumTokens, nameof(MaximumTokens),
            $"must be at most the {Positions - FirstPosition} positions of the network", MaximumTokens)
        .InHalfOpenRange(Dropout, 0, 1)
        .Between(LayerNormEpsilon, 0, 1)
        .Defined(Activation)
        .Defined(Pooling)
        .ThrowIfAny();
}

/// <summary>Activations of networks of BERT's kind.</summary>
internal enum BertActivation
{
    /// <summary>GELU by the error function ("gelu").</summary>
    Gelu,

    /// <summary>GELU by its approximation with tanh ("gelu_new", "gelu_pytorch_tanh").</summary>
    GeluTanh,

    /// <summary>ReLU ("relu").</summary>
    Relu,
}
