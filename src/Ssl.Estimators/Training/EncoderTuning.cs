using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Training;

/// <summary>Which weights of an encoder a training changes, when, and how fast.</summary>
/// <param name="TrainableBlocks">Blocks that change, counted from the output; 0 for none, null for all.</param>
/// <param name="LayerDecay">
/// Factor of the learning rate from one block to the next towards the input: heads have 1, the last block this factor, the one before
/// its square (Howard and Ruder, 2018; Clark et al., "ELECTRA", 2020). In (0, 1].
/// </param>
/// <param name="FrozenEpochs">Epochs at the beginning in which the encoder stays as it is and only the head learns: fine-tuning only.</param>
internal sealed record EncoderTuning(int? TrainableBlocks = null, double LayerDecay = 1, int FrozenEpochs = 0)
{
    /// <summary>All weights, all the time, all alike.</summary>
    public static EncoderTuning Full { get; } = new();

    /// <summary>Heads only.</summary>
    public static EncoderTuning HeadOnly { get; } = new(TrainableBlocks: 0);

    /// <summary>Whether a block changes.</summary>
    public bool Trains(EncoderBlocks blocks, int block) => TrainableBlocks is not { } last || block >= blocks.Count - last;
}
