namespace Ssl.Estimators;

/// <summary>What stands on the encoder to predict.</summary>
public enum FineTuningHead
{
    /// <summary>One linear layer: the least that can overfit.</summary>
    Linear,

    /// <summary>A hidden layer as wide as the embedding, with GELU, before the linear one.</summary>
    Mlp,
}

/// <summary>Which weights fine-tuning changes.</summary>
public enum TrainableLayers
{
    /// <summary>All of them: encoder and head.</summary>
    Full,

    /// <summary>The head only; the encoder stays as it was pretrained.</summary>
    HeadOnly,

    /// <summary>
    /// The head and the last blocks of the encoder: <see cref="FineTuningOptions.NumberOfTrainableBlocks"/> of <c>Encoder.Blocks</c>.
    /// </summary>
    LastBlocks,
}

/// <summary>What a linear head for classes starts from.</summary>
public enum HeadInitialization
{
    /// <summary>Random weights.</summary>
    Random,

    /// <summary>
    /// The linear discriminant of the mean embeddings of the classes: a good start where labels are few. A class with more rows is the
    /// likelier one, unless <see cref="ClassWeights.Balanced"/>.
    /// </summary>
    ClassMeans,
}

/// <summary>How much a row counts by its class.</summary>
public enum ClassWeights
{
    /// <summary>All rows count the same.</summary>
    Equal,

    /// <summary>All classes count the same: a row counts the less, the more rows its class has.</summary>
    Balanced,
}
