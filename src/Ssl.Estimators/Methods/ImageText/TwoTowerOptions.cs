using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>Settings of the methods that learn one space for images and texts.</summary>
public abstract class TwoTowerOptions : ImageTextPretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected TwoTowerOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>
    /// Length of a vector of the space that images and texts share; a row's embedding has twice as many numbers: the image's, then the text's.
    /// At least 1.
    /// </summary>
    /// <value>The default value is 128.</value>
    [OptionRange(Minimum = 1)]
    public int ProjectionDimension { get; set; } = 128;

    /// <summary>Share of the tokens of a text deleted at random in every step. In [0, 1).</summary>
    /// <value>The default value is 0.2.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public float TokenDeletion { get; set; } = 0.2f;

    /// <summary>
    /// Rows that the encoders embed at once in training, where a step has more: its loss still compares all of them, in the memory of so many, for
    /// about half as much time again. Null embeds all of a step at once. At least 1, with batch normalization (<see cref="ImageEncoders.SmallConvNet"/>,
    /// residual networks) at least 2, and better 32: its statistics are those of the part.
    /// </summary>
    /// <remarks>
    /// Gradient caching: Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021 (arXiv:2101.06983).
    /// </remarks>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    public int? EncoderBatchSize { get; set; }

    /// <inheritdoc cref="PairedContrastiveTrainer.Options.HardNegativeGroupSize"/>
    [OptionRange(Minimum = 1, Maximum = 64)]
    public int HardNegativeGroupSize { get; set; } = 1;
}
