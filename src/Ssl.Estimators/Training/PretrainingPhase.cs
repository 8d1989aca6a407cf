namespace Ssl.Estimators;

/// <summary>What a <c>Fit</c> is at when it reports.</summary>
public enum PretrainingPhase
{
    /// <summary>Steps of the training.</summary>
    Training,

    /// <summary>Reading rows before the first step: to learn what an encoder needs of the data, or to keep them in memory.</summary>
    ReadingRows,

    /// <summary>Learning the pieces of a tokenizer's vocabulary from the words that were read.</summary>
    TrainingTokenizer,
}
